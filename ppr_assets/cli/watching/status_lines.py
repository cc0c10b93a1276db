"""Where things stand, in lines for a person: the state first, one screen in all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from ppr_assets.alerts.state import State
from ppr_assets.alerts.words import NOBODY
from ppr_assets.cli.shared.looked_at import lost_marks
from ppr_assets.data_repo.history.kept_dumps import SetAside
from ppr_assets.operations.condition import Condition, Look, condition
from ppr_assets.operations.copying.seen import NewestCopy
from ppr_assets.operations.last_night import was_killed
from ppr_assets.operations.published.state import Published
from ppr_assets.operations.status import Room, Status
from ppr_assets.rules.mark import RESET
from ppr_assets.rules.recorded.trust import Trust
from ppr_assets.rules.wording import few, size, span
from ppr_assets.settings import Settings

_SHOWN = 5
_VERDICTS = {"accepted": "would accept", "refused": "would refuse"}


def status_lines(look: Look) -> Iterator[tuple[str, str]]:
    """Label and text of each line; further lines of a text follow a line break."""
    found = look.found
    yield "state", _state(condition(look))
    yield from _of_database(found)
    if found.repository is not None:
        yield from _of_repository(found.repository, look.at)
        words = {True: "yes", False: "no", None: "there is no remote, or it did not answer"}
        yield "pushed", words[found.pushed]
        for number, remark in enumerate(found.repository.view.remarks):
            yield "remark" + " " * number, remark
    yield "last good", _good(look)
    yield "last run", _run(look)
    if found.override is not None:
        yield "override", f"in force: {found.override.reason}"
    if found.next_run is not None:
        yield "next run", _next(look, found.next_run)
    if found.room is not None:
        yield from _of_room(found.room, look.settings)
    if found.copies:
        yield "copies", "\n".join(map(_copy, found.copies))
    if not look.settings.alerts.wanted:
        yield "alerts", NOBODY
    elif found.alerts is not None:
        yield "alerts", _alerts(found.alerts)


def _state(now: Condition) -> str:
    """The reason, and those beside it each on a line."""
    return f"{now.level}: {_some(now.why)}" if now.why else now.level


def _of_database(found: Status) -> Iterator[tuple[str, str]]:
    yield "database", found.database if found.counts else f"{found.database}, not usable now"
    if found.counts is not None:
        yield "records", f"{sum(found.counts.values())} in {len(found.counts)} tables"
        yield "organizations", str(found.counts.get("organization", 0))
    if found.verdict is not None:
        yield "gate", _VERDICTS.get(found.verdict.status, found.verdict.status)
        headroom = (f"{table} {records:+}" for table, records in found.verdict.headroom.items())
        yield "headroom", ", ".join(headroom)


def _of_repository(repository: Published, at: datetime) -> Iterator[tuple[str, str]]:
    manifest, view = repository.manifest, repository.view
    yield "mark", _mark(repository)
    yield "latest", repository.latest or "none yet"
    if manifest is not None:
        if manifest.lacking:
            yield "withheld", few(manifest.lacking, _SHOWN)
        moment = f"{manifest.snapshot_at:%Y-%m-%d %H:%M:%S} UTC"
        age = span(at - manifest.snapshot_at)
        yield "dumped", f"{moment}, {age} ago, {size(manifest.bytes)}"
        if Trust.of(manifest).proven:
            yield "proof", str(manifest.proof)
    if repository.latest is not None and (remarks := Trust.of(manifest).remarks()):
        yield "but", ", ".join(remarks)
    yield "head", view.commit or "no commit yet"
    yield "looked at", view.describe(at)
    if view.local not in (None, view.commit):
        yield "clone", f"behind, at {view.local}: the next run follows"
    if (other := repository.other_files) is not None:
        yield "work tree", f"{other.message}: `{other.command}` brings it back"
    if repository.set_aside:
        several = _some([*map(_set_aside, repository.set_aside)])
        yield "set aside", f"{several}\n`git update-ref -d REF` in the clone lets go of one"


def _good(look: Look) -> str:
    """An unchanged night makes no dump, so the age of the dump is not that of the last night."""
    good, age = look.found.good_at, look.age
    if good is None or age is None:
        return "none is known here"
    told = f"{good:%Y-%m-%d %H:%M} UTC, {span(age)} ago"
    if look.found.nights_known:
        return told
    return f"{told}: the dump's; whether later nights found the same is not known here"


def _run(look: Look) -> str:
    """Of a failure the state has the words."""
    last = look.found.last_night
    if last is None:
        return "none is known here"
    if last.ended_at is None:
        killed = was_killed(look.settings.data_repo, last)
        word = {True: "killed", False: "at work", None: "at work or killed"}[killed]
        return f"began {last.began_at:%Y-%m-%d %H:%M} UTC, {word}"
    seconds = span(last.ended_at - last.began_at)
    told = f"{last.ended_at:%Y-%m-%d %H:%M} UTC, {last.outcome}, in {seconds}"
    if last.outcome == "failed":
        return f"{told}, exit code {last.exit_code}: see the state"
    return f"{told}: {last.error}" if last.error else told


def _next(look: Look, due: datetime) -> str:
    """When it is due, and what is known of whether anything starts it then: who asks for a run,
    daemon or cron, is not asked here, but whether it has."""
    told = f"{due:%Y-%m-%d %H:%M} UTC, by SQL_DUMP_CRON ({look.settings.schedule.cron})"
    last, missed = look.found.last_night, look.missed
    if last is None:
        return f"{told}; whether anything starts it is not known: no run has begun here yet"
    return (
        f"{told}; none has begun since the one of {missed:%Y-%m-%d %H:%M} was due"
        if missed
        else told
    )


def _of_room(room: Room, settings: Settings) -> Iterator[tuple[str, str]]:
    keep = settings.dump.keep
    rules = (f"{'all' if n is None else n} {name}" for name, n in vars(keep).items() if n != 0)
    yield "retention", f"{room.dumps} in the folder; keep {', '.join(rules)}"
    if room.clone_bytes is not None:
        limit = f"{settings.data_repo.warn_gigabytes:g} GB"
        yield "repository", f"{size(room.clone_bytes)} of objects, warned of from {limit} on"
    if room.disk_free_bytes is not None:
        yield "disk", f"{size(room.disk_free_bytes)} free, {room.free_percent:.0f} %"


def _copy(newest: NewestCopy) -> str:
    """As the last run that got there has found it."""
    if newest.dump is None or newest.read_at is None:
        return f"{newest.place}: none yet"
    return f"{newest.place}: {newest.dump}, read back {newest.read_at:%Y-%m-%d %H:%M} UTC"


def _alerts(state: State) -> str:
    """What is open, and the channels that are dead; `ppr-assets alert list` says more."""
    told = [f"{key}, since {one.since:%Y-%m-%d}" for key, one in state.known.incidents.items()]
    told = told or ["nothing is open"]
    for name, channel in state.channels.items():
        if channel.error:
            unsent = f", {len(channel.unsent)} unsent" if channel.unsent else ""
            told.append(f"{name} is dead{unsent}: {channel.error.splitlines()[0]}")
    return "\n".join(told)


def _some(lines: Sequence[str]) -> str:
    return few(lines, _SHOWN, between="\n", rest="\nand {} more")


def _set_aside(one: SetAside) -> str:
    when = f" on {one.moment[:10]}" if one.moment else ""
    return f"{', '.join(one.dumps) or 'dumps'}{when}, kept as {one.ref}: {one.reason}"


def _mark(repository: Published) -> str:
    if repository.mark_error is not None:
        return "not known, see below"
    if repository.mark is None:
        return "none yet"
    lost = f", and its file has lost some: {lost_marks(repository.lost)}" if repository.lost else ""
    by = repository.mark.updated_by
    reset = f", by {by}" if RESET in by else ""
    return f"{repository.mark.organization}{reset}{lost}"
