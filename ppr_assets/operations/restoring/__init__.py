"""All that fills a database from a dump: restore, drill and init, and what they look at before."""
