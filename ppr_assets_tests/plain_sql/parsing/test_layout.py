"""What a dump holds and where, read from what pg_dump really writes."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.canonical import canonicalize
from ppr_assets.plain_sql.parsing.layout import Layout, read_layout
from ppr_assets.plain_sql.parsing.sorted_rows import SortedRows
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_debian import DebianServer
from ppr_assets_tests.fix_postgres import SampleDatabase

EmptyDatabase = Callable[[], DatabaseSettings]
OURS = ("--no-owner", "--no-privileges", "--if-exists", "--clean")

FORGED = "--\n-- Name: forged; Type: TABLE; Schema: public; Owner: -\n--\n"
LOOKS_LIKE_A_DUMP = (
    f"{FORGED}COPY public.forged (a) FROM stdin;\n1\n\\.\n-- PostgreSQL database dump"
)
ODD = f"""
CREATE SCHEMA "Odd.S";
CREATE TABLE "Odd.S"."we;ird
name" ("a, b" int, "x
y" text);
INSERT INTO "Odd.S"."we;ird
name" VALUES (2, '\\.'), (1, E'x\\ny');
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE noted (a text DEFAULT '{LOOKS_LIKE_A_DUMP}');
INSERT INTO noted VALUES ('{LOOKS_LIKE_A_DUMP}');
COMMENT ON TABLE noted IS '{LOOKS_LIKE_A_DUMP}';
CREATE FUNCTION looks() RETURNS text LANGUAGE sql AS $x$ SELECT '
{LOOKS_LIKE_A_DUMP}' $x$;
CREATE FUNCTION whole() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;
CREATE TABLE parted (id int) PARTITION BY RANGE (id);
CREATE TABLE part_one (id int);
ALTER TABLE parted ATTACH PARTITION part_one FOR VALUES FROM (0) TO (10);
CREATE TABLE parent (a int);
CREATE TABLE child (b int) INHERITS (parent);
CREATE MATERIALIZED VIEW seen AS SELECT a FROM parent;
CREATE RULE quiet AS ON DELETE TO parent DO ALSO (SELECT 1; SELECT 2);
CREATE EXTENSION pg_trgm;
SELECT lo_from_bytea(4711, '\\x00ff');
COMMENT ON LARGE OBJECT 4711 IS '{FORGED}';
"""

HEAD = b"--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n\n"
TAIL = b"--\n-- PostgreSQL database dump complete\n--\n\n"
TABLE = (
    b"--\n-- Name: t; Type: TABLE; Schema: public; Owner: -\n--\n\n"
    b"CREATE TABLE public.t (a int);\n\n"
)
DATA = b"--\n-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: -\n--\n\n"
ROWS = b"COPY public.t (a, b) FROM stdin;\n2\tx\n1\ty\n\\.\n\n\n"


def _pg_dump(settings: DatabaseSettings, *options: str, folder: Path = EMBEDDED_BIN) -> bytes:
    return _run(folder / "pg_dump", settings, *options)


def _psql(settings: DatabaseSettings, script: bytes) -> None:
    _run(EMBEDDED_BIN / "psql", settings, "-X", "-q", "-v", "ON_ERROR_STOP=1", script=script)


def _run(tool: Path, settings: DatabaseSettings, *options: str, script: bytes = b"") -> bytes:
    environment = client_environment(settings) | {"PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [tool, *options], input=script, env=environment, check=True, capture_output=True
    ).stdout


def _layout(dump: bytes, *, chunk: int = 5000, sorted_rows: bool = False) -> Layout:
    return read_layout(_chunks(dump, chunk), sorted_rows=sorted_rows, spill_folder=Path())


def _chunks(dump: bytes, size: int) -> Iterator[bytes]:
    yield from (dump[i : i + size] for i in range(0, len(dump), size))


def _canonical(dump: bytes) -> bytes:
    target = io.BytesIO()
    canonicalize([dump], target, spill_folder=Path())
    return target.getvalue()


def _texts(dump: bytes, layout: Layout, kind: str) -> list[bytes]:
    return [dump[e.start : e.end] for e in layout.entries if e.kind == kind]


@pytest.fixture
def odd_database(empty_database: EmptyDatabase) -> DatabaseSettings:
    database = empty_database()
    _psql(database, ODD.encode())
    return database


def test_every_statement_of_a_dump_belongs_to_an_entry(sample_database: SampleDatabase) -> None:
    dump = _pg_dump(sample_database(60), *OURS)
    layout = _layout(dump)
    assert layout.unrecognised == ""
    assert layout.server_version == layout.pg_dump_version == "18.6"
    assert layout.encoding == "UTF8"
    assert layout.restrict_key is not None
    assert layout.restrict_key.encode() in dump
    assert dump[slice(*layout.header)].startswith(b"SET statement_timeout = 0;\n")
    assert dump[slice(*layout.header)].endswith(b"SET row_security = off;\n")
    prologue = dump[slice(*layout.prologue)]
    assert prologue.startswith(b"ALTER TABLE IF EXISTS ONLY ")
    assert b"CREATE" not in prologue
    assert prologue.count(b"DROP ") == dump.count(b"IF EXISTS ") - dump.count(b"TABLE IF EXISTS O")


def test_an_entry_is_its_sql_and_nothing_else(sample_database: SampleDatabase) -> None:
    dump = _pg_dump(sample_database(60), *OURS)
    layout = _layout(dump)
    for entry in layout.entries:
        text = dump[entry.start : entry.end]
        assert text.endswith((b";\n", b"\\.\n")), entry
        assert b"\n--" not in text, entry
        assert b"SET default_tablespace" not in text, entry
    assert all(text.startswith(b"CREATE TABLE ") for text in _texts(dump, layout, "TABLE"))
    assert all(b" FOREIGN KEY " in text for text in _texts(dump, layout, "FK CONSTRAINT"))
    indexes = re.findall(rb"\nCREATE (?:UNIQUE )?INDEX ", dump)
    assert len(_texts(dump, layout, "INDEX")) == len(indexes) > 20


def test_the_rows_of_a_table_are_where_its_block_says(sample_database: SampleDatabase) -> None:
    database = sample_database(60)
    dump = _pg_dump(database, *OURS)
    entries = [entry for entry in _layout(dump).entries if entry.kind == "TABLE DATA"]
    with connect(database) as session:
        for entry in entries:
            assert entry.copy is not None
            rows = dump[entry.copy.start : entry.copy.end]
            assert dump[entry.start : entry.end] == (entry.copy.statement + rows + b"\\.\n")
            found = session.execute(f"SELECT count(*) FROM {entry.copy.key}".encode()).fetchone()
            assert found == (entry.copy.rows,) == (rows.count(b"\n"),)


def test_the_tables_are_those_of_the_canonical_filter(sample_database: SampleDatabase) -> None:
    dump = _pg_dump(sample_database(60), *OURS)
    filtered = io.BytesIO()
    expected = canonicalize([dump], filtered, spill_folder=Path()).tables
    assert _layout(dump).tables == expected
    assert _layout(filtered.getvalue(), sorted_rows=True).tables == expected


def test_the_parts_of_a_dump_make_the_database_again(
    odd_database: DatabaseSettings, empty_database: EmptyDatabase
) -> None:
    dump = _pg_dump(odd_database, *OURS)
    layout = _layout(dump)
    parts = [layout.header, *((entry.start, entry.end) for entry in layout.entries)]
    restored = empty_database()
    _psql(restored, b"\n".join(dump[start:end] for start, end in parts))
    assert _canonical(_pg_dump(restored, *OURS)) == _canonical(dump)


def test_what_looks_like_an_entry_inside_of_one_is_none(odd_database: DatabaseSettings) -> None:
    layout = _layout(_pg_dump(odd_database, *OURS))
    assert layout.unrecognised == ""
    assert not [entry for entry in layout.entries if entry.name == "forged"]
    assert layout.tables["noted"].rows == 1
    assert layout.tables['"Odd.S"."we;ird\nname"'].rows == 2
    assert layout.tables["no_columns"].rows == 2
    assert layout.extensions == ("pg_trgm",)
    kinds = {entry.kind for entry in layout.entries}
    assert kinds >= {"BLOBS", "TABLE ATTACH", "RULE", "MATERIALIZED VIEW DATA", "COMMENT", "SCHEMA"}
    odd = next(entry for entry in layout.entries if entry.schema == "Odd.S")
    assert (odd.kind, odd.name) == ("TABLE", "we;ird name")


@pytest.mark.parametrize(
    "options",
    [[], ["--verbose", *OURS], ["--inserts"], ["--schema-only"], ["--data-only"], ["--statistics"]],
    ids=" ".join,
)
def test_whatever_pg_dump_is_asked_for_is_recognised_whole(
    odd_database: DatabaseSettings, options: list[str]
) -> None:
    assert _layout(_pg_dump(odd_database, *options)).unrecognised == ""


def test_statistics_are_entries_of_their_own(sample_database: SampleDatabase) -> None:
    database = sample_database(60)
    _psql(database, b"ANALYZE")
    dump = _pg_dump(database, "--statistics")
    texts = _texts(dump, _layout(dump), "STATISTICS DATA")
    assert len(texts) > 20
    assert all(text.startswith(b"SELECT * FROM pg_catalog.pg_restore_") for text in texts)


def test_a_dump_of_upstreams_script_is_recognised_whole(debian_server: DebianServer) -> None:
    """Debian's server and tools, and the options of ``create-sql-dump.sh``."""
    database = debian_server.database_settings("postgres")
    _psql(database, b"CREATE TABLE t (a int); CREATE INDEX ON t (a); INSERT INTO t VALUES (1)")
    dump = _pg_dump(database, *OURS, "--verbose", folder=debian_server.bin)
    layout = _layout(dump)
    assert layout.unrecognised == ""
    assert layout.server_version.startswith(f"{debian_server.major}.")
    assert layout.tables["t"].rows == 1
    assert b"-- TOC entry " in dump


