"""Rules for a patch: what changes, in which order, in which words of SQL."""
