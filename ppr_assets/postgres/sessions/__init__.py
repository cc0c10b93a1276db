"""Sessions with a server: where they lead, how they are set, how long they wait, how they fail.

What is asked in them belongs to the other rooms.
"""
