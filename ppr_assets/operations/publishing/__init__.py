"""All that changes the data repository: the gate, publishing, pruning, and the mark.

What only reads it is in ``published``; how git does it, in ``data_repo``.
"""
