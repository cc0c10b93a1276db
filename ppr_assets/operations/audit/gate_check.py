"""Judge the gate once more, as it was then, and see whether the mark rose as it should."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from msgspec.structs import replace

from ppr_assets.rules.gate.ratchet import Verdict, judge, raised_mark
from ppr_assets.rules.json_fields import FieldError, JsonFields
from ppr_assets.rules.mark import Mark
from ppr_assets.rules.policy import CORE_TABLES, GatePolicy
from ppr_assets.rules.profile.guard import hollow_tables, judge_profile
from ppr_assets.rules.profile.movements import EarlierNight
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.wording import few

_LONGEST = 80


def rejudged(
    manifest: Manifest,
    rows: Mapping[str, int],
    before: Mark | None,
    lost: Collection[str] = (),
    nights: Sequence[EarlierNight] = (),
) -> Verdict | str:
    """The verdict on ``rows`` against the mark that stood before, with the floor, percentage and
    tables that the manifest records; or why it cannot be given. Of tables whose mark was ``lost``
    nobody was asked, and nothing is recorded; the core ones are always held to it. The profile is
    held to the limits that the manifest records and to the ``nights`` before; one from before there
    were limits is held to none."""
    try:
        recorded = JsonFields(dict(manifest.verdict), "verdict")
        policy = GatePolicy(
            min_records=recorded.number("min_records"),
            percentage=Decimal(recorded.text("ratchet_percentage")),
            tables=[
                *recorded.nested("headroom").plain(),
                *(table for table in CORE_TABLES if table in lost),
            ],
        )
        limits = _limits(recorded, policy)
    except (FieldError, ValueError) as error:
        return f"the gate cannot be judged again: {error}"
    except InvalidOperation:
        return "the gate cannot be judged again: a share in its verdict is not a number"
    verdict = judge(rows, before, policy, manifest.override)
    if limits is None:
        return verdict
    withheld = {one.name for one in manifest.withheld}
    found = [
        *hollow_tables(rows, before, limits),
        *judge_profile(manifest.profile, nights, limits, withheld),
    ]
    return verdict.joined(found, manifest.override)


def _limits(recorded: JsonFields, policy: GatePolicy) -> GatePolicy | None:
    """None in manifests from before there were any."""
    there = recorded.plain()
    if "max_point_share" not in there:
        return None
    tables = there.get("ratchet_tables")
    if tables is not None and not isinstance(tables, list):
        raise FieldError(f"verdict.ratchet_tables is {tables!r:.60}, must be a list of names")
    return replace(
        policy,
        tables=tables,
        core_share=Decimal(recorded.text("min_core_share")),
        point_share=Decimal(recorded.text("max_point_share")),
    )


def wrong_verdict(manifest: Manifest, verdict: Verdict) -> Iterator[str]:
    """What the manifest's verdict says otherwise, and a refused dump that is published."""
    recorded, right = manifest.verdict, verdict.to_json()
    if verdict.status == "refused":
        yield f"published although {verdict.message}"
    elif recorded.get("status") != verdict.status:
        yield f"its verdict is `{recorded.get('status')}`, judged again `{verdict.status}`"
    for key in ("mark", "marks", "headroom", "findings"):
        if recorded.get(key) != right[key]:
            yield _differs(key, recorded.get(key), right[key])


def wrong_rise(before: Mark | None, after: Mark | None, verdict: Verdict) -> str | None:
    """What is wrong with the mark after a dump: it rises to what an accepted dump holds, and an
    overridden one leaves it alone."""
    right = raised_mark(before, verdict, at=datetime.now(UTC), by="") or Mark(0)
    if after is None:
        return "no ratchet file is beside it"
    if (after.organization, dict(after.tables)) == (right.organization, dict(right.tables)):
        return None
    return "the mark after it is wrong: " + _changes(right, after, "needed")


def sunk(before: Mark, after: Mark) -> str | None:
    """Where ``after`` is below ``before``; None where it is nowhere. A table's mark that is gone
    sank too, but where the file no longer has any: that is how the old scripts write it."""
    tables = {
        table: rows
        for table, rows in before.tables.items()
        if after.tables and after.tables.get(table, 0) < rows
    }
    now = {table: after.tables.get(table, 0) for table in tables}
    lower = after.organization < before.organization
    if not lower and not tables:
        return None
    organization = before.organization if lower else after.organization
    fallen = Mark(after.organization, now)
    return _changes(Mark(organization, tables), fallen, "before")


def vanished(before: Mark, after: Mark) -> str | None:
    """The tables whose marks ``after`` no longer has, because it has none of any table."""
    if after.tables or not before.tables:
        return None
    return _listed(f"{table} {rows}" for table, rows in sorted(before.tables.items()))


def _changes(one: Mark, other: Mark, word: str) -> str:
    """``organization 150, 200 before; …`` of the tables that differ."""
    tables = ["organization", *sorted(one.tables.keys() | other.tables.keys())]
    differ = [
        f"{table} {other.of(table) or 0}, {one.of(table) or 0} {word}"
        for table in tables
        if (one.of(table) or 0) != (other.of(table) or 0)
    ]
    return _listed(differ)


def _listed(some: Iterable[str]) -> str:
    return few([*some], 3, between="; ", rest="; {} more tables")


def _differs(key: str, have: object, need: object) -> str:
    if key == "mark":
        return f"it was judged against mark {have}, the mark before it was {need}"
    if isinstance(have, Mapping) and isinstance(need, Mapping):
        names = sorted(name for name in have.keys() | need if have.get(name) != need.get(name))
        have, need = ({name: side.get(name) for name in names[:2]} for side in (have, need))
    return f"its verdict has {have!s:.{_LONGEST}} as {key}, judged again {need!s:.{_LONGEST}}"
