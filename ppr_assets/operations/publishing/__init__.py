"""All that changes the data repository: the gate, publishing, pruning, the mark, and upkeep.

What only reads it is in ``published``; how git does it, in ``data_repo``.
"""
