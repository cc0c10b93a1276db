"""What of a dump cannot be made somewhere, found by trying it without rows, and what would help.

Whether one may go without it is for ``operations`` to say.
"""
