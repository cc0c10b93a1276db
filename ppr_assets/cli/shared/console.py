"""Two consoles: facts to stdout, progress and remarks to stderr, decoration to terminals only."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from threading import Timer
from time import monotonic
from typing import IO, TYPE_CHECKING, Any

import click
from rich.console import Console

from ppr_assets.cli.shared.narrow import fitted, table_lines, width
from ppr_assets.errors import PprError
from ppr_assets.progress import Stage, current, watched
from ppr_assets.rules.wording import size as size
from ppr_assets.rules.wording import visible
from ppr_assets.settings import runs_in_ci

if TYPE_CHECKING:
    from rich.live import Live

_SETTLED_SECONDS = 2.0
"""Before that nobody knows how fast it goes."""


class _Lines(Console):
    """Lines of text, as :func:`visible` as the words of strangers that are in them may be."""

    def print(self, *objects: Any, **how: Any) -> None:
        super().print(*(visible(one) if isinstance(one, str) else one for one in objects), **how)

    def on_broken_pipe(self) -> None:
        _go_unread(self.file)


class _Facts(_Lines):
    """As they fit the terminal."""

    def print(self, *objects: Any, **how: Any) -> None:
        columns = width()
        fit = (fitted(visible(one), columns) if isinstance(one, str) else one for one in objects)
        super().print(*fit, **how)


# No emoji and no markup: a reason that somebody typed is shown as it was typed.
out = _Facts(highlight=False, soft_wrap=True, emoji=False, markup=False)
err = _Lines(stderr=True, highlight=False, soft_wrap=True, emoji=False, markup=False)


@contextmanager
def perhaps_unread() -> Iterator[None]:
    """Facts that nobody reads any more, as behind ``| head``, are no failure: the verb goes on, and
    its exit code is that of its work. For what writes to stdout without :data:`out`."""
    try:
        yield
    except BrokenPipeError:
        _go_unread(sys.stdout)


def _go_unread(stream: IO[str]) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def print_error(error: PprError) -> None:
    """The text of an expected failure, to stderr whatever was asked to be quiet."""
    click.echo(visible(error.render()), err=True)


def open_closed_streams() -> None:
    """Let what was closed by who has started us lead nowhere, for the programs that we start as
    well: the next file that is opened would take its number, and what a program says would be
    written into that."""
    while (lowest := os.open(os.devnull, os.O_RDWR)) < _STREAMS:
        os.set_inheritable(lowest, True)
    os.close(lowest)
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8")  # noqa: SIM115 - until we end
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8")  # noqa: SIM115


_STREAMS = 3


def escape_what_cannot_be_written() -> None:
    """Write names that are not text, or not in the terminal's encoding, with their bytes escaped.

    ``\\udcfc`` is the byte ``fc``, in JSON as well.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def progress(doing: str, *, quiet_seconds: float = 2.0) -> Iterator[bool]:
    """After ``quiet_seconds``, a moving line on a live terminal: the stage that the work is at, and
    how far, or else what is ``doing``. Nothing anywhere else: in a pipe, a log, a CI job.

    What is given says whether somebody may look on.
    """
    # and not `is_terminal`, which FORCE_COLOR makes true in a log as well
    if not err.file.isatty() or runs_in_ci():
        yield False
        return
    with _on_terminal(err):
        line = _moving_line(doing)
        begins = Timer(quiet_seconds, line.start)
        begins.daemon = True
        begins.start()
        try:
            with watched():
                yield True
        finally:
            begins.cancel()
            begins.join()
            line.stop()


@contextmanager
def _on_terminal(console: Console) -> Iterator[None]:
    """What is printed there goes to the terminal also while Dagster takes the descriptors of this
    process for a step's log."""
    descriptor = os.dup(console.file.fileno())
    with os.fdopen(descriptor, "w", errors="backslashreplace") as screen:
        console.file = screen
        try:
            yield
        finally:
            console.file = None  # type: ignore[assignment]  # what sys.stderr is, at each moment


def _moving_line(doing: str) -> Live:
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.text import Text

    spinner = Spinner("dots")

    def shown() -> Spinner:
        stage = current()
        text = stage_line(stage) if stage else doing
        spinner.text = Text(text, no_wrap=True, overflow="ellipsis")
        return spinner

    # Facts that go into a pipe meanwhile stay there: on a terminal they are printed above the line.
    on_terminal = out.file.isatty()
    return Live(
        get_renderable=shown,
        console=err,
        transient=True,
        redirect_stdout=on_terminal,
        redirect_stderr=False,
    )


def print_lines(lines: Iterable[tuple[str, str]]) -> None:
    """Facts, each with its word before it."""
    for word, text in lines:
        out.print(f"{word:<10} {text}")


def print_columns(rows: Sequence[Sequence[str]], *, numbers: Collection[int] = ()) -> None:
    """Aligned columns, as they fit the terminal; a name is whole in a pipe and on a terminal.

    ``numbers`` are the columns that are aligned to the right. The first row is the heading.
    """
    cells = [[visible(" ".join(cell.splitlines())) for cell in row] for row in rows]
    for line, text in enumerate(table_lines(cells, numbers, width())):
        Console.print(out, text, style=None if line else "dim")


def stage_line(stage: Stage) -> str:
    """``loading rows  53 %  412.0 MiB of 780.3 MiB  21 s left``: how far it is, in one line of at
    most sixty columns or so, what counts first."""
    done, total = stage.done, stage.total
    if total and done >= total and stage.then:
        return stage.then
    parts = [stage.what]
    guess = total is not None and stage.about
    if total and (done < total or (done == total and not guess)):
        parts += [f"{100 * done // total} %", _of(stage, total), _left(stage, total)]
    elif done:
        parts.append(f"{done:,} {stage.unit}" if stage.unit else size(done))
    return "  ".join(filter(None, [*parts, stage.beside]))


def _of(stage: Stage, total: int) -> str:
    about = "about " if stage.about else ""
    if stage.unit:
        return f"{stage.done:,} of {about}{total:,} {stage.unit}"
    return f"{size(stage.done)} of {about}{size(total)}"


def _left(stage: Stage, total: int) -> str:
    """At the speed that it has had so far."""
    gone = monotonic() - stage.began
    if not stage.done or gone < _SETTLED_SECONDS:
        return ""
    seconds = max(1, round(gone / stage.done * (total - stage.done)))
    if seconds < 100:
        return f"{seconds} s left"
    minutes = round(seconds / 60)
    return f"{minutes} min left" if minutes < 100 else f"{round(minutes / 60)} h left"
