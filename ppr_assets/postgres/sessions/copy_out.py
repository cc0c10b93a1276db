"""Rows out of a table by COPY, at the level of libpq.

The server sends each row by itself, and psycopg's own loop costs more for a row than hashing it
does. So the loop here does nothing for a row but keep it. Waiting is done here too, so that other
threads go on meanwhile.
"""

from __future__ import annotations

import select
from collections.abc import Iterator

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGresult

from ppr_assets.postgres.sessions.patience import PatientConnection


def copied_rows(connection: PatientConnection, statement: bytes) -> Iterator[bytes]:
    """Run ``COPY … TO stdout`` and give its rows as they come, many at a time, each row whole.

    Raises psycopg's errors.

    Not taken to its end, the connection is good for nothing but to be closed.
    """
    libpq = connection.pgconn
    libpq.send_query(statement)
    while libpq.flush():
        _wait(connection, select.POLLIN | select.POLLOUT)
        libpq.consume_input()
    begun = _result(connection)
    if begun is not None and begun.status == ExecStatus.COPY_OUT:
        yield from _rows(connection)
        begun = _result(connection)
    while _result(connection) is not None:  # so that a transaction can be rolled back
        pass
    if begun is None or begun.status != ExecStatus.COMMAND_OK:
        raise _error(begun)


def _rows(connection: PatientConnection) -> Iterator[bytes]:
    libpq = connection.pgconn
    next_row = libpq.get_copy_data
    size = 0  # of a row; 0: not here yet; -1: there are no more
    while size >= 0:
        rows: list[bytes | bytearray | memoryview] = []
        size, row = next_row(1)
        while size > 0:
            rows.append(row)
            size, row = next_row(1)
        if rows:  # what was in libpq's buffer, so some kilobytes or one large row
            yield b"".join(rows)
        if size == 0:
            _wait(connection, select.POLLIN)
            libpq.consume_input()


def _result(connection: PatientConnection) -> PGresult | None:
    libpq = connection.pgconn
    while libpq.is_busy():
        _wait(connection, select.POLLIN)
        libpq.consume_input()
    return libpq.get_result()


def _wait(connection: PatientConnection, events: int) -> None:
    poll = select.poll()
    poll.register(connection.pgconn.socket, events)
    if not poll.poll(connection.patience_seconds * 1000):
        raise connection.give_up()


def _error(result: PGresult | None) -> psycopg.Error:
    if result is None:
        return psycopg.OperationalError("the server sent no answer")
    state = result.error_field(DiagnosticField.SQLSTATE) or b""
    words = result.error_field(DiagnosticField.MESSAGE_PRIMARY) or result.error_message
    try:
        kind: type[psycopg.Error] = psycopg.errors.lookup(state.decode())
    except KeyError:
        kind = psycopg.OperationalError
    return kind(words.decode("utf-8", "replace"))
