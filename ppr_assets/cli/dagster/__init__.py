"""Dagster as the command line runs it: its home, its storage, its services, and a run's report.

Assets and jobs stand in ``orchestration``, which knows no command line.
"""
