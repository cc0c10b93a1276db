"""What the tasks of a parallel load do in their sessions."""

from __future__ import annotations

from collections.abc import Sequence

from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile
from ppr_assets.plain_sql.parsing.layout import CopyBlock
from ppr_assets.plain_sql.parsing.sections import Step
from ppr_assets.postgres.load.work.scheduler import Work
from ppr_assets.postgres.load.work.statements import run_step
from ppr_assets.postgres.load.work.statistics import analyze
from ppr_assets.postgres.sessions.session import LoadingSession
from ppr_assets.progress import counted


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


def run_steps(steps: Sequence[Step], file: DumpFile) -> Work:
    def work(session: LoadingSession) -> None:
        for step in steps:
            run_step(session, file, step)

    return work


def analyze_table(name: bytes, key: str) -> Work:
    def work(session: LoadingSession) -> None:
        with session.as_dumped():  # of an index on an expression, it calls the functions
            session.execute(b"ANALYZE " + name, f"statistics of {key}")

    return work


def analyze_made(session: LoadingSession) -> None:
    """Partitioned tables and materialized views, all of them."""
    with session.as_dumped():
        analyze(session.connection, "pm")
