"""A published record as a file: its bytes, the JSON in its result, and the shapes in which it tells
of organizations. One file becomes one outcome; no database, no git, and no decision about what two
files have in common (that is ``rules/replay``)."""
