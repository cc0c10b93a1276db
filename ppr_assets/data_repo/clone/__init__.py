"""The clone: found, made, kept small; and other repositories that are only looked into.

Its branch and work trees are moved in ``checkout``.
"""
