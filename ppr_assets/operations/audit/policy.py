"""Hold what published dumps hold to the policy in force today, and to the one in force then."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from ppr_assets.data_repo.git.object_reader import ObjectMissing, ObjectReader
from ppr_assets.data_repo.history.dump_folder import DumpFolder, StoredDump
from ppr_assets.errors import DumpDamaged, PolicyUnreadable
from ppr_assets.operations.published.committed import dump_bytes, unpacked
from ppr_assets.plain_sql.disallowed import Disallowed, disallowed
from ppr_assets.rules.publication.policy import Policy, shipped_policy
from ppr_assets.rules.wording import few

_TODAY = "the policy of today"
_THEN = "the policy of then"
_SHOWN = 10
NOT_ALLOWED = "would not allow"
"""In each finding of this module: what was published may have been private."""


class PolicyAudit:
    """``added``: what is added today to what is shipped, which is that of this version then as
    well: nobody recorded what another one shipped."""

    def __init__(self, reader: ObjectReader, added: Policy) -> None:
        self._reader = reader
        self._today = shipped_policy().with_additions(added)
        self._known: dict[tuple[StoredDump, str], tuple[list[str], list[str]]] = {}

    def of(self, name: str, stored: StoredDump, then: DumpFolder) -> tuple[list[str], list[str]]:
        """Findings and notes of the dump ``name`` that came with ``then``; each bytes once."""
        policies = {_TODAY: self._today}
        notes = []
        try:
            policies[_THEN] = shipped_policy().with_additions(then.additions or Policy())
        except PolicyUnreadable as error:
            notes.append(error.message)
        key = stored, "".join(sorted(one.fingerprint for one in policies.values()))
        if key not in self._known:
            self._known[key] = self._judged(name, stored, policies)
        findings, more = self._known[key]
        return findings, [*notes, *more]

    def _judged(
        self, name: str, stored: StoredDump, policies: dict[str, Policy]
    ) -> tuple[list[str], list[str]]:
        try:
            chunks: Iterable[bytes] = dump_bytes(self._reader, stored)
            if name.endswith(".gz"):
                chunks = unpacked(chunks)
            found = disallowed(chunks, policies)
        except (DumpDamaged, zlib.error) as error:
            return [f"nobody can tell whether a policy allows it: {error}"], []
        except ObjectMissing:
            return [], ["its bytes are not in this clone, so it was held to no policy"]
        same = found.get(_THEN) == found[_TODAY]
        by = f"{_TODAY} and {_THEN}" if same else _TODAY
        findings = [_said(by, found[_TODAY])]
        if not same:
            findings.append(_said(_THEN, found.get(_THEN, [])))
        return [one for one in findings if one], []


def _said(policy: str, found: list[Disallowed]) -> str:
    if not found:
        return ""
    return f"it holds what {policy} {NOT_ALLOWED}: {few([*map(str, found)], _SHOWN)}"
