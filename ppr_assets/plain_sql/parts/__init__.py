"""A dump in several files, each small enough for a forge, and read again as one.

Which of them git has, and under which paths, is known above.
"""
