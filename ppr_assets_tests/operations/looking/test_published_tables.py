"""What the policy lets out of a dump's tables, also where one shows the rows of others."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ppr_assets.errors import DumpDamaged, PreconditionFailed
from ppr_assets.operations.looking.dump_tables import dump_tables
from ppr_assets.operations.looking.export import to_csv, to_sqlite
from ppr_assets.operations.looking.published_tables import PublishedTables
from ppr_assets.operations.sources.wanted import FoundDump
from ppr_assets.rules.publication.policy import Policy, parse_policy

DIVIDED = b"""--
-- PostgreSQL database dump
--

SET client_encoding = 'UTF8';

--
-- Name: p; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.p (
    id integer NOT NULL,
    v text,
    g integer GENERATED ALWAYS AS ((id * 2)) STORED
)
PARTITION BY LIST (id);


--
-- Name: p1; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.p1 (
    v text,
    id integer NOT NULL,
    g integer GENERATED ALWAYS AS ((id * 2)) STORED
);


--
-- Name: p2; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.p2 (
    id integer NOT NULL,
    v text,
    g integer GENERATED ALWAYS AS ((id * 2)) STORED
);


--
-- Name: p1; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.p ATTACH PARTITION public.p1 FOR VALUES IN (1);


--
-- Name: p2; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.p ATTACH PARTITION public.p2 FOR VALUES IN (2, 3);


--
-- Data for Name: p1; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.p1 (v, id) FROM stdin;
a	1
\\.


--
-- Data for Name: p2; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.p2 (id, v) FROM stdin;
2	b
3	c
\\.


--
-- Name: p p_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.p
    ADD CONSTRAINT p_pkey PRIMARY KEY (id);


--
-- PostgreSQL database dump complete
--

"""


def as_found(sql: bytes, folder: Path) -> FoundDump:
    path = folder / "dump.sql"
    path.write_bytes(sql)
    return FoundDump(path.name, path, None, None, folder)


def test_a_parent_shows_of_its_partitions_what_their_own_policy_lets_out(tmp_path: Path) -> None:
    policy = parse_policy(
        b'[p]\nid = "public"\nv = "public"\n[p1]\nv = "null"\n'
        b'[p2]\n"*" = {rule = "structure", reason = "private"}\n',
        source="policy",
    )
    with dump_tables(as_found(DIVIDED, tmp_path)) as dump:
        tables = PublishedTables(dump, policy)
        shown = {key: [row[:2] for rows in tables.rows(key) for row in rows] for key in dump.tables}
    assert shown == {"p": [(1, None)], "p1": [(None, 1)], "p2": []}
    assert tables.withheld == {"values of p1.v": 1, "rows of p2": 2}


def test_a_key_whose_values_are_replaced_is_none_in_sqlite(tmp_path: Path) -> None:
    public = b'[p]\nid = "public"\nv = "public"\n[p1]\nv = "public"\nid = "public"\n'
    replaced = b'[p2]\nv = "public"\nid = {rule = "replaced", text = "7", reason = "private"}\n'
    policy = parse_policy(public + replaced, source="policy")
    with dump_tables(as_found(DIVIDED, tmp_path)) as dump:
        to_sqlite(PublishedTables(dump, policy), "dump.sql", tmp_path / "some.db")
    with closing(sqlite3.connect(tmp_path / "some.db")) as session:
        assert session.execute("SELECT id, v FROM p").fetchall() == [(1, "a"), (7, "b"), (7, "c")]
    with dump_tables(as_found(DIVIDED, tmp_path)) as dump:
        to_sqlite(PublishedTables(dump, parse_policy(public, source="")), "", tmp_path / "all.db")
    with closing(sqlite3.connect(tmp_path / "all.db")) as session:
        assert session.execute("SELECT name FROM pragma_table_info('p') WHERE pk").fetchall()


@pytest.mark.parametrize("one", [b'public."a/b"', b'public."A_b"'])
def test_tables_whose_files_would_have_one_name_are_refused(one: bytes, tmp_path: Path) -> None:
    """Also on a file system that does not tell capitals, and in SQLite."""
    twins = DIVIDED.replace(b"public.p1", one).replace(b"public.p2", b"public.a_b")
    for form in (to_csv, to_sqlite):
        with (
            dump_tables(as_found(twins, tmp_path)) as dump,
            pytest.raises(PreconditionFailed, match=r"would both be called `a_b`"),
        ):
            form(PublishedTables(dump, Policy()), "dump.sql", tmp_path / "out")
        assert [path.name for path in tmp_path.iterdir()] == ["dump.sql"]


def test_a_foreign_partition_has_no_rows_in_a_dump(tmp_path: Path) -> None:
    foreign = DIVIDED.replace(b"CREATE TABLE public.p2", b"CREATE FOREIGN TABLE public.p2").replace(
        b"p2; Type: TABLE;", b"p2; Type: FOREIGN TABLE;"
    )
    at, end = foreign.index(b"--\n-- Data for Name: p2"), foreign.index(b"--\n-- Name: p p_pkey")
    with dump_tables(as_found(foreign[:at] + foreign[end:], tmp_path)) as dump:
        assert [*dump.tables] == ["p", "p1"]
        assert (dump.count("p"), dump.count("p1")) == (1, 1)
        assert [row for rows in dump.rows("p") for row in rows] == [(1, "a")]
        to_sqlite(PublishedTables(dump, None), "", tmp_path / "all.db")


def test_rows_that_stand_with_the_parent_are_not_taken_for_none(tmp_path: Path) -> None:
    """As ``pg_dump --load-via-partition-root`` writes them: of one partition, then of several."""
    root = DIVIDED.replace(
        b"COPY public.p1 (v, id) FROM stdin;\na\t1", b"COPY public.p (id, v) FROM stdin;\n1\ta"
    )
    with dump_tables(as_found(root, tmp_path)) as dump:
        assert [row for rows in dump.rows("p") for row in rows] == [(1, "a"), (2, "b"), (3, "c")]
        with pytest.raises(PreconditionFailed, match="the rows of p1 stand with those of p"):
            next(dump.rows("p1"))
        kept = b'[p]\nid = "public"\nv = "public"\n[p1]\n"*" = {rule = "structure", reason = "x"}\n'
        tables = PublishedTables(dump, parse_policy(kept, source="policy"))
        assert [*tables.rows("p")] == []  # what p1 withholds may be among them
        assert tables.withheld == {"rows of p": 3}
    twice = root.replace(b"COPY public.p2", b"COPY public.p")
    with pytest.raises(DumpDamaged) as refused, dump_tables(as_found(twice, tmp_path)):
        pass
    assert "two COPY blocks" in refused.value.message
    assert "--load-via-partition-root" in refused.value.hint
