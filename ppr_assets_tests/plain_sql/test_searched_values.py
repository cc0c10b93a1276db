"""Whatever is planted into a dump is found, wherever it hides, and nobody is told what it was."""

from __future__ import annotations

import gzip
import lzma
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.demo.sample.filling import published, sample_rows
from ppr_assets.demo.sample.tables import SAMPLE_TABLES
from ppr_assets.errors import PolicyRefused
from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parsing.pieces import CopyRows, Line
from ppr_assets.plain_sql.searched_values import LISTED, Scanner
from ppr_assets.rules.finds.all_kinds import KINDS
from ppr_assets.rules.finds.judgement import Finds, Spot, judge_finds
from ppr_assets.rules.finds.kind import FindKind
from ppr_assets_tests.fix_old_dumps import MAJORS, OldDump
from ppr_assets_tests.places import SHARED
from ppr_assets_tests.planted import KEYS, PASSWORDS, PERSONS, PLACES, Make, copied

SECRETS: Mapping[str, Make] = {**KEYS, **PASSWORDS}
EVERY: Mapping[str, Make] = {**SECRETS, **PERSONS}
SEEDS = range(5)
REAL_DUMPS = SHARED / "data" / "real-dumps"

HEAD = "--\n-- PostgreSQL database dump\n--\n\n"
TAIL = "--\n-- PostgreSQL database dump complete\n--\n\n"


Found = Mapping[str, set[tuple[str, str]]]
"""Columns and kinds, by table."""


def _row(*values: str | None) -> bytes:
    return b"\t".join(map(copied, values)) + b"\n"


def _search(scanner: Scanner, table: str, columns: list[str], rows: bytes) -> None:
    assert b"".join(scanner.rows(table, columns, [rows])) == rows


def _found(finds: Finds) -> Found:
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for spot in (*(find.spot for find in finds.secrets), *finds.persons):
        found[spot.table].add((spot.column, spot.kind))
    return found


def _search_dump(dump: bytes, chunk: int = 1024 * 1024) -> tuple[Finds, int]:
    """What is found in a dump, and the number of its rows."""
    scanner, rows = Scanner(), 0
    for piece in pieces(dump[at : at + chunk] for at in range(0, len(dump), chunk)):
        if isinstance(piece, CopyRows):
            columns = piece.columns
            rows += sum(some.count(b"\n") for some in scanner.rows(piece.key, columns, piece.rows))
        elif isinstance(piece, Line):
            scanner.line(piece)
    return scanner.finds, rows


def test_every_kind_is_planted() -> None:
    assert EVERY.keys() == {kind.name for kind in KINDS}
    assert SECRETS.keys() == {kind.name for kind in KINDS if not kind.person}
    assert len(SECRETS) >= 25 and len(PLACES) >= 10


@pytest.mark.parametrize("place", PLACES)
def test_a_planted_value_is_found_in_every_text(place: str) -> None:
    scanner = Scanner()
    for kind, make in EVERY.items():
        for seed in SEEDS:
            text = PLACES[place](make(Random(seed)))
            _search(scanner, f"{kind} {seed}", ["id", "note", "more"], _row("7", text, "x"))
    found = _found(scanner.finds)
    assert not [
        f"{kind} {seed}"
        for kind in EVERY
        for seed in SEEDS
        if ("note", kind) not in found[f"{kind} {seed}"]
    ]


ROWS: Mapping[str, tuple[int, Callable[[str], tuple[str | None, ...]]]] = {
    "first column": (0, lambda text: (text, "x", "y")),
    "last column": (2, lambda text: ("x", "y", text)),
    "between NULLs": (1, lambda text: (None, text, None)),
    "between nothing": (1, lambda text: ("", text, "")),
    "beside COPY's marks": (1, lambda text: ("\\N", text, "\\.\n")),
}


