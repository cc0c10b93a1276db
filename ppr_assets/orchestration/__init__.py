"""Dagster, thin: each module holds one concept and calls operations for the work itself.

Here is what several assets share: what they are given, what they record, how they fail, where
their code is. Work itself stands in ``operations``.
"""
