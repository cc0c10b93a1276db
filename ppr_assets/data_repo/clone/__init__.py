"""The clone: found, made, kept small; and other repositories that are only looked into."""
