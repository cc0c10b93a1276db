"""Rebuild a database from published records: read every file, decide what is one record, and bring
the rows into the tables that are there, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile

from psycopg import sql
from psycopg.errors import LockNotAvailable

from ppr_assets.errors import (
    Busy,
    DumpDamaged,
    GateRefused,
    PreconditionFailed,
    RestoreFailed,
    SettingsError,
)
from ppr_assets.operations.replaying.accounts import Accounts, Line
from ppr_assets.operations.replaying.committed_files import blob, bring_files, committed_files
from ppr_assets.operations.replaying.merged import Merged, Merging
from ppr_assets.operations.replaying.published_files import (
    PublishedFile,
    Selection,
    published_file,
    published_files,
)
from ppr_assets.operations.replaying.read_files import Blob, Spool, read_files
from ppr_assets.operations.sources.repository import opened
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.failures import server_failures
from ppr_assets.postgres.sessions.session import Connection
from ppr_assets.postgres.snapshot.records import missing_tables, table_with_records
from ppr_assets.postgres.upsert.columns import read_columns
from ppr_assets.postgres.upsert.staging import Staging
from ppr_assets.rules.policy import CORE_TABLES
from ppr_assets.rules.replay.fitting import Column, Fitted
from ppr_assets.rules.replay.rows import COLUMNS
from ppr_assets.settings import DatabaseSettings, DataRepoSettings

_PATIENCE = "15s"

OnLine = Callable[[Line], None]


def unseen(_: Line) -> None:
    """For whoever needs no line for each file."""


@dataclass(frozen=True)
class ReplayOutcome:
    """``changed``: rows by table that were inserted or brought up to date; empty where nothing was
    loaded. ``no_place`` and ``filled``: what the database's tables had no place for, and which
    columns took a value that nobody told, by name and how often. ``merged``: how many tellings of
    organizations and of locations were counted to another one's."""

    accounts: Accounts
    merged: tuple[int, int]
    changed: Mapping[str, int] = field(default_factory=dict)
    no_place: Mapping[str, int] = field(default_factory=dict)
    filled: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Input:
    """The files to be read, the oldest day first; ``blob`` reads those that are in git, and
    ``origin`` says where they are from."""

    files: Sequence[PublishedFile]
    origin: str
    blob: Blob | None = None


@contextmanager
def opened_input(
    settings: DataRepoSettings, paths: Sequence[Path], wanted: Wanted, selection: Selection
) -> Iterator[Input]:
    """What of the ``paths``, or else of the data repository that is ``wanted``, is to be read.
    Raises :class:`SettingsError` for a path that is not there and where there is nothing to read,
    and what opening a data repository raises."""
    if paths:
        found = [file for path in paths for file in _files(path)]
        yield Input(_chosen(found, selection), ", ".join(f"`{path}`" for path in paths))
        return
    with opened(settings, wanted) as (repo, commit, _, _):
        files = _chosen([*committed_files(repo, commit)], selection)
        bring_files(repo, files)
        yield Input(files, f"commit {commit[:10]}", lambda file: blob(repo, file))


def _files(path: Path) -> Iterable[PublishedFile]:
    if path.is_dir():
        return published_files(path)
    if path.is_symlink() or path.exists():
        return [published_file(path.name, path)]
    raise SettingsError(
        f"`{path}` is not there",
        hint="name a clone of the data repository, a folder or a file of it.",
    )


def _chosen(found: Sequence[PublishedFile], selection: Selection) -> Sequence[PublishedFile]:
    if files := selection.of(found):
        return files
    raise SettingsError(
        f"none of {len(found)} published files is to be replayed",
        hint="look at --since, --until, --scraper and --pattern; published records lie in "
        "daily/YYYY-MM-DD/scrapers/NAME/ of a data repository.",
    )


