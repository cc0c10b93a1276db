"""What the data repository publishes, as it is read: the commit that is looked at, dumps, mark.

Nothing here changes it: that is ``publishing``.
"""
