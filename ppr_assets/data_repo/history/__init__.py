"""The branch: what its commits say of dumps, and how two histories of it become one.

What lies on the disk is in ``checkout``.
"""
