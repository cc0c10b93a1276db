"""No statement of ours leaves to the search path which function, table or type it means.

Whoever may create a function in the dumped database could otherwise have it called as our role.
Operators cannot be written so that anybody reads them; our sessions' empty search path is for them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

import ppr_assets

pytestmark = pytest.mark.slow

_STATEMENT = re.compile(r"\s*(?:SELECT|WITH|INSERT|UPDATE|DELETE|COPY|TRUNCATE|ANALYZE|LOCK)\b")
"""How a text begins that is SQL; what only defines or sets something calls nothing."""

_TOKEN = re.compile(
    r"""(?P<skip>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<text>[eE]?'(?:[^']|'')*')
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*|"(?:[^"]|"")+"|\{\})
    |(?P<sign>::|\S)""",
    re.VERBOSE | re.DOTALL,
)

_GRAMMAR = re.compile(
    "all|and|any|array|as|by|case|cast|coalesce|copy|distinct|else|except|exists|extract|filter"
    "|from|greatest|having|in|intersect|into|is|isolation|join|lateral|least|level|limit"
    "|materialized|not|nullif|on|only|or|over|overlay|position|recursive|row|rows|select|some"
    "|stdin|substring|table|then|trim|union|using|values|when|where|with"
)
"""Words before a parenthesis that are PostgreSQL's grammar, whatever the search path is."""

_GRAMMAR_TYPES = re.compile(
    "bigint|bit|boolean|char|character|dec|decimal|double|float|int|integer|interval|numeric|real"
    "|smallint|time|timestamp|varchar"
)
"""Types that are part of the grammar: always those of pg_catalog."""

_BEFORE_RELATIONS = frozenset({"from", "join", "only", "into", "update", "copy", "table"})


def unqualified(sql: str) -> Iterator[str]:
    """Functions that are called, types that are cast to, and relations that are named in ``sql``
    without their schema."""
    tokens = [found for found in _TOKEN.finditer(sql) if found.lastgroup != "skip"]
    kinds = ["", *(found.lastgroup for found in tokens), ""]
    words = ["", *(found.group().lower() for found in tokens), ""]
    expressions = {name for name, after in pairwise(words) if after == "as"}  # WITH own AS (…)
    for place in range(1, len(words) - 1):
        before, word, after = words[place - 1 : place + 2]
        if kinds[place] != "word" or "." in (before, after):
            continue
        if before == "::":
            if not _GRAMMAR_TYPES.fullmatch(word):
                yield f"type {word}"
        elif _GRAMMAR.fullmatch(word) or word == "{}":
            continue
        elif after == "(":
            if before not in ("as", ")"):  # an alias and its columns: AS c(entry, place)
                yield f"function {word}"
        elif before in _BEFORE_RELATIONS and word not in expressions:
            yield f"relation {word}"


@cache
def statements() -> tuple[tuple[str, str], ...]:
    """Each SQL text of the project for PostgreSQL, with where it stands."""
    return tuple(_statements())


def _statements() -> Iterator[tuple[str, str]]:
    root = Path(ppr_assets.__file__).parent
    for path in sorted(root.rglob("*.py")):
        source = path.read_bytes()
        for node in () if b"import sqlite3" in source else ast.walk(ast.parse(source)):
            text = _text(node)
            if text and _STATEMENT.match(text):
                line = getattr(node, "lineno", 0)
                yield f"{path.relative_to(root.parent)}:{line}", text


def _text(node: ast.AST) -> str | None:
    """A constant, or an f-string with ``{}`` in the place of what is put into it."""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    if not isinstance(node, ast.Constant):
        return None
    if isinstance(node.value, bytes):
        return node.value.decode("utf-8", "replace")
    return node.value if isinstance(node.value, str) else None


def test_every_statement_of_ours_names_schemas() -> None:
    found = [f"{where}: {name}" for where, text in statements() for name in unqualified(text)]
    assert found == []
    assert len(statements()) > 60  # they are found at all


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT pg_table_size(oid) FROM pg_catalog.pg_class", ["function pg_table_size"]),
        ("SELECT 1 FROM pg_class c JOIN pg_catalog.pg_namespace n", ["relation pg_class"]),
        ("SELECT a::text, b::int, c::pg_catalog.name", ["type text"]),
        ("SELECT count(*) FROM ONLY {} {}", ["function count"]),
        ("WITH own AS (SELECT 1) SELECT EXISTS (SELECT FROM own)", []),
        ("SELECT coalesce(a, 'f(x)') FROM pg_catalog.unnest(b) AS c(entry, place)", []),
        ("DELETE FROM organization WHERE id = ANY(%s)", ["relation organization"]),
        ("COPY (SELECT a FROM ONLY {} b) TO stdout", []),
    ],
)
def test_the_search_finds_what_is_not_qualified(sql: str, found: list[str]) -> None:
    assert list(unqualified(sql)) == found
