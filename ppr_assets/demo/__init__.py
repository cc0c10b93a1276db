"""A world to try everything in: the sample database and the playground around it.

Nothing that a night needs is in here.
"""