def replay(
    target: DatabaseSettings,
    given: Input,
    *,
    load: bool = True,
    strict: bool = False,
    on_line: OnLine = unseen,
) -> ReplayOutcome:
    """Read what is given, and load what it tells into ``target``, which has the tables and no
    records. Without ``load`` the server is left alone.

    Raises :class:`PreconditionFailed` for a database without the tables, :class:`GateRefused` for
    one that holds records, :class:`Busy` for one that somebody writes to, :class:`DumpDamaged` for
    a rejected file where ``strict``, and :class:`RestoreFailed` when a file has no outcome; nothing
    is loaded then.
    """
    if load:
        _require_empty(target)
    accounts = Accounts(len(given.files))
    with TemporaryFile(prefix="ppr_assets_replay_") as file:  # which has no name on the disk
        merging = Merging(Spool(file))
        for read, organizations in read_files(given.files, given.blob):
            line = accounts.add(read)
            on_line(line)
            if strict and line.outcome == "rejected":
                raise DumpDamaged(
                    f"{line.file} cannot be used: {line.reason} at {line.json_path or '$'}",
                    hint="nothing was loaded. Without --strict such files are counted and named.",
                )
            for named, organization in zip(read.named, organizations, strict=True):
                merging.add(named, organization)
        if not accounts.accounted:
            raise RestoreFailed(
                f"{accounts.by_outcome.total()} of {accounts.files} files are accounted for",
                hint="nothing was loaded. Do files come and go there meanwhile?",
            )
        merged = merging.merged()
        decided = merged.everything
        counts = len(decided.organizations.decisions), len(decided.locations.decisions)
        if not load:
            return ReplayOutcome(accounts, counts)
        fitted, changed = _load(target, merged)
        return ReplayOutcome(accounts, counts, changed, fitted.no_place, fitted.filled)


def _require_empty(target: DatabaseSettings) -> None:
    with connect(target, autocommit=True) as session:
        if missing := missing_tables(session, CORE_TABLES):
            raise PreconditionFailed(
                f"database {target.dbname} has no table {', '.join(missing)}",
                hint="a replay fills the tables that are there; let the application's migrations "
                "make them, or restore any dump of it and empty it.",
            )
    if holding := table_with_records(target, CORE_TABLES):
        raise _holding(holding, target)


def _require_still_empty(session: Connection, target: DatabaseSettings) -> None:
    """Files take minutes to read; from here on nobody else writes to these tables, and whoever
    reads them is not stopped."""
    session.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(_PATIENCE)))
    for table in CORE_TABLES:
        name = sql.Identifier("public", table)
        try:
            session.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(name))
        except LockNotAvailable as error:
            raise Busy(
                f"busy: table {table} of database {target.dbname} is being written to",
                hint="nothing was changed. Stop what writes there, and run again.",
            ) from error
        if session.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(name)).fetchone() is not None:
            raise _holding(table, target)


def _holding(table: str, target: DatabaseSettings) -> GateRefused:
    return GateRefused(
        f"table {table} of database {target.dbname} has records, a replay needs an empty one",
        hint="nothing was changed. --into NAME takes another database, one with the tables alone.",
    )


def _load(target: DatabaseSettings, merged: Merged) -> tuple[Fitted, Mapping[str, int]]:
    with (
        server_failures(target.describe(), "replaying published records"),
        connect(target) as session,
        session.transaction(),
    ):
        _require_still_empty(session, target)
        # Triggers of the tables may call functions by their bare names, as migrations write them.
        session.execute("SET LOCAL search_path TO public")
        found = read_columns(session, COLUMNS)
        fitted = Fitted.of(found)
        staging = _staging(session, fitted, found)
        for table, values in merged.rows():
            row = fitted.row(table, values)
            if row is not None:
                staging.add(table, row)
        changed = staging.finish()
        fitted.no_place.update(staging.refused)
        return fitted, changed


def _staging(
    session: Connection, fitted: Fitted, found: Mapping[str, Mapping[str, Column]]
) -> Staging:
    columns = {table: list(columns) for table, columns in fitted.tables.items()}
    verified = {table for table in columns if "verified_by" in found[table]}
    return Staging(session, columns, verified)