@pytest.mark.parametrize("where", ROWS)
def test_a_planted_value_is_found_in_its_column(where: str) -> None:
    place, row = ROWS[where]
    scanner, neighbours = Scanner(), _row("1", "Open on Friday", "\t")
    for kind, make in EVERY.items():
        rows = neighbours + _row(*row(make(Random(5)))) + neighbours
        _search(scanner, kind, ["c0", "c1", "c2"], rows)
    found = _found(scanner.finds)
    for kind in EVERY:
        assert (f"c{place}", kind) in found[kind]
        assert {column for column, _ in found[kind]} == {f"c{place}"}


@pytest.mark.parametrize("kind", ["private key", "GitHub token", "free-mail address"])
def test_a_planted_value_is_found_across_the_chunks_of_a_dump(kind: str) -> None:
    text = "\n".join(["Open on Friday.", EVERY[kind](Random(1)), "Closed."])
    rows = _row("1", "x") + _row("2", text) + _row("3", None)
    copy = b"COPY public.note (id, text) FROM stdin;\n" + rows + b"\\.\n\n"
    dump = HEAD.encode() + copy + TAIL.encode()
    for chunk in (1, 7, *range(len(HEAD) + 60, len(dump), 37)):
        finds, count = _search_dump(dump, chunk)
        assert count == 3
        spot = Spot("note", "text", kind)
        assert finds.persons.get(spot) == 1 or [one.spot for one in finds.secrets] == [spot]


