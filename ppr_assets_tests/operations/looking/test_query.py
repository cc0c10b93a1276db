"""A dump asked in SQL: which tables are read, what is refused, and dumps of every age and kind."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ppr_assets.errors import DumpDamaged, PreconditionFailed, QueryFailed
from ppr_assets.operations.looking.dump_tables import dump_tables
from ppr_assets.operations.looking.export import to_sqlite
from ppr_assets.operations.looking.published_tables import PublishedTables
from ppr_assets.operations.looking.query import Cell, answered
from ppr_assets.operations.looking.sqlite_tables import quoted
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets_tests.fix_old_dumps import MAJORS, OldDump
from ppr_assets_tests.operations.looking.test_published_tables import DIVIDED

OLD = OldDump(16).sql


def _found(sql: bytes, folder: Path) -> FoundDump:
    path = folder / "dump.sql"
    path.write_bytes(sql)
    return FoundDump(path.name, path, None, None, folder)


@contextmanager
def _opened(sql: bytes, folder: Path) -> Iterator[PublishedTables]:
    with dump_tables(_found(sql, folder)) as opened:
        yield PublishedTables(opened, None)


@pytest.fixture
def dump(tmp_path: Path) -> Iterator[PublishedTables]:
    with _opened(OLD, tmp_path) as opened:
        yield opened


def _asked(dump: PublishedTables, sql: str) -> list[tuple[Cell, ...]]:
    with answered(dump, sql) as answer:
        return [*answer.rows]


@pytest.mark.parametrize("major", MAJORS)
def test_every_table_of_an_old_dump_answers_with_all_its_rows(major: int, tmp_path: Path) -> None:
    with _opened(OldDump(major).sql, tmp_path) as dump:
        assert {"organization", "kinds.numbers", '"Weird Schema"."Order"'} < dump.tables.keys()
        for key, table in dump.tables.items():
            if not (table.columns and dump.count(key)):
                continue
            asked = f"select * from {quoted(table.schema, table.name)}"
            with answered(dump, asked) as answer:
                assert len([*answer.rows]) == dump.count(key), key
                assert answer.columns == tuple(table.columns)
                assert key in answer.tables
        total = _asked(dump, "select count(*), min(latitude), typeof(max(latitude)) from location")
        assert total == [(5, 40.001, "real")]


def test_only_the_tables_that_are_named_are_read(
    dump: PublishedTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    rows = PublishedTables.rows

    def seen(self: PublishedTables, table: str, names: Collection[str]) -> object:
        read.append(f"{table} {' '.join(names)}".rstrip())
        return rows(self, table, names)

    monkeypatch.setattr(PublishedTables, "rows", seen)
    joined = (
        "with o as (select id from organization) select count(*) from location l "
        "join o on o.id = l.organization_id -- service"
    )
    assert _asked(dump, joined) == [(5,)]
    assert read == ["organization id", "location organization_id"]
    for asked in ("select count(*) from public.service", "select count(*) from SERVICE"):
        read.clear()
        assert _asked(dump, asked) == [(4,)]
        assert read == ["service"]
    read.clear()
    assert _asked(dump, "select 'organization', (select count(*) from kinds.numbers)")[0][1]
    assert read == ["kinds.numbers"]


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) from organization join location using (id)",
        "select count(*) from organization NATURAL JOIN location",
        "select count(*) from organization join (select organization_id as id from location) "
        "using (id)",
        "select max(latitude) from location left join organization using (id)",
        "select count(*) from organization where (select max(id) from location) > ''",
        "with o as (select * from organization) select count(*) from o join location using (id)",
        "select count(distinct parent_id) from organization group by name order by 1 limit 1",
        "select 1 from location where organization_id in (select id from organization) limit 1",
    ],
)
def test_what_is_not_read_changes_no_answer(
    sql: str, dump: PublishedTables, tmp_path: Path
) -> None:
    to_sqlite(dump, "", tmp_path / "all.db")
    with closing(sqlite3.connect(tmp_path / "all.db")) as whole:
        expected = whole.execute(sql).fetchall()
    assert _asked(dump, sql) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "delete from organization",
        "create table x (a)",
        "attach 'x.db' as x",
        "pragma user_version = 3",
        "vacuum into 'x.db'",
        "select load_extension('x')",
        "update organization set name = ''",
    ],
)
def test_whatever_does_not_read_is_refused(
    dump: PublishedTables, sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(QueryFailed) as refused, answered(dump, sql):
        pass
    assert refused.value.message == "the query does something else than reading the dump's tables"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dump.sql"]


def test_what_sqlite_does_not_understand_is_said_in_a_line(dump: PublishedTables) -> None:
    for sql, said in {
        "selec": 'SQLite refuses the query: near "selec": syntax error',
        "select 1; select 2": "SQLite refuses the query: You can only execute one statement at a ",
        "select none from service": "SQLite refuses the query: no such column: none",
        "select * from nowhere": "there is no table `nowhere`, the dump has ",
        "": "the query gives no rows",
    }.items():
        with pytest.raises(QueryFailed) as refused, answered(dump, sql):
            pass
        assert refused.value.message.startswith(said)


def test_a_query_without_an_end_is_given_up(dump: PublishedTables) -> None:
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
    started = time.monotonic()
    with (
        pytest.raises(QueryFailed, match=r"has not ended after 0\.2 s"),
        answered(dump, endless, seconds=0.2),
    ):
        pass
    assert time.monotonic() - started < 10


def test_the_time_that_loading_takes_is_not_the_query_s(
    dump: PublishedTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = PublishedTables.rows

    def slow(self: PublishedTables, table: str, names: Collection[str]) -> Iterator[object]:
        time.sleep(0.3)
        yield [(one,) * len(names) for one in range(20_000)]
        yield from rows(self, table, names)

    monkeypatch.setattr(PublishedTables, "rows", slow)
    with answered(dump, "select count(*) from service", seconds=0.25) as answer:
        assert [*answer.rows] == [(20_004,)]


def test_a_damaged_dump_answers_nothing(tmp_path: Path) -> None:
    at = OLD.index(b"COPY public.service ")
    for damaged in (
        OLD[: at + 200],
        OLD.replace(b"Pantry 3\t", b"Pantry 3"),
        b"version https://git",
    ):
        with pytest.raises(DumpDamaged), dump_tables(_found(damaged, tmp_path)):
            pass


def test_a_foreign_dump_without_comments_is_known_by_its_rows(tmp_path: Path) -> None:
    bare = b"\n".join(
        line
        for line in OLD.split(b"\n")
        if not line.startswith((b"-- Name: ", b"-- Data for Name: "))
    )
    with _opened(bare, tmp_path) as dump:
        assert _asked(dump, "select count(name) from organization") == [(5,)]


def test_rows_that_come_as_insert_are_not_taken_for_none(tmp_path: Path) -> None:
    insert = b"INSERT INTO public.service VALUES ('1', '2', 'a', NULL);\n"
    at = OLD.index(b"\nCOPY public.service ") + 1
    end = OLD.index(b"\\.\n", at)
    with _opened(OLD[:at] + insert + OLD[end + 3 :], tmp_path) as dump:
        assert dump.count("service") == 1
        with (
            pytest.raises(
                PreconditionFailed, match=r"the rows of service stand in `dump\.sql` as INS"
            ),
            answered(dump, "select * from service"),
        ):
            pass


def test_a_partitioned_table_has_the_rows_of_its_partitions(dump: PublishedTables) -> None:
    divided = {key for key, table in dump.tables.items() if table.partitions}
    divided -= {key for table in dump.tables.values() for key in table.inherits}
    assert divided
    for key in divided:
        table = dump.tables[key]
        asked = f"select count(*) from {quoted(table.schema, table.name)}"
        assert _asked(dump, asked) == [(sum(map(dump.count, table.partitions)),)]


def test_a_partitioned_table_has_no_column_that_a_server_computes(tmp_path: Path) -> None:
    with _opened(DIVIDED, tmp_path) as dump:
        assert _asked(dump, "select * from p") == [(1, "a"), (2, "b"), (3, "c")]
        with (
            pytest.raises(QueryFailed, match="no such column: g"),
            answered(dump, "select g from p"),
        ):
            pass


def _inheriting(*parents: bytes) -> bytes:
    """``p2`` as a table that inherits, with its columns from there."""
    at = DIVIDED.index(b"CREATE TABLE public.p2 (")
    end = DIVIDED.index(b"\n);", at)
    made = b"CREATE TABLE public.p2 (\n    w text\n)\nINHERITS (" + b", ".join(parents) + b");"
    return (
        DIVIDED[:at]
        + made
        + DIVIDED[end + 3 :].replace(
            b"ALTER TABLE ONLY public.p ATTACH PARTITION public.p2 FOR VALUES IN (2, 3);",
            b"SELECT 1;",
        )
    )


def test_a_table_shows_the_rows_of_those_that_inherit_from_it(tmp_path: Path) -> None:
    with _opened(_inheriting(b"public.p1"), tmp_path) as dump:
        assert _asked(dump, "select * from p1") == [("a", 1), ("b", 2), ("c", 3)]
        assert _asked(dump, "select sum(id), typeof(min(id)) from p2") == [(5, "integer")]
        assert dump.count("p1") == 3


def test_a_table_that_inherits_from_several_is_refused_by_name(tmp_path: Path) -> None:
    with _opened(_inheriting(b"public.p", b"public.p1"), tmp_path) as dump:
        for table in ("p", "p1", "p2"):
            with (
                pytest.raises(PreconditionFailed, match="p2 inherits from p and p1, "),
                answered(dump, f"select count(*) from {table}"),
            ):
                pass
