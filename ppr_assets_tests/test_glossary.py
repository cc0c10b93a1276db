"""The glossary of docs/architecture.md: whole, and without words that nobody meets."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click

from ppr_assets.cli import VERBS, cli
from ppr_assets.orchestration.assets.tables import HSDS_TABLES
from ppr_assets_tests.places import ROOT

PACKAGE = ROOT / "ppr_assets"
_TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
_TABLE = _TEXT.partition("## Words")[2].partition("## Rooms")[0]
GLOSSARY = frozenset(re.findall(r"^\| ([a-z ]+) \|", _TABLE, re.MULTILINE)) - {"word"}

# Labels that say what they say anywhere, and those of git, PostgreSQL, Dagster and click.
PLAIN = frozenset(
    re.findall(
        "[a-z]+",
        """accepted added after age asked at author because before branch but by bytes changes
        cleanup code column command commit committed config console count counts dagster damaged
        decided decisions demo detail dev differences elsewhere equals error errors events exit
        failed fetch files filled git good half have help hint home hours impossible kept key kind
        labels level list locations log loggers looked loose made mapping message metadata metrics
        monthly movements named names need night nightly of ok ops option organizations origin
        other outcome packed partitions path percent platform previous proven publishing reason
        refused remote repo resources reviewed row rows run schedule seconds server settings sha
        signature snapshot source state stopped subject table tables the tree unknown unreadable
        updated url values version what where why without work""",
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


def _labels(tree: ast.Module) -> Iterator[str]:
    """Keys of what is shown: of mappings written out, and set one by one."""
    for node in ast.walk(tree):
        keys: list[ast.expr | None] = []
        if isinstance(node, ast.Dict):
            keys = list(node.keys)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            keys = [node.slice]
        yield from (
            key.value
            for key in keys
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.islower()
        )


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
        if path.parent.name != "dagster":  # what is written there is Dagster's own configuration
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
    entries = re.findall(r"^\| ([a-z ]+) \|", _TABLE, re.MULTILINE)
    assert len(entries) > 40
    assert len(entries) == len(set(entries))
