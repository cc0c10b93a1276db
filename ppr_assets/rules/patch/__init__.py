"""Rules for a patch: what changes, in which order, in which words of SQL.

Rows are read by ``postgres/patching``, and ``operations/patching`` applies what is written here.
"""
