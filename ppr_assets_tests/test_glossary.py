"""The words that users read: plain, of the field, or in the glossary of docs/architecture.md."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache

import click
import pytest

from ppr_assets.cli import cli
from ppr_assets.orchestration.assets.tables import HSDS_TABLES
from ppr_assets_tests.places import ROOT
from ppr_assets_tests.texts import said, texts, words

_TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
_TABLE = _TEXT.partition("## Words")[2].partition("## Where state is")[0]
ENTRIES = [
    word
    for cell in re.findall(r"^\| ([a-z, ]+) \|", _TABLE, re.MULTILINE)
    for word in cell.split(", ")
    if cell != "word"  # the table's head
]
GLOSSARY = frozenset(ENTRIES)

LISTS = {
    name: (ROOT / "ppr_assets_tests" / "words" / f"{name}.txt").read_text().splitlines()
    for name in ("plain", "field")
}
"""``plain``: English that anybody knows. ``field``: words of git, PostgreSQL, Dagster and others in
their own meaning. One form of each word is enough."""

_WHAT_TO_DO = """\
These words are in no list. Choose a plain one, or that of git, PostgreSQL or Dagster, and add it to
ppr_assets_tests/words/plain.txt or field.txt; explain a word of our own in the glossary of
docs/architecture.md:"""

BANNED = {
    r"(?<![Tt]here )\b(?:is|are|was|were) no (?!longer|more|less|older|newer)": "say: is not a …",
    r"\b(?:is|are|was|were|be) told\b": "say who hears of it, or what is shown, named, reported",
    r"\b(?:leave|leaves|leaving|left)\b[^.;:]{0,40}? away\b": "say: leave out",
}


@cache
def _forms(word: str) -> frozenset[str]:
    """``word``, and what it may be a plural or another form of."""
    shorter = set()
    if word.endswith("s") and not word.endswith("ss"):
        shorter |= {word[:-1], word.removesuffix("es")}
    for end in ("ed", "ing"):
        stem = word.removesuffix(end)
        if stem not in {word, ""}:
            shorter |= {stem, stem + "e", stem[:-1] if stem[-1:] == stem[-2:-1] else stem}
    if word.endswith(("ies", "ied")):
        shorter.add(word[:-3] + "y")
    longer = (_forms(form) for form in shorter - {word} if len(form) > 2)
    return frozenset({word}).union(*longer)


@cache
def _shown() -> dict[str, dict[str, str]]:
    """Each word that users read: where, and in what."""
    shown: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for path, text in texts():
        for word in words(text):
            shown[word].setdefault(path, text)
    for path, label in [
        *_labels(),
        *(("cli", verb) for verb in cli.list_commands(click.Context(cli))),
    ]:
        for word in words(re.sub("[^a-z]", " ", label)):
            shown[word].setdefault(path, label)
    return dict(shown)


def _labels() -> Iterator[tuple[str, str]]:
    """Of verbs and of the user interface, but for Dagster's own."""
    for path, label in said()[1]:
        own = path.startswith("cli/dagster/") or label.startswith("dagster/")
        if not (own or path.endswith("__init__.py") or label in HSDS_TABLES):
            yield path, label


def _entries() -> Counter[str]:
    """In how many of the lists and the glossary each form of a word is."""
    glossary = {form for entry in GLOSSARY for word in entry.split() for form in _forms(word)}
    listed = [form for words in LISTS.values() for word in words for form in _forms(word)]
    return Counter([*glossary, *listed])


def test_every_word_that_users_read_is_plain_of_the_field_or_explained() -> None:
    known = _entries()
    unknown = [
        f"`{word}` in {path}: {' '.join(text.split())[:150]!r}"
        for word, places in sorted(_shown().items())
        if not any(form in known for form in _forms(word))
        for path, text in places.items()
    ]
    if unknown:
        pytest.fail("\n".join([_WHAT_TO_DO, *unknown]), pytrace=False)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_has_no_word_that_nobody_reads(name: str) -> None:
    shown = {form for word in _shown() for form in _forms(word)}
    assert [word for word in LISTS[name] if not _forms(word) & shown] == []


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_sorted_and_has_nothing_that_is_listed_or_explained_already(name: str) -> None:
    assert LISTS[name] == sorted(LISTS[name])
    entries = _entries()
    twice = {word: [form for form in _forms(word) if entries[form] > 1] for word in LISTS[name]}
    assert {word: forms for word, forms in twice.items() if forms} == {}


def test_no_text_has_a_phrase_that_is_not_english() -> None:
    wrong = [
        f"{path}: {found[0]!r} in {' '.join(text.split())[:150]!r}: {instead}"
        for path, text in texts()
        for phrase, instead in BANNED.items()
        if (found := re.search(phrase, text))
    ]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def test_every_word_of_the_glossary_is_one_that_somebody_meets() -> None:
    pages = _TEXT.replace(_TABLE, " ")
    read = " ".join([pages, *(text for _, text in said()[0])])
    read = re.sub(r"[_\s]+", " ", read).lower()
    assert {entry for entry in GLOSSARY if entry not in read} == set()


def test_the_glossary_has_each_word_once() -> None:
    assert len(ENTRIES) > 40
    assert len(ENTRIES) == len(GLOSSARY)
