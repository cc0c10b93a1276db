"""The database, rebuilt from the records that the data repository publishes: which files, what each
came to, what is one record, and the rows that follow. Bringing back a dump is ``restoring/``'s
work."""
