"""Looking into dumps without a server: query, history, export.

Whether a dump is whole, and what changed from one to the next, stands in ``dumps``.
"""
