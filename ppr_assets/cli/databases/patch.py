"""What ``restore --table`` and ``--record`` do: show a patch, and apply it where that is wanted."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from ppr_assets import __version__
from ppr_assets.cli.dagster.recording import record_patch
from ppr_assets.cli.shared.console import err, perhaps_unread, progress
from ppr_assets.cli.shared.context import bundled, worded
from ppr_assets.cli.shared.heard import heard
from ppr_assets.cli.shared.json_document import print_json
from ppr_assets.cli.shared.looked_at import print_view
from ppr_assets.cli.shared.target_lines import testing_line
from ppr_assets.errors import PreconditionFailed
from ppr_assets.files import write_whole
from ppr_assets.operations.patching.apply import AppliedPatch, apply_patch
from ppr_assets.operations.patching.plan import ChosenRows, PatchPlan, plan_patch
from ppr_assets.operations.restoring.serving.ordinary import require_not_storage, require_ordinary
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import FoundDump, Wanted
from ppr_assets.rules.naming import key_names, table_key
from ppr_assets.rules.patch.changes import RowChange, counts, in_words
from ppr_assets.rules.patch.text import patch_text
from ppr_assets.rules.wording import plural
from ppr_assets.settings import DatabaseSettings, Settings


class RowOptions(Struct, frozen=True):
    """The options that choose rows, and what is to be done with the patch."""

    table: str | None
    where: str | None
    record: tuple[str, str] | None
    delete: bool
    without_triggers: bool
    apply: bool
    out: Path | None
    reason: str | None

    def given(self, *, alone: bool) -> bool:
        """Whether rows are chosen. Raises :class:`click.UsageError` where half is said, or where
        something else than a patch is wanted too (not ``alone``)."""
        if self.table is None and self.record is None:
            if self != NO_ROWS:
                raise click.UsageError("that goes with --table or --record, which choose rows")
            return False
        if self.record and (self.table or self.where):
            raise click.UsageError("--record chooses one row, so no --table and no --where")
        if not alone:
            raise click.UsageError("--table and --record go with --into alone of a restore's")
        return True

    def chosen(self) -> ChosenRows:
        """Raises :class:`click.UsageError` for what is no table's name."""
        table = self.record[0] if self.record else self.table
        assert table is not None
        try:
            key = table_key(*key_names(table))
        except ValueError as error:
            option = "--record" if self.record else "--table"
            raise click.BadParameter(str(error), param_hint=option) from None
        record = self.record[1] if self.record else None
        return ChosenRows(
            key, self.where, record, delete=self.delete, triggers=not self.without_triggers
        )


NO_ROWS = RowOptions(None, None, None, False, False, False, None, None)
"""Where none of these options is given."""

row_options = bundled(
    "rows",
    RowOptions,
    click.option(
        "--table",
        metavar="TABLE",
        help="Not the whole dump: this table's rows and what hangs on them, as a patch in SQL.",
    ),
    click.option("--where", metavar="SQL", help="With --table: only rows that this holds for."),
    click.option(
        "--record",
        nargs=2,
        metavar="TABLE KEY",
        help="The same for the one row with this primary key.",
    ),
    click.option(
        "--delete",
        is_flag=True,
        help="With --table or --record: delete the chosen rows that the dump does not have.",
    ),
    click.option(
        "--without-triggers",
        is_flag=True,
        help="The tables' own triggers do not run, so that each value is the dump's; for their "
        "owner. Other writers wait until it is done.",
    ),
    click.option(
        "--apply",
        is_flag=True,
        help="Apply the patch, in one transaction; the patch that undoes it is written before.",
    ),
    click.option(
        "--out",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Where the patch goes instead of stdout; the undo patch is FILE with .undo.sql.",
    ),
    click.option("--reason", metavar="TEXT", callback=worded, help="Why, for the patch's head."),
)
"""They come to the verb as ``rows``."""


def restore_rows(
    settings: Settings, wanted: Wanted, rows: RowOptions, *, into: str | None, as_json: bool
) -> None:
    """Show the patch, and apply it where that is wanted."""
    chosen = rows.chosen()
    settings.database.require_password()
    target = settings.restore_target(into)
    require_ordinary(target.dbname)
    require_not_storage(target, settings.dagster_postgres_url)
    with found_dump(settings.data_repo, wanted) as found:
        if found.view is not None:
            print_view(found.view)
        with progress(f"comparing with {found.name}"):
            plan = plan_patch(target, found, chosen)
        shown = _Shown(settings, target, found, chosen, rows.reason)
        text = shown.text(plan)
        if rows.out is not None:
            _write(rows.out, text)
        elif not as_json and plan.changes:
            with perhaps_unread():
                click.echo(text, nl=False)
        if settings.testing:
            _print(iter([testing_line(target.dbname)]))
        _print(_lines(shown, plan, rows))
        applied = None
        if rows.apply and plan.changes:
            with heard(settings, "restore"), progress("applying"):
                undo = _undo_file(rows, chosen)
                applied = apply_patch(target, plan, undo, shown.undo(plan))
            _print(_applied_lines(target, applied))
            record_patch(settings, shown.facts(plan, applied))
        if as_json:
            print_json(_json(shown, plan, applied, text))


