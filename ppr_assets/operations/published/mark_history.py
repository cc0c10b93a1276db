"""What the mark was at each commit, of whatever scripts: nothing but a recorded reset lowers it.

Upstream's own script writes the ratchet file anew with its three keys, and the marks of the other
tables are gone from it; a merge may take the poorer of two files. So a mark that the file lacks is
the highest that its history tells since the last reset. One that the file has holds as it stands
up to the first commit of ours, since what the scripts before us did to it is theirs to know; from
then on the highest holds here too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from ppr_assets.data_repo.history.commits import ancestors
from ppr_assets.rules.mark import Mark
from ppr_assets.rules.policy import FLOOR_TABLE


class MarkVersion(Struct, frozen=True):
    """A commit that changed the ratchet file. ``mark`` is what it left there, None where that is
    no mark; ``ours``: it published a dump or set the mark on purpose (``reset``)."""

    commit: str
    parents: tuple[str, ...]
    mark: Mark | None
    ours: bool
    reset: bool


class ToldMark(Struct, frozen=True):
    """A count that once was the mark of a table, and what tells so."""

    count: int
    by: str


Marks = Mapping[str, ToldMark]
"""By table, organizations among them."""


class PastMarks(Struct, frozen=True):
    """What the history up to a commit tells. ``ever``: the highest of all since the last reset;
    ``ours``: of those, since the first commit of ours (``taken_over``). ``resets`` are those that
    it contains; ``to_start``: no reset cuts off what lies before it."""

    ever: Marks = field(default_factory=dict)
    ours: Marks = field(default_factory=dict)
    resets: frozenset[str] = frozenset()
    taken_over: bool = False
    to_start: bool = True


class StandingMark(Struct, frozen=True):
    """The mark that counts. ``lost``: the tables whose mark is lower in the file, or not in it."""

    mark: Mark
    lost: Marks


class MarkHistory:
    """The pasts of commits; ``versions`` with parents before children, and parents that are no
    versions themselves are passed over."""

    def __init__(self, versions: Iterable[MarkVersion]) -> None:
        self._versions: dict[str, MarkVersion] = {}
        self._pasts: dict[str, PastMarks] = {}
        for version in versions:
            self._versions[version.commit] = version
            self._pasts[version.commit] = _with(self.before(version.parents), version)

    def after(self, commit: str) -> PastMarks:
        return self._pasts.get(commit, PastMarks())

    def before(self, parents: Collection[str]) -> PastMarks:
        """The past of a commit that stands on these."""
        pasts = [self._pasts[parent] for parent in parents if parent in self._pasts]
        resets = frozenset().union(*(past.resets for past in pasts))
        if all(past.resets == resets for past in pasts):
            return _union(pasts)
        # A branch from before a reset comes back: of it counts only what the reset did not know.
        line = {commit: version.parents for commit, version in self._versions.items()}
        seen = ancestors(parents, line)
        forgotten = ancestors([parent for reset in resets for parent in line[reset]], line)
        past = PastMarks(resets=resets, to_start=any(past.to_start for past in pasts))
        for commit, version in self._versions.items():
            if commit in seen and commit not in forgotten:
                past = _raised(past, version, ours=self._pasts[commit].taken_over)
        return replace(past, taken_over=True)


def standing(written: Mark | None, past: PastMarks, manifest: Marks) -> StandingMark | None:
    """The mark where the file says ``written`` (None: it is not there), and ``manifest`` is told
    beside it. None where nobody tells any."""
    had = _marks(written, "") if written else {}
    higher = _higher(past.ours, manifest)
    for table, told in past.ever.items():
        if table not in had:
            higher = _higher(higher, {table: told})
    lost = {
        table: told
        for table, told in higher.items()
        if table not in had or told.count > had[table].count
    }
    if written is None and not lost:
        return None
    counts = {table: told.count for table, told in _higher(had, lost).items()}
    organization = counts.pop(FLOOR_TABLE, 0)
    if written is not None and not lost:
        return StandingMark(written, {})
    whole = replace(written or Mark(0), organization=organization, tables=counts)
    return StandingMark(whole, lost)


def told_by(mark: Mark, by: str) -> Marks:
    """The marks of ``mark``, by table."""
    return _marks(mark, by)


def _with(before: PastMarks, version: MarkVersion) -> PastMarks:
    if version.reset:
        start = PastMarks(resets=before.resets | {version.commit}, taken_over=True, to_start=False)
        return _raised(start, version, ours=True)
    return _raised(before, version, ours=before.taken_over or version.ours)


def _raised(past: PastMarks, version: MarkVersion, *, ours: bool) -> PastMarks:
    marks = _marks(version.mark, f"commit {version.commit[:10]}") if version.mark else {}
    return replace(
        past,
        ever=_higher(past.ever, marks),
        ours=_higher(past.ours, marks) if ours else past.ours,
        taken_over=ours,
    )


def _union(pasts: Collection[PastMarks]) -> PastMarks:
    ever: Marks = {}
    ours: Marks = {}
    for past in pasts:
        ever, ours = _higher(ever, past.ever), _higher(ours, past.ours)
    return PastMarks(
        ever,
        ours,
        resets=frozenset().union(*(past.resets for past in pasts)),
        taken_over=any(past.taken_over for past in pasts),
        to_start=any(past.to_start for past in pasts) or not pasts,
    )


def _marks(mark: Mark, by: str) -> Marks:
    counts = {FLOOR_TABLE: mark.organization, **mark.tables}
    return {table: ToldMark(count, by) for table, count in counts.items()}


def _higher(one: Marks, other: Marks) -> Marks:
    """The higher of two, table by table."""
    raised = {
        table: told
        for table, told in other.items()
        if table not in one or told.count > one[table].count
    }
    return {**one, **raised}
