"""Somebody is told: which incidents are known, what is still to be said, and by which way.

What is an incident is decided in ``rules/incidents.py``, and found by whoever looks: a run, a
check, a verb. Here nothing is looked for, and nothing that fails may end a run.
"""
