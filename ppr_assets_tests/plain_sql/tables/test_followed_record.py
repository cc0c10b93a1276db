"""A record that is followed is what it is when each dump is read from its beginning."""

from __future__ import annotations

import random

import pytest

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.tables import followed_record
from ppr_assets.plain_sql.tables.followed_record import Followed, follow_record, read_record
from ppr_assets.plain_sql.tables.one_record import FoundRecord, SoughtRecord, find_record

KEY = "0" * 63
DUMP = rf"""--
-- PostgreSQL database dump
--

\restrict {KEY}

SET client_encoding = 'UTF8';

CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $$ select 'a text' $$;

COPY public.t (a, b) FROM stdin;
aa	one
ab	two
ac	\N
\.

COPY public.empty (a) FROM stdin;
\.

SELECT pg_catalog.setval('public.s', 41, true);

COPY public.u (a, b) FROM stdin;
aa	not it
ba	u
\.

ALTER TABLE ONLY public.t
    ADD CONSTRAINT t_pkey PRIMARY KEY (a);

--
-- PostgreSQL database dump complete
--

\unrestrict {KEY}

""".encode()

Copies = list[tuple[int, int, int]]


def _edited(
    base: bytes, edits: list[tuple[int, int, bytes | tuple[int, int]]]
) -> tuple[bytes, Copies]:
    """``base`` with ``edits`` (from, to, and what stands there: new bytes or some of its own)."""
    out, copies, done = b"", [], 0
    for start, end, new in [*edits, (len(base), len(base), b"")]:
        if start > done:
            copies.append((len(out), done, start - done))
            out += base[done:start]
        if isinstance(new, tuple):
            copies.append((len(out), new[0], new[1] - new[0]))
            new = base[new[0] : new[1]]
        out += new
        done = end
    return out, copies


def _plain(data: bytes, sought: SoughtRecord) -> FoundRecord | str:
    try:
        return find_record(lambda: [data], sought)
    except DumpDamaged as error:
        return error.message


def _followed(
    before: Followed, data: bytes, copies: Copies, sought: SoughtRecord
) -> Followed | str:
    try:
        return follow_record(before, bytearray(data), copies, sought)
    except DumpDamaged as error:
        return error.message


def _replaced(old: bytes, new: bytes) -> tuple[bytes, Copies]:
    edits: list[tuple[int, int, bytes | tuple[int, int]]] = []
    at = DUMP.find(old)
    while at >= 0:
        edits.append((at, at + len(old), new))
        at = DUMP.find(old, at + 1)
    assert edits
    return _edited(DUMP, edits)


