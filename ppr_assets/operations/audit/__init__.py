"""Audit: re-verify what was published, commit by commit, from the data repository alone.

It trusts none of what publishing has checked: rows are counted from the SQL, the gate is judged
again from the mark that stood before, and what stands in several places has to agree.
Nothing is put right here.
"""

from ppr_assets.operations.audit.report import Audited, Gap
from ppr_assets.operations.audit.selection import GAP_HOURS, Scope
from ppr_assets.operations.audit.walk import audit

__all__ = ["GAP_HOURS", "Audited", "Gap", "Scope", "audit"]
