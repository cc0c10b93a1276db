"""What changed between two dumps: rows of each table, and what the schema is made of.

Tables whose rows have the same SHA-256 are not looked at again. Of the others both sides are read
in the order of their bytes, side by side; what only one of them has is sorted once more by key, so
that a row that changed is not taken for one that came or went. Memory stays bounded: what does not
fit goes to files without a name.
"""

from ppr_assets.operations.diff.compare import diff
from ppr_assets.operations.diff.records import DumpDiff, Example, SchemaDiff, TableDiff
from ppr_assets.operations.diff.two_dumps import two_dumps

__all__ = ["DumpDiff", "Example", "SchemaDiff", "TableDiff", "diff", "two_dumps"]
