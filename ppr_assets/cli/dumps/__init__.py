"""Dumps, made and looked at: dump, list, verify, audit, diff, page, prune, rebuild.

What fills a database from one stands in ``databases``, what is decided on one in ``deciding``.
"""
