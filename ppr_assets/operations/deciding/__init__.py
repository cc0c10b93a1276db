"""What a human decides on publication: looked at, held to a database, and committed. That a dump
follows the decisions is ``publishing/``'s work."""
