"""For databases that tests make up: what the policy does not know is public.

For tests that are about something else. Those of the policy itself ask for ``strict_policy``.
"""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from ppr_assets.operations.publishing import publication
from ppr_assets.rules.publication.planning import plan
from ppr_assets.rules.publication.policy import WHOLE, Decision, Policy
from ppr_assets.rules.publication.relations import Relation
from ppr_assets.rules.publication.withholding import Plan

_PUBLIC = Decision("public")


def lenient_plan(policy: Policy, relations: Collection[Relation]) -> Plan:
    """As :func:`plan`, with nothing unknown."""
    columns = {one.key: [column.name for column in one.columns] or [WHOLE] for one in relations}
    fingerprint = policy.fingerprint
    while (found := plan(policy, relations)).unknown:
        for one in found.unknown:
            names = columns[one.table] if one.column is None else [one.column]
            policy = policy.with_additions(Policy({one.table: dict.fromkeys(names, _PUBLIC)}))
    return replace(found, policy=fingerprint)


setattr(publication, "plan", lenient_plan)  # noqa: B010
