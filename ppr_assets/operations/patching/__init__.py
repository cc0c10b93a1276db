"""Some rows of a dump brought back into the living database: planned, shown, applied, undone.

A whole dump takes the place of a database in ``restoring``.
"""
