"""What the documents tell people to type exists, and what they state is what the code does."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import click
import pytest

from ppr_assets import errors
from ppr_assets.cli import EXIT_CODES, cli
from ppr_assets.errors import PprError
from ppr_assets.rules.publication.policy import shipped_policy
from ppr_assets.settings import VARIABLES, Settings
from ppr_assets.settings.environment import read_dotenv
from ppr_assets_tests.places import ROOT
from ppr_assets_tests.published import DOCUMENT, with_policy
from ppr_assets_tests.screenshots import IMAGES, MOST_BYTES
from ppr_assets_tests.variables import ENV_EXAMPLE, README, env_example, with_table

DOCUMENTS = [README, *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^ *```\w*\n(?P<block>.*?)^ *```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`(?P<span>[^`\n]+)`(?!`)")
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")


@dataclass(frozen=True)
class Command:
    """A command line in a document. ``whole``: shown to be typed, not only mentioned."""

    document: Path
    line: int
    text: str
    whole: bool

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}: `{self.text}`"


def _commands(document: Path) -> Iterator[Command]:
    text = document.read_text(encoding="utf-8")
    for fence in FENCE.finditer(text):
        first = text.count("\n", 0, fence.start("block")) + 1
        for number, line in enumerate(fence["block"].splitlines()):
            yield Command(document, first + number, line.strip().removeprefix("$ "), whole=True)
    prose = FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), text)
    for span in SPAN.finditer(prose):
        line = prose.count("\n", 0, span.start()) + 1
        yield Command(document, line, span["span"], whole=False)


def _messages() -> Iterator[Command]:
    """Commands between backticks in the texts of the code: hints, help, errors."""
    for path in sorted((ROOT / "ppr_assets").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for span in SPAN.finditer(node.value):
                    yield Command(path, node.lineno, span["span"], whole=False)


@cache
def _shown() -> list[Command]:
    return [one for document in DOCUMENTS for one in _commands(document)] + [*_messages()]


@pytest.mark.slow
def test_every_make_target_that_is_shown_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    shown = {
        (str(command), name)
        for command in _shown()
        for name in re.findall(r"(?:^|&& |\w=\S+ )make ([a-z]\w*)", command.text)
    }
    assert shown, "no document shows a make target"
    wrong = [f"{where}: no target `{name}`" for where, name in shown if name not in targets]
    assert not wrong, _lines(wrong)


def test_every_command_line_that_is_shown_exists() -> None:
    shown = [command for command in _shown() if _arguments(command) is not None]
    assert any(command.document == README for command in shown)
    wrong = [f"{command}: {why}" for command in shown for why in _mistakes(command)]
    assert not wrong, _lines(wrong)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("ppr-assets dumb", "no verb `dumb`"),
        ("ppr-assets dump --force", "no option `--force`"),
        ("ppr-assets dump now", "`dump` takes no argument `now`"),
        ("ppr-assets restore latest.sql now", "`restore` takes no argument `now`"),
        ("ppr-assets ratchet reset --to 5", "`reset` needs --reason"),
        ("ppr-assets dump --override", "`--override` needs a value"),
    ],
)
def test_a_command_line_that_does_not_exist_is_seen(line: str, why: str) -> None:
    assert list(_mistakes(Command(README, 1, line, whole=True))) == [why]


def _arguments(command: Command) -> list[str] | None:
    """What follows ``ppr-assets``; None where that is not what the line calls."""
    found = re.match(r"(?:\S*/)?ppr-assets(?: +(?P<rest>.*))?$", command.text)
    if found is None:
        return None
    lexer = shlex.shlex(found["rest"] or "", posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    words = list(lexer)
    ends = (place for place, word in enumerate(words) if word[0] in "|&;<>")
    return words[: next(ends, len(words))]


def _mistakes(command: Command) -> Iterator[str]:
    words = iter(_arguments(command) or [])
    verb: click.Command = cli
    seen: set[str] = set()
    room = 0  # for arguments
    for word in words:
        if word.startswith("-") and word not in ("-", "--"):
            name, _, value = word.partition("=")
            options = {text: o for o in _options(verb) for text in [*o.opts, *o.secondary_opts]}
            if name not in options:
                yield f"no option `{name}`"
                return
            option = options[name]
            seen.add(option.name or "")
            given = option.is_flag or value or option.count or next(words, None) is not None
            if not given and not (option.metavar or "").startswith("["):
                yield f"`{name}` needs a value"
                return
        elif not isinstance(verb, click.Group):
            if room == 0:
                yield f"`{verb.name}` takes no argument `{word}`"
                return
            room -= 1
        elif (below := verb.get_command(click.Context(verb), word)) is None:
            yield f"no verb `{word}`"
            return
        else:
            verb = below
            room = sum(isinstance(parameter, click.Argument) for parameter in verb.params)
    if command.whole:
        yield from _missing(verb, seen)


def _missing(verb: click.Command, seen: set[str]) -> Iterator[str]:
    if not isinstance(verb, click.Group):
        for option in _options(verb):
            if option.required and option.name not in seen:
                yield f"`{verb.name}` needs {option.opts[0]}"


def _options(verb: click.Command) -> list[click.Option]:
    """The verb's options, click's own --help among them."""
    parameters = verb.get_params(click.Context(verb, help_option_names=["-h", "--help"]))
    return [parameter for parameter in parameters if isinstance(parameter, click.Option)]


def test_the_table_of_variables_is_the_one_of_the_settings() -> None:
    """Rows ``| NAME | default | meaning |`` below ``## Variables``, in the order of the code."""
    described = [(v.name, v.default, v.description) for v in VARIABLES]
    assert _table("Variables") == described, "write it anew with `make variables`"


