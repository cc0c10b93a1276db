"""Whether a database holds what a dump says: its rows, its objects, and what it has computed.

What fills it is in ``load``; whether a difference may be taken is a rule.
"""
