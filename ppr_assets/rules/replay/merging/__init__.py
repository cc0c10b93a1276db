"""Which tellings are of one organization or place: the rules for a pair, and over all files.
How two words are compared stands in ``words/``."""