def test_the_table_of_what_is_published_is_the_shipped_policy() -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    assert written == with_policy(written), "write it with `make variables`"
    assert all(f"| {table} |" in written for table in shipped_policy().tables)


def test_the_documents_of_the_variables_are_as_they_are_written_anew() -> None:
    written = README.read_text(encoding="utf-8"), ENV_EXAMPLE.read_text(encoding="utf-8")
    assert written == (with_table(written[0]), env_example()), "write them with `make variables`"


def test_the_example_of_a_dotenv_file_has_all_defaults_and_sets_nothing(tmp_path: Path) -> None:
    assert read_dotenv(ENV_EXAMPLE) == {}
    all_set = tmp_path / ".env"
    text = ENV_EXAMPLE.read_text(encoding="utf-8")
    all_set.write_text(re.sub(r"^#(?=[A-Z_]+=)", "", text, flags=re.MULTILINE), encoding="utf-8")
    assert list(read_dotenv(all_set)) == [variable.name for variable in VARIABLES]
    settings = Settings.from_environment({}, dotenv=all_set)
    told = replace(Settings.from_environment({}, dotenv=None), postgres_host_set=True)
    assert replace(settings, database=replace(settings.database, password=None)) == told


def test_the_table_of_exit_codes_is_the_one_of_the_errors_and_of_the_help() -> None:
    """Rows ``| 3 | refused by the gate |`` below ``## Exit codes``, in the words of ``--help``."""
    table = {int(code): meaning for code, meaning in _table("Exit codes")}
    assert set(table) == {0, *_exit_codes(PprError)}
    helped = re.findall(r"^  (\d+) +(.+)$", EXIT_CODES, re.MULTILINE)
    assert table == {int(code): meaning for code, meaning in helped}


def _exit_codes(error: type[PprError]) -> Iterator[int]:
    yield error.exit_code
    for child in error.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _exit_codes(child)


def _table(heading: str) -> list[tuple[str, ...]]:
    """The cells of the first table below a heading of the README, without its head."""
    text = README.read_text(encoding="utf-8")
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section is not None, f"README.md has no heading `## {heading}`"
    rows = re.findall(r"^\| (.+) \|$", section[1], re.MULTILINE)
    cells = [tuple(cell.strip().strip("`") for cell in row.split(" | ")) for row in rows]
    assert len(cells) > 2, f"README.md has no table `| … | … |` below `## {heading}`"
    return cells[2:]


def test_relative_links_lead_somewhere() -> None:
    broken = []
    for document in [*DOCUMENTS, ROOT / "CHANGELOG.md"]:
        text = FENCE.sub("", document.read_text(encoding="utf-8"))
        for link in LINK.finditer(text):
            target, _, anchor = unquote(link["target"]).partition("#")
            if ":" in target:
                continue
            file = (document.parent / target).resolve() if target else document
            if not file.is_file():
                broken.append(f"{document.relative_to(ROOT)}: {target} is no file")
            elif anchor and anchor not in _anchors(file):
                broken.append(f"{document.relative_to(ROOT)}: {target} has no heading #{anchor}")
    assert not broken, _lines(broken)


def _anchors(document: Path) -> set[str]:
    """Headings as a forge makes anchors of them."""
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_nothing_is_left_to_be_filled_in() -> None:
    left = [
        f"{document.relative_to(ROOT)}: {word}"
        for document in DOCUMENTS
        for word in re.findall(r"\b(?:[A-Z]+_OUTPUT|TODO|TBD|FIXME)\b", document.read_text())
    ]
    assert not left, _lines(left)


def test_no_tracked_file_knows_the_machine_it_was_written_on() -> None:
    private = re.compile(
        rb"(?<![\w.~*-])/(?:(?:home|Users)/(?!someone)|(?:root|work|workspace|builds)/)\w|/tmp/\w/"
    )
    found = [
        f"{name}:{number}: {line.strip()[:120].decode('utf-8', 'replace')}"
        for name in _tracked_files()
        for number, line in enumerate((ROOT / name).read_bytes().splitlines(), start=1)
        if private.search(line)
    ]
    assert not found, _lines(found)


def _tracked_files() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("no git clone: which files are the project's own is not known")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = [name for name in listed.stdout.split("\0") if name]
    text = (name for name in names if Path(name).suffix not in (".png", ".xz"))
    return [name for name in text if (ROOT / name).is_file()]


def _lines(complaints: list[str]) -> str:
    """All of them, one below the other: pytest shortens lists."""
    return "\n".join(["", *complaints])


def test_the_tests_that_a_document_names_are_there() -> None:
    named = {
        match.group()
        for document in DOCUMENTS
        for match in re.finditer(r"\b[\w/]+/test_\w+\.py", document.read_text(encoding="utf-8"))
    }
    assert len(named) > 20
    assert not [path for path in sorted(named) if not (ROOT / "ppr_assets_tests" / path).exists()]


def test_every_picture_is_shown_and_small() -> None:
    shown = {
        (document.parent / picture).resolve()
        for document in DOCUMENTS
        for picture in re.findall(r"!\[[^\]]+\]\(([^)\s]+)\)", document.read_text(encoding="utf-8"))
    }
    assert shown == {path.resolve() for path in IMAGES.iterdir()}
    assert [path for path in shown if path.stat().st_size > MOST_BYTES] == []


@pytest.mark.slow
def test_pictures_are_not_taken_without_a_browser(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "ppr_assets_tests.screenshots"],
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1
    assert said.stderr.startswith(
        "error: no Chromium on PATH, need one to take pictures: install it"
    )
