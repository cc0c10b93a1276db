"""The glossary of docs/architecture.md: whole, and without words that nobody meets."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from ppr_assets.cli import VERBS, cli
from ppr_assets.orchestration.assets.tables import HSDS_TABLES
from ppr_assets_tests.places import ROOT

PACKAGE = ROOT / "ppr_assets"
_TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
_TABLE = _TEXT.partition("## Words")[2].partition("## Where state is")[0]
ENTRIES = [
    word
    for cell in re.findall(r"^\| ([a-z, ]+) \|", _TABLE, re.MULTILINE)
    for word in cell.split(", ")
    if cell != "word"  # the table's head
]
GLOSSARY = frozenset(ENTRIES)

# Labels that say what they say anywhere, and those of git, PostgreSQL, Dagster and click.
PLAIN = frozenset(
    re.findall(
        "[a-z]+",
        """accepted accounted added after age alone are as asked at author back backup because
        before branch broken but by bytes changes checks cleanup code column command commit
        committed complete config console count counts csv cut dagster damaged decided decisions
        demo detail dev differences disconnect disk drop dry elsewhere equals error errors events
        exit failed fetch files filled for from git github go good grants half have held help hint
        holds home hourly hours impossible is it kept key kind labels last left less level list
        locations log loggers looked loose made makes mapping match message metadata metrics minimum
        minutes monthly movements named names need next night nightly note of ok on one ops option
        organizations origin other outcome packed parquet partitions path percent platform point
        previous proven psql publishing readable reason refused remote replace repo resources
        reviewed row rows run schedule seconds server settings sh sha short signature since size
        snapshot source sqlite stages state stop stopped subject table tables testing the there this
        tree undone unknown unreadable updated url usual values version view wanted weekly what
        where whole why without work""",
    )
)


def _strings(tree: ast.Module, *, docstrings: bool) -> Iterator[str]:
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and (docstrings or id(node) not in alone)
        ):
            yield node.value


NAMED = {"AssetCheckSpec", "AssetSpec", "TableColumn", "define_asset_job"}
"""What gives its first word to the user interface."""


def _labels(tree: ast.Module) -> Iterator[str]:
    """Words that something is shown under."""
    for node in ast.walk(tree):
        for label in _labels_of(node):
            first = label.values[0] if isinstance(label, ast.JoinedStr) else label
            word = first.value if isinstance(first, ast.Constant) else None
            if isinstance(word, str) and re.fullmatch("[a-z][a-z0-9 _/]*", word):
                yield word


def _labels_of(node: ast.AST) -> Sequence[ast.expr | None]:
    """Keys of mappings, the first of two words that make a line, names that Dagster shows, and what
    can be filled in in the Launchpad."""
    match node:
        case ast.Dict(keys=keys):
            return keys
        case ast.Subscript(ctx=ast.Store(), slice=key):
            return [key]
        case ast.Tuple(elts=[label, _]):
            return [label]
        case ast.Call(func=called, args=words, keywords=given):
            named = [word.value for word in given if word.arg in {"name", "group_name"}]
            return named + words[: ast.unparse(called).rpartition(".")[2] in NAMED]
        case ast.ClassDef(bases=[ast.Attribute(attr="Config")], body=lines):
            fields = [line.target for line in lines if isinstance(line, ast.AnnAssign)]
            return [ast.Constant(ast.unparse(field)) for field in fields]
    return []


HELPED = {"__init__", *VERBS}  # modules of the command line whose docstrings are printed


def _parsed(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def _known(word: str) -> bool:
    """``word``, or another form of it, is plain or part of an entry."""
    entries = PLAIN | {word for entry in GLOSSARY for word in entry.split()}
    ends = ("", "s", "d", "ed")
    return any(word.removesuffix(end) in entries or word + end in entries for end in ends)


def test_every_label_of_a_verb_or_of_the_user_interface_is_explained() -> None:
    shown = set(cli.list_commands(click.Context(cli)))
    for path, tree in _parsed("orchestration", "cli"):
        # What is written in the one is Dagster's own configuration, in the other names of folders.
        if path.parent.name != "dagster" and path.name != "__init__.py":
            shown |= set(_labels(tree))
    unknown = {
        word
        for label in shown - set(HSDS_TABLES)
        if not label.startswith(("dagster/", "--"))  # Dagster's own keys, and options
        for word in re.findall("[a-z]+", label)
        if not _known(word)
    }
    assert unknown == set()


def test_every_word_of_the_glossary_is_one_that_somebody_is_told() -> None:
    told = " ".join(
        text
        for path, tree in _parsed("")
        for text in _strings(tree, docstrings="cli" in path.parts and path.stem in HELPED)
    )
    told = re.sub(r"\s+", " ", told.replace("_", " ")).lower()
    assert {entry for entry in GLOSSARY if entry not in told} == set()


def test_the_glossary_has_each_word_once() -> None:
    assert len(ENTRIES) > 40
    assert len(ENTRIES) == len(GLOSSARY)