class _Shown(Struct, frozen=True):
    """What the patch and its undoing say at their head, and what is told of them elsewhere."""

    settings: Settings
    target: DatabaseSettings
    found: FoundDump
    chosen: ChosenRows
    reason: str | None

    def text(self, plan: PatchPlan) -> str:
        heading = [*self._heading(f"brings back {self.chosen}", plan.steps)]
        remarks = [f"remark: {remark}" for remark in plan.remarks]
        return patch_text([*heading, *remarks], plan.steps, plan.frame)

    def undo(self, plan: PatchPlan) -> Callable[[Sequence[RowChange]], str]:
        def text(changes: Sequence[RowChange]) -> str:
            heading = [*self._heading(f"undoes what has brought back {self.chosen}", changes)]
            return patch_text(heading, changes, plan.frame)

        return text

    def _heading(self, what: str, changes: Sequence[RowChange]) -> Iterator[str]:
        yield f"ppr_assets {__version__}: a patch that {what}"
        yield f"dump: {self.found.name}, {self.found.origin}"
        yield f"database: {self.target.describe()}"
        reason = f": {self.reason}" if self.reason else ""
        yield f"made: {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC by {self.settings.operator}{reason}"
        for table, kinds in counts(changes).items():
            yield f"{table}: {in_words(kinds)}"
        yield "apply it with: psql -v ON_ERROR_STOP=1 -f FILE DATABASE"

    def facts(self, plan: PatchPlan, applied: AppliedPatch) -> dict[str, str]:
        """For the event."""
        changed = (f"{key}: {in_words(kinds)}" for key, kinds in counts(plan.changes).items())
        return {
            "database": self.target.dbname,
            "dump": self.found.name,
            "origin": self.found.origin,
            "rows": str(self.chosen),
            "changes": "; ".join(changed),
            "undo": str(applied.undo.absolute()),
            **({"reason": self.reason} if self.reason else {}),
        }


def _undo_file(rows: RowOptions, chosen: ChosenRows) -> Path:
    if rows.out is not None:
        return rows.out.with_name(f"{rows.out.name.removesuffix('.sql')}.undo.sql")
    name = "".join(one if one.isalnum() else "_" for one in chosen.table)
    return Path(f"{name}_{datetime.now(UTC):%Y-%m-%d_%H-%M-%S}.undo.sql")


def _write(path: Path, text: str) -> None:
    """For nobody else's eyes: it holds rows of the living database."""
    try:
        write_whole(path, text, beside=path.with_name(f"{path.name}.part"), mode=0o600)
    except OSError as error:
        raise PreconditionFailed(
            f"the patch `{path}` cannot be written: {error.strerror}; nothing was changed",
            hint="name a file in a folder that you may write to, with --out.",
        ) from error


def _print(lines: Iterator[tuple[str, str]]) -> None:
    """To stderr: the patch is on stdout."""
    for word, text in lines:
        err.print(f"{word:<10} {text}")


def _lines(shown: _Shown, plan: PatchPlan, rows: RowOptions) -> Iterator[tuple[str, str]]:
    yield "dump", f"{shown.found.name}, {shown.found.origin}"
    yield "rows", str(shown.chosen)
    yield "database", shown.target.describe()
    for table, kinds in counts(plan.changes).items():
        yield "patch", f"{table}: {in_words(kinds)}"
    for table, count in plan.lacking.items():
        yield "lacking", f"{count} rows of {table} are not in the dump and stay (see --delete)"
    for remark in (*shown.found.remarks, *plan.remarks):
        yield "remark", remark
    if not plan.changes:
        yield "unchanged", "the database has these rows as the dump has them"
    elif not rows.apply:
        file = rows.out or "the patch"
        yield "next", f"nothing was changed; the same with --apply, or psql, applies {file}"


def _applied_lines(target: DatabaseSettings, applied: AppliedPatch) -> Iterator[tuple[str, str]]:
    yield "applied", f"to {target.describe()}, in one transaction"
    if applied.otherwise:
        rows = plural(applied.otherwise, "row")
        yield "remark", f"a trigger has made {rows} otherwise than in the dump"
    where = ("-h", target.host, "-p", str(target.port), "-U", target.user, "-d", target.dbname)
    yield "go back", shlex.join(["psql", "-v", "ON_ERROR_STOP=1", *where, "-f", str(applied.undo)])


def _json(
    shown: _Shown, plan: PatchPlan, applied: AppliedPatch | None, text: str
) -> dict[str, Any]:
    return {
        "dump": shown.found.name,
        "origin": shown.found.origin,
        "commit": shown.found.commit,
        "database": shown.target.dbname,
        "rows": str(shown.chosen),
        "changes": counts(plan.changes),
        "lacking": dict(plan.lacking),
        "remarks": [*shown.found.remarks, *plan.remarks],
        "patch": text,
        "applied": applied is not None,
        "undo": str(applied.undo.absolute()) if applied else None,
        "otherwise": applied.otherwise if applied else 0,
        "reason": shown.reason,
        "error": None,
    }
