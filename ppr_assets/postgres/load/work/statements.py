"""The statements and the rows of a dump, sent as they stand in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile
from ppr_assets.plain_sql.parsing.layout import CopyBlock
from ppr_assets.plain_sql.parsing.scanner import SqlScanner
from ppr_assets.plain_sql.parsing.sections import Step
from ppr_assets.postgres.load.work.scheduler import Work
from ppr_assets.postgres.sessions.session import LoadingSession
from ppr_assets.progress import counted

_STREAMED = 1024 * 1024
"""Bytes of statements about large objects in one round trip."""

_TRANSACTION = re.compile(rb"^(?:BEGIN|COMMIT);$", re.MULTILINE)


def run_step(
    session: LoadingSession, file: DumpFile, step: Step, *, in_transaction: bool = False
) -> None:
    """Run one entry's statements. Raises :class:`RestoreFailed` naming it.

    ``in_transaction`` leaves out the transactions that pg_dump puts around large objects.
    """
    session.stand_under(step.settings, step.what)
    size = _STREAMED if step.streamed else max(1, step.end - step.start)
    with session.as_dumped():
        for start, end in file.pieces(step.start, step.end, size):
            text = file.read(start, end)
            if step.streamed and in_transaction:
                text = _TRANSACTION.sub(b"", text)
            session.execute(text, step.what)


def run_steps(steps: Sequence[Step], file: DumpFile) -> Work:
    def work(session: LoadingSession) -> None:
        for step in steps:
            run_step(session, file, step)

    return work


def copy_piece(file: DumpFile, block: CopyBlock, start: int, end: int) -> Work:
    def work(session: LoadingSession) -> None:
        session.copy_in(block.statement, counted(file.chunks(start, end)), f"rows of {block.key}")

    return work


def copy_whole(file: DumpFile, block: CopyBlock, table: bytes) -> Work:
    statement = block.statement.removesuffix(b";\n") + b" WITH (FREEZE)"

    def work(session: LoadingSession) -> None:
        what = f"rows of {block.key}"
        session.execute(b"BEGIN; TRUNCATE ONLY " + table, what)
        session.copy_in(statement, counted(file.chunks(block.start, block.end)), what)
        session.execute(b"COMMIT", what)

    return work


def split(text: bytes) -> Iterator[bytes]:
    """The single statements of a text in which each begins on a line of its own.

    Not for function bodies that are SQL themselves: they hold statements, too.
    """
    scanner = SqlScanner()
    lines: list[bytes] = []
    for line in re.findall(rb"[^\n]*\n|[^\n]+\Z", text):
        if not lines and (line.startswith(b"--") or not line.strip()):
            continue
        scanner.feed(line)
        lines.append(line)
        if scanner.top_level and line.rstrip().endswith(b";"):
            yield b"".join(lines)
            lines = []
    if lines:
        yield b"".join(lines)
