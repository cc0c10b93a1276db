"""Databases, filled and cleaned up after: restore, drill, init, replay, cleanup.

What only reads a database, to dump it or to look at it, stands in ``dumps`` and ``watching``.
"""
