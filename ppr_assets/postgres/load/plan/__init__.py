"""The tasks of a parallel load, in dependence of each other.

The largest tables come first. A table that is more than one session's share of all rows comes in
pieces, over several; any other one over one session, in the transaction that empties it: its rows
are then frozen, so nobody has to write to their pages again, and lie in the order of the dump.

When all of a table's rows are in, its constraints and indexes may be made, and when those of two
tables are there, foreign keys between them. What is not known to be safe that way keeps its place
in the dump's order: it is run by one session when those are done. Statistics, reading back and
looking at the objects fill whatever time the sessions have left.
"""

from ppr_assets.postgres.load.plan.order import Wishes, plan

__all__ = ["Wishes", "plan"]
