"""Every kind that is searched for."""

from __future__ import annotations

from ppr_assets.rules.finds.keys import KEYS
from ppr_assets.rules.finds.kind import FindKind
from ppr_assets.rules.finds.passwords import PASSWORDS
from ppr_assets.rules.finds.persons import PERSONS

KINDS: tuple[FindKind, ...] = (*KEYS, *PASSWORDS, *PERSONS)