BYTEA: Mapping[str, Callable[[str], str]] = {
    "alone": lambda digits: rf"\x{digits}",
    "in an array": lambda digits: rf'{{"\\x00","\\x{digits}"}}',
    "in a row": lambda digits: rf'(1,"\\x{digits}",)',
    "in an array of rows": lambda digits: rf'{{"(1,\"\\\\x{digits}\",)"}}',
    "in JSON": lambda digits: rf'{{"file": "\\x{digits}"}}',
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("how", BYTEA)
def test_a_planted_value_is_found_in_bytea(how: str, encoding: str) -> None:
    scanner = Scanner()
    for kind, make in SECRETS.items():
        data = b"\0\1\2\3" + f" {make(Random(2))}\n".encode(encoding)
        row = _row("1", BYTEA[how](data.hex()), "x")
        _search(scanner, kind, ["id", "file", "more"], row)
    found = _found(scanner.finds)
    assert not [kind for kind in SECRETS if ("file", kind) not in found[kind]]
    assert all(count == 1 for count in Counter(one.spot for one in scanner.finds.secrets).values())


@pytest.mark.slow
@given(
    st.sampled_from([kind for kind in KINDS if not kind.person]),
    st.integers(0, 10**6),
    st.text(),
    st.text(),
    st.sampled_from([" ", "\n", "\t", "(", ",", '"', "'", "\\ ", "|"]),
)
def test_what_stands_around_it_hides_nothing(
    kind: FindKind, seed: int, before: str, after: str, edge: str
) -> None:
    text = "".join([before, edge, SECRETS[kind.name](Random(seed)), edge, after])
    scanner = Scanner(kinds=[kind])
    for table, written in (("plain", text), ("JSON", PLACES["in JSON in JSON"](text))):
        _search(scanner, table, ["v"], _row(written.replace("\0", "")))
    assert _found(scanner.finds).keys() == {"plain", "JSON"}


def test_a_key_is_found_behind_an_escape_of_a_url() -> None:
    scanner = Scanner()
    for kind, make in KEYS.items():
        _search(scanner, kind, ["v"], _row(f"https://example.org/?q=key%3D{make(Random(8))}"))
    assert _found(scanner.finds).keys() == KEYS.keys()


def test_many_values_in_a_row_and_many_rows_are_each_looked_at() -> None:
    random, scanner = Random(3), Scanner({"t": ["a", "b"]})
    token, mail = SECRETS["GitHub token"], PERSONS["free-mail address"]
    rows = [_row(str(n), "x", token(random), f"{mail(random)} {mail(random)}") for n in range(50)]
    _search(scanner, "t", ["a", "b", "key", "mails"], b"".join(rows))
    finds = scanner.finds
    assert [find.key for find in finds.secrets] == [f"a={n}, b=x" for n in range(LISTED)]
    assert finds.unlisted == {Spot("t", "key", "GitHub token"): 50 - LISTED}
    assert finds.persons == {Spot("t", "mails", "free-mail address"): 50}
    assert judge_finds(finds, {}, []).more == 50 - LISTED


def test_a_column_called_ssn_needs_no_words() -> None:
    scanner = Scanner()
    rows = _row("078-05-1121", "078-05-1121") + _row("078051121", "078051121")
    _search(scanner, "numbers", ["applicant_ssn", "reference"], rows)
    spot = Spot("numbers", "applicant_ssn", "US social security number")
    assert scanner.finds == Finds(persons={spot: 2})


STATEMENTS = {
    "COMMENT ON TABLE public.organization": "COMMENT ON TABLE public.organization IS '{}';\n",
    "COMMENT ON COLUMN public.a.b": "COMMENT ON COLUMN public.a.b IS '{}';\n",
    "CREATE FUNCTION public.f": "CREATE FUNCTION public.f() RETURNS text\n    LANGUAGE sql\n"
    "    AS $_$\n  SELECT\n'{}'\n$_$;\n",
    "ALTER TABLE ONLY public.a": "ALTER TABLE ONLY public.a ALTER COLUMN b SET DEFAULT '{}';\n",
    "SECURITY LABEL FOR anon": "SECURITY LABEL FOR anon ON COLUMN public.a.b IS '{}';\n",
    "CREATE TYPE public.e": "CREATE TYPE public.e AS ENUM (\n    'x',\n    '{}'\n);\n",
    "INSERT INTO public.a": "INSERT INTO public.a VALUES\n\t(1, 'x'),\n\t(2, '{}');\n",
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_statements_are_searched_and_told_by_their_names(name: str) -> None:
    for kind in ("private key", "URL with a password", "connection string", "Stripe key"):
        value = SECRETS[kind](Random(4))
        dump = HEAD + "SET x = 0;\n" + STATEMENTS[name].format(value) + "SET y = 0;\n" + TAIL
        finds, _ = _search_dump(dump.encode(), 50)
        assert [(find.table, find.column, find.kind) for find in finds.secrets] == [
            (name, "", kind)
        ]


QUOTED = {
    "connection string": "host=db user=ann password='hunter 22'",
    "secret in a variable": "export DB_PASSWORD='four words and more'",
    "secret in JSON": '{"host": "db", "password": "hunter22"}',
    "password in SQL": "ALTER ROLE ann PASSWORD 'hunter22'",
}


@pytest.mark.parametrize("kind", QUOTED)
def test_doubled_quotes_hide_nothing(kind: str) -> None:
    once = QUOTED[kind]
    default = f"ALTER TABLE a ALTER b SET DEFAULT '{once.replace(chr(39), chr(39) * 2)}';\n"
    finds, _ = _search_dump((HEAD + default + TAIL).encode())
    assert [find.kind for find in finds.secrets] == [kind]
    scanner = Scanner()
    _search(scanner, "t", ["row"], _row(f'(1,"{once.replace(chr(34), chr(34) * 2)}",)'))
    assert _found(scanner.finds) == {"t": {("row", kind)}}


def test_letters_that_json_escapes_do_not_hide_a_password() -> None:
    scanner = Scanner()
    _search(scanner, "t", ["v"], _row('{"url": "https://ann:geh\\u00f6rt-mir@db.example.org/"}'))
    assert _found(scanner.finds) == {"t": {("v", "URL with a password")}}


def test_a_statement_of_many_lines_is_searched_as_a_whole() -> None:
    body = "  SELECT dblink('\n    host=db\n    password=hunter22\n    user=ann\n  ')\n"
    function = f"CREATE FUNCTION public.f() RETURNS text\n    AS $_$\n{body}$_$;\n"
    finds, _ = _search_dump((HEAD + function + TAIL).encode())
    assert [find.spot for find in finds.secrets] == [
        Spot("CREATE FUNCTION public.f", "", "connection string")
    ]


def test_a_row_with_too_many_or_too_few_values_is_searched_all_the_same() -> None:
    token, scanner = SECRETS["GitHub token"](Random(9)), Scanner({"t": ["a", "ssn"]})
    _search(scanner, "t", ["a", "ssn"], _row("1", "x", token) + _row(token) + b"\n")
    _search(scanner, "none", [], _row(token))
    assert [find.spot.column for find in scanner.finds.secrets] == ["column 3", "a", "column 1"]


def test_large_objects_are_searched() -> None:
    data = SECRETS["private key"](Random(5)).encode().hex()
    lowrite = f"SELECT pg_catalog.lowrite(0, '\\x{data}');\n"
    finds, _ = _search_dump((HEAD + "BEGIN;\n\n" + lowrite + "COMMIT;\n\n" + TAIL).encode())
    assert [find.spot for find in finds.secrets] == [Spot("large objects", "", "private key")]


@pytest.mark.parametrize("kind", SECRETS)
def test_nobody_is_told_the_value(kind: str) -> None:
    value = SECRETS[kind](Random(6))
    kinds = [one for one in KINDS if one.name == kind]
    scanner = Scanner({"t": ["id"], "keyed": ["v"]}, kinds=kinds)
    for table in ("t", "keyed", "without a key"):
        _search(scanner, table, ["v", "id"], _row(f"{value} for all", "17"))
    comment = f"COMMENT ON TABLE public.t IS '{value}'"
    dump = f'{HEAD}{comment};\nCREATE TABLE public."{value}" (a text);\n{TAIL}'
    for piece in pieces([dump.encode()]):
        assert isinstance(piece, Line)
        scanner.line(piece)
    finds = scanner.finds
    with pytest.raises(PolicyRefused) as error:
        judge_finds(finds, {}, []).require()
    said = error.value.render() + repr(finds) + repr(error.value)
    assert f"t.v in the row id=17 ({kind})" in said
    assert f"keyed.v in the row v=(withheld) ({kind})" in said
    long = max(value.split(), key=len)
    assert not any(long[at : at + 12] in said for at in range(0, max(1, len(long) - 12), 4))
    assert error.value.exit_code == 8


def test_a_key_is_shown_short_and_in_one_line() -> None:
    scanner = Scanner()
    row = _row("line\n" * 50, SECRETS["GitHub token"](Random(7)))
    _search(scanner, "t", ["id", "v"], row)
    (find,) = scanner.finds.secrets
    assert len(find.key) < 80 and find.key.isprintable()


def _written_sample(organizations: int) -> Iterator[tuple[str, bytes]]:
    for batch in sample_rows(organizations, seed=1):
        for table, rows in batch.filled():
            lines = (
                tuple(None if v is None else str(v) for v in row) for row in published(table, rows)
            )
            yield table, b"".join(_row(*line) for line in lines)


@pytest.mark.slow
def test_the_sample_gives_no_false_stop_and_hardly_a_warning() -> None:
    scanner, rows = Scanner(), 0
    for table, written in _written_sample(3_200):
        _search(scanner, table, list(SAMPLE_TABLES[table]), written)
        rows += written.count(b"\n")
    assert rows > 100_000
    assert not scanner.finds.secrets
    assert sum(scanner.finds.persons.values()) <= rows // 100_000


def _real_dumps() -> Iterable[Path]:
    return sorted(REAL_DUMPS.glob("*.sql.*"))


@pytest.mark.skipif(not REAL_DUMPS.is_dir(), reason="needs the real dumps in ../shared")
def test_the_real_dumps_are_not_stopped() -> None:
    assert len(list(_real_dumps())) == 3
    for path in _real_dumps():
        opened = gzip.open if path.suffix == ".gz" else lzma.open
        finds, _ = _search_dump(opened(path).read())
        assert not finds.secrets, path.name


@pytest.mark.parametrize("major", MAJORS)
def test_dumps_of_old_servers_are_not_stopped(major: int) -> None:
    finds, rows = _search_dump(OldDump(major).sql)
    assert rows and not finds.secrets
