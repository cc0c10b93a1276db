"""What may take the place of what is there: a dump that of the mark, a restore that of a database.
What else is said of a dump's values is ``profile/``'s work."""
