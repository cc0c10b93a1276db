"""The remote: its address and credentials, what it has, what it takes, and why it does not.

Whether something may be pushed is not asked here.
"""
