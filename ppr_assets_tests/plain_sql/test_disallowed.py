"""What a dump holds that a policy does not allow is named with its rows, and nothing else is."""

from __future__ import annotations

import pytest

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.disallowed import disallowed
from ppr_assets.rules.publication.policy import Policy

POLICY = Policy.parse(
    """
    [shop]
    id = "public"
    owner = "null"
    note = { rule = "replaced", text = "with\\theld" }
    [visits]
    "*" = "structure"
    [parent]
    id = "public"
    """,
    source="a test",
)
DUMP = b"""--
-- PostgreSQL database dump
--

CREATE TABLE public.shop (
    id integer,
    owner text
);
CREATE TABLE public.child (
    id integer
)
INHERITS (public.parent);
CREATE TABLE public.visits_1 (
    id integer
);
ALTER TABLE ONLY public.visits ATTACH PARTITION public.visits_1 FOR VALUES FROM (1) TO (2);
%s
--
-- PostgreSQL database dump complete
--

"""


def _held(body: bytes, policy: Policy = POLICY) -> set[tuple[str, str, int]]:
    found = disallowed([DUMP % body], {"today": policy})["today"]
    return {
        (f"{one.table}.{one.column}" if one.column else one.table, one.rule, one.rows)
        for one in found
    }


def _copy(table: str, columns: str, *rows: str) -> bytes:
    lines = "".join(f"{row}\n" for row in rows)
    return f"COPY public.{table} ({columns}) FROM stdin;\n{lines}\\.\n\n".encode()


def test_a_withheld_value_and_an_unknown_column_are_counted_by_row() -> None:
    rows = ("1\tann\tx\t\\N", "2\t\\N\twith\\theld\tsecret", "3\tbob\t\\N\t\\N")
    assert _held(_copy("shop", "id, owner, note, token", *rows)) == {
        ("shop.owner", "null", 2),
        ("shop.note", "replaced", 1),
        ("shop.token", "undecided", 1),
    }


def test_what_is_allowed_is_not_named() -> None:
    rows = ("1\t\\N\twith\\theld", "2\t\\N\t\\N")
    body = _copy("shop", "id, owner, note", *rows) + _copy("child", "id", "1")
    assert _held(body + _copy("visits", "id") + _copy("strange", "id")) == set()


def test_partitions_and_heirs_follow_their_parents() -> None:
    body = _copy("visits_1", "id", "1", "2") + _copy("child", "id, more", "1\tx")
    assert _held(body) == {("visits_1", "structure", 2), ("child.more", "undecided", 1)}


def test_a_partition_made_in_one_statement_follows_its_parent() -> None:
    made = b"CREATE TABLE public.visits_2 PARTITION OF public.visits\nFOR VALUES IN (1);\n"
    assert _held(made + _copy("visits_2", "id", "1")) == {("visits_2", "structure", 1)}


def test_an_unknown_table_and_large_objects_are_named() -> None:
    body = _copy("strange", "id", "1") + b"SELECT pg_catalog.lo_create('7');\n"
    assert _held(body) == {("strange", "undecided", 1), ("large objects", "undecided", 1)}
    allowed = Policy.parse('["large objects"]\n"*" = "public"\n', source="a test")
    assert _held(body, POLICY.with_additions(allowed)) == {("strange", "undecided", 1)}


def test_rows_of_insert_count_for_each_withheld_column() -> None:
    inserts = b"INSERT INTO public.shop VALUES (1, 'ann');\nINSERT INTO public.visits VALUES (1);\n"
    assert _held(inserts) == {
        ("shop.owner", "null", 1),
        ("shop.note", "replaced", 1),
        ("visits", "structure", 1),
    }


def test_no_value_is_told() -> None:
    found = disallowed([DUMP % _copy("shop", "id, owner", "1\tZORA-QUILL")], {"today": POLICY})
    assert "ZORA" not in repr(found)


def test_a_dump_that_is_cut_off_holds_nobody_knows_what() -> None:
    with pytest.raises(DumpDamaged):
        disallowed([DUMP[:60]], {"today": POLICY})
