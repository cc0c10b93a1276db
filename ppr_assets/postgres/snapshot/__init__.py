"""One night's work on the server: looks before it, one snapshot, its counts, and pg_dump on it.

Nothing here writes to a database; what restores does is in ``load`` and ``databases``.
"""
