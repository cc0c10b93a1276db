"""The verbs: plain functions that do one whole thing and return what happened, without Dagster.

How that is shown stands above, in ``cli`` and ``orchestration``; what is decided is a rule.
"""
