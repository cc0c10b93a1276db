"""All that fills a database from a dump: restore and drill, what they look at before, and what
they leave beside the database.

How rows get into a database stands in ``postgres.load``, which dump is meant in ``sources``.
"""
