"""All that changes the data repository: the gate, publishing, pruning, the mark, and upkeep."""
