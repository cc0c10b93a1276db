"""Rows of a dump beside those of the living database: what of them differs.

What is made of the differences is a rule's (``rules/patch``); a whole dump goes through ``load``.
"""