def test_a_dump_from_before_restrict_has_no_key() -> None:
    layout = _layout(HEAD + TABLE + DATA + ROWS + TAIL)
    assert layout.restrict_key is None
    assert layout.tables["t"].rows == 2
    assert layout.prologue == (layout.header[1], layout.header[1])


def test_chunks_may_end_anywhere() -> None:
    dump = HEAD + b"DROP TABLE t;\n" + TABLE + DATA + ROWS + TAIL
    layouts = {repr(_layout(dump, chunk=size)) for size in range(1, len(dump) + 1)}
    assert len(layouts) == 1


UNRECOGNISED = {
    "without comments": (b"CREATE TABLE public.t (a int);\n" + ROWS, "CREATE TABLE public.t"),
    "only rows": (ROWS, "COPY public.t (a, b)"),
    "before the first entry": (b"SELECT 1;\n" + TABLE, "SELECT 1;"),
    "beside the rows": (
        TABLE + DATA + ROWS + b"ALTER TABLE public.t ENABLE TRIGGER ALL;\n",
        "ALTER",
    ),
    "rows behind a statement": (TABLE + ROWS, "COPY public.t"),
    "rows in another entry": (TABLE.split(b"CREATE")[0] + ROWS, "COPY public.t"),
    "a name that forges a kind": (
        TABLE.replace(b"Name: t", b"Name: t; Type: INDEX; Schema: x; Owner: -"),
        "-- Name: t; Type: INDEX",
    ),
}


