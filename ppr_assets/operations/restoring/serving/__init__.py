"""The database that serves, which a restore is about to replace: what it is, whether it may be
replaced, what of it would be lost, and what is taken over from it.

What is made to take its place, and the change from one to the other, stands above.
"""
