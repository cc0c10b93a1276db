"""All that fills a database from a dump: restore and drill, and what they look at before.

How rows get into a database stands in ``postgres.load``, which dump is meant in ``sources``.
"""
