"""The page beside the dumps."""
