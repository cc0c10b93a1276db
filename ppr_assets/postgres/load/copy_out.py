"""Rows out of a table by COPY, at the level of libpq.

The server sends each row by itself, and psycopg's own loop costs as much for a row as sorting and
hashing it. Waiting is done here, so that other threads go on meanwhile.
"""

from __future__ import annotations

import select
from collections.abc import Iterator

import psycopg
from psycopg.pq import DiagnosticField, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

_CHUNK = 1024 * 1024
"""Bytes of rows that are handed on at once."""


def copied_rows(connection: psycopg.Connection[object], statement: bytes) -> Iterator[bytes]:
    """Run ``COPY … TO stdout`` and give its rows in chunks. Raises psycopg's errors.

    Not taken to its end, the connection is good for nothing but to be closed.
    """
    libpq = connection.pgconn
    libpq.send_query(statement)
    while libpq.flush():
        _wait(libpq, select.POLLIN | select.POLLOUT)
        libpq.consume_input()
    begun = _result(libpq)
    if begun is not None and begun.status == ExecStatus.COPY_OUT:
        yield from _rows(libpq)
        begun = _result(libpq)
    if begun is None or begun.status != ExecStatus.COMMAND_OK:
        raise _error(begun)
    while _result(libpq) is not None:
        pass


def _rows(libpq: PGconn) -> Iterator[bytes]:
    rows: list[bytes | bytearray | memoryview] = []
    held = 0
    while True:
        size, row = libpq.get_copy_data(1)
        if size > 0:
            rows.append(row)
            held += size
            if held > _CHUNK:
                yield b"".join(rows)
                rows, held = [], 0
        elif size == 0:  # not here yet
            _wait(libpq, select.POLLIN)
            libpq.consume_input()
        else:
            yield b"".join(rows)
            return


def _result(libpq: PGconn) -> PGresult | None:
    while libpq.is_busy():
        _wait(libpq, select.POLLIN)
        libpq.consume_input()
    return libpq.get_result()


def _wait(libpq: PGconn, events: int) -> None:
    poll = select.poll()
    poll.register(libpq.socket, events)
    poll.poll()


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