@pytest.mark.parametrize(("body", "what"), UNRECOGNISED.values(), ids=UNRECOGNISED)
def test_what_belongs_to_no_entry_is_named(body: bytes, what: str) -> None:
    assert what in _layout(HEAD + body + TAIL).unrecognised


def test_a_comment_with_a_statement_in_between_begins_no_entry() -> None:
    torn = TABLE.replace(b"Owner: -\n", b"Owner: -\nSELECT 1;\n")
    assert _layout(HEAD + torn + TAIL).entries == ()


def test_rows_outside_of_an_entry_count_all_the_same() -> None:
    assert _layout(HEAD + ROWS + TAIL).tables["t"].rows == 2


DAMAGED = {
    "a row with too few columns": (
        ROWS.replace(b"1\ty", b"1y"),
        "1y",
        r"t has 1 columns, 2 needed",
    ),
    "two rows joined": (ROWS.replace(b"x\n", b"x"), "2\tx1", r"t has 3 columns, 2 needed"),
    "a missing end of rows": (ROWS.replace(b"\\.\n", b""), "\n--\n", r"t has 1 columns, 2 needed"),
    "a hole in the file": (ROWS.replace(b"x", b"\0"), "\0", "a zero byte"),
    "a command": (b"SELECT 1;\n\\! id\n", "\\! id", "psql command"),
    "a command behind a statement": (b"SELECT 1; \\! id\n", "SELECT", "psql command"),
    "two blocks of a table": (ROWS + b"SELECT 1;\n" + ROWS, "", "t has two COPY blocks"),
}


