"""All that fills a database from a dump: restore and drill, and what they look at before."""
