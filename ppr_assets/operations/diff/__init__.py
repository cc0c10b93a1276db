"""What changed between two dumps: rows of each table, and what the schema is made of.

It is printed by ``cli/dumps``, and two databases are held to each other in ``postgres/compare``.

Tables whose rows have the same SHA-256 are not looked at again. Of the others both sides are read
in the order of their bytes, side by side; what only one of them has is sorted once more by key, so
that a row that changed is not taken for one that came or went. Memory stays bounded: what does not
fit goes to files without a name. Only where organizations, locations or services came and went are
their names and addresses held, to see which are the same under another id.
"""