@pytest.mark.parametrize(("body", "first", "what"), DAMAGED.values(), ids=DAMAGED)
def test_damage_is_named_with_its_byte_offset(body: bytes, first: str, what: str) -> None:
    dump = HEAD + DATA + body + TAIL
    at = dump.rindex(ROWS) if not first else dump.index(first.encode(), len(HEAD + DATA))
    if first == "\n--\n":
        at = dump.index(b"\n\n", len(HEAD + DATA)) + 1
    with pytest.raises(DumpDamaged, match=f"{what}.* at byte {at}"):
        _layout(dump)


def test_a_cut_names_the_table_or_the_line_that_it_is_in() -> None:
    dump = HEAD + TABLE + DATA + ROWS
    with pytest.raises(DumpDamaged, match=f"cut off at byte {len(dump) - 8}: inside the rows of t"):
        _layout(dump[:-8])
    quoted = HEAD + b"SELECT 1;\nSELECT 'a\nb"
    at = quoted.index(b"SELECT 'a")
    with pytest.raises(DumpDamaged, match=f"byte {len(quoted)} inside a quoted .* at byte {at}$"):
        _layout(quoted)


def test_a_dump_that_changes_the_database_says_how_to_make_another(
    odd_database: DatabaseSettings,
) -> None:
    with pytest.raises(DumpDamaged, match="acts outside the database") as refused:
        _layout(_pg_dump(odd_database, "--create"))
    assert "pg_dump --create" in refused.value.hint


@pytest.mark.slow
def test_rows_that_do_not_fit_into_memory_are_sorted_in_the_spill_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spilling = partial(SortedRows, memory=1024 * 1024)
    monkeypatch.setattr("ppr_assets.plain_sql.parsing.layout.SortedRows", spilling)
    rows = [b"%06d\t%s\n" % (i * 7919 % 30_000, b"x" * 100) for i in range(30_000)]

    def dump(lines: Iterable[bytes]) -> bytes:
        return (
            HEAD + DATA + b"COPY public.t (a, b) FROM stdin;\n" + b"".join(lines) + b"\\.\n" + TAIL
        )

    found = read_layout(_chunks(dump(rows), 1 << 17), sorted_rows=False, spill_folder=tmp_path)
    in_order = _layout(dump(sorted(rows)), chunk=1 << 17, sorted_rows=True)
    assert found.tables == in_order.tables
    assert found.sha256 != in_order.sha256
    assert list(tmp_path.iterdir()) == []
