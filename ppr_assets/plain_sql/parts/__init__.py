"""A dump in several files, each small enough for a forge, and read again as one."""