@pytest.mark.parametrize(
    ("old", "new", "row", "read"),
    [
        (b"two", b"2", {"a": "ab", "b": "2"}, False),
        (b"ab\ttwo\n", b"", None, False),
        (b"ba\tu", b"ab\tin another table", {"a": "ab", "b": "two"}, False),
        (KEY.encode(), b"1" * 63, {"a": "ab", "b": "two"}, False),
        (b"41", b"42", {"a": "ab", "b": "two"}, False),
        (b"public.t (a, b)", b"public.t (a, c)", {"a": "ab", "c": "two"}, False),
        (b"'a text'", b"E'\n\\.\n'", {"a": "ab", "b": "two"}, True),
        (b"COPY public.empty (a) FROM stdin;\n\\.\n", b"", {"a": "ab", "b": "two"}, True),
        (b"ALTER TABLE", b"COPY public.n (a) FROM stdin;\nx\n\\.\n\nALTER TABLE", None, True),
    ],
)
def test_what_changed_is_seen_and_what_is_as_before_is_not_read_again(
    old: bytes, new: bytes, row: object, read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sought = SoughtRecord("t", ("ab",))
    before = read_record(bytearray(DUMP), sought)
    reads = 0

    def counted(data: bytearray, sought: SoughtRecord) -> Followed:
        nonlocal reads
        reads += 1
        return read_record(data, sought)

    monkeypatch.setattr(followed_record, "read_record", counted)
    data, copies = _replaced(old, new)
    told = follow_record(before, bytearray(data), copies, sought)
    assert told.found == _plain(data, sought)
    assert told.found.row == (row or told.found.row)
    assert (row is not None) or b"public.n" in new or told.found.row is None
    assert (reads == 1) is read


def test_damage_is_seen_wherever_it_is() -> None:
    sought = SoughtRecord("t", ("ab",))
    before = read_record(bytearray(DUMP), sought)
    for end in range(len(DUMP) - 2):
        assert isinstance(_followed(before, *_edited(DUMP, [(end, len(DUMP), b"")]), sought), str)
    for old, new in (
        (b"one\n", b"one\n\\.\n"),
        (b"\\unrestrict 0", b"\\unrestrict 1"),
    ):
        assert isinstance(_followed(before, *_replaced(old, new), sought), str), old


@pytest.mark.parametrize("seed", range(8))
def test_a_followed_record_is_the_one_that_stands_there(seed: int) -> None:
    """Chains of random edits, with bytes of its own copied to anywhere."""
    chance = random.Random(seed)
    awkward = [b"\n", b"\\", b".", b"\\.\n", b"\n\\.\n", b"ab\t", b"\nab\tx", b"$$", b"'", b"--"]
    sought = SoughtRecord("t", ("ab",))
    for _ in range(60):
        data = DUMP
        before = read_record(bytearray(data), sought)
        for _ in range(4):
            places = sorted(chance.randrange(len(data)) for _ in range(2 * chance.randint(1, 3)))
            edits: list[tuple[int, int, bytes | tuple[int, int]]] = []
            for start, end in zip(places[::2], places[1::2], strict=True):
                taken = chance.randrange(len(data))
                own = (taken, min(taken + chance.randint(1, 40), len(data)))
                near = min(end, start + chance.choice([0, 0, 1, 5, 30]))
                text = chance.choice(awkward)
                edits.append((start, near, own if chance.random() < 0.3 else text))
            changed, copies = _edited(data, edits)
            told = _followed(before, changed, copies, sought)
            plain = _plain(changed, sought)
            if isinstance(told, str) or isinstance(plain, str):
                assert isinstance(told, str) and isinstance(plain, str), (told, plain)
                break
            start, end = told.rows[told.seen.block] if told.seen.block is not None else (0, 0)
            if told.seen.key and (b"\n" + changed[start:end]).count(b"\nab\t") > 1:
                break  # no primary key has it twice
            assert told.found == plain
            data, before = changed, told


@pytest.mark.parametrize("seed", [*range(7), 312])  # 312: a row copied whole to the beginning
def test_edits_among_the_rows_are_told_without_a_second_reading(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that come, change, go, and are put together from pieces of others."""
    chance = random.Random(seed)
    keys = (f"{n:03b}".replace("0", "a").replace("1", "b") for n in range(8))
    rows = "".join(f"{key}\t{n}\n" for n, key in enumerate(keys)).encode()
    base = DUMP.replace(b"aa\tone\nab\ttwo\nac\t\\N\n", rows)
    sought = SoughtRecord("t", ("aba",))
    data, before = base, read_record(bytearray(base), sought)
    monkeypatch.setattr(followed_record, "read_record", None)
    came = set()
    for _ in range(150):
        start, end = before.rows[0]
        places = sorted(chance.sample(range(start, end), 4))
        edits: list[tuple[int, int, bytes | tuple[int, int]]] = []
        for low, high in ((places[0], places[1]), (places[2], places[3])):
            taken = chance.randrange(start, end)
            own = (taken, min(taken + chance.randint(1, 20), end))
            text = chance.choice([b"", b"b", b"\n", b"a", b"\t", b"\naba\t7\n", b"ba\t"])
            stop = min(high, low + chance.choice([0, 0, 1, 3, 9]))
            edits.append((low, stop, own if chance.random() < 0.4 else text))
        changed, copies = _edited(data, edits)
        told = follow_record(before, bytearray(changed), copies, sought)
        if (b"\n" + changed[slice(*told.rows[0])]).count(b"\naba\t") > 1:
            continue
        assert told.found == _plain(changed, sought)
        came.add(told.found.row is None)
        data, before = changed, told
    assert came == {True, False}
