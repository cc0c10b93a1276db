"""``--env-file``, ``-v`` and ``-q`` on either side of any verb."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ppr_assets.cli import VERBS, cli
from ppr_assets.cli.shared.common_options import with_common_options
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_git import GitWorld


def _all(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from _all(below, (*path, name))


def _verbs() -> Iterator[tuple[str, ...]]:
    for verb in VERBS:
        command = cli.get_command(click.Context(cli), verb)
        assert command is not None
        yield from _all(command, (verb,))


@pytest.mark.parametrize("verb", [(), *_verbs()], ids=" ".join)
def test_every_verb_takes_them_also_after_its_name(verb: tuple[str, ...]) -> None:
    called = [*verb, "--env-file", "there-is-none", "-q", "-v"]
    with pytest.raises(click.BadParameter, match="'there-is-none' does not exist"):
        cli.main(called, standalone_mode=False)


def test_a_verb_below_another_is_listed_with_its_whole_first_sentence() -> None:
    @click.group()
    def deciding() -> None:
        """Decide."""

    @deciding.command()
    def long() -> None:
        """Decide on what nobody has decided on since the beginning, and say
        whose decision that is, for everybody to read.

        More of it.
        """

    with_common_options(deciding)
    assert long.get_short_help_str(20) == (
        "Decide on what nobody has decided on since the beginning, and say whose decision that "
        "is, for everybody to read."
    )


@pytest.fixture
def env(tmp_path: Path, bare_remote: Path, git_world: GitWorld) -> Path:
    """A file of variables that leads to a data repository without a dump."""
    file = tmp_path / "variables"
    clone = git_world.copy("data-repo", tmp_path / "data-repo")
    lines = [f"DATA_REPO_PATH={clone}", f"DATA_REPO_URL={bare_remote}"]
    file.write_text("\n".join([*lines, "SQL_DUMP_KEEP_LATS=3", "POSTGRES_PASSWORD=", ""]))
    return file


def test_the_variables_are_those_of_the_file_on_either_side(env: Path, tmp_path: Path) -> None:
    call = CommandLine(tmp_path)
    before = call("--env-file", str(env), "list")
    after = call("list", "--env-file", str(env))
    assert before.code == after.code == 0
    assert "no dump was published yet" in before.err
    assert before.err.splitlines()[1:] == after.err.splitlines()[1:]


@pytest.mark.parametrize("verb_first", [True, False])
def test_quiet_says_nothing_but_errors(env: Path, tmp_path: Path, verb_first: bool) -> None:
    call = CommandLine(tmp_path)

    def quiet(verb: str, *more: str) -> tuple[str, ...]:
        return (verb, "-q", *more) if verb_first else ("-q", verb, *more)

    said = call("--env-file", str(env), *quiet("list"))
    assert (said.code, said.out, said.err) == (0, "", "")
    wrong = call("--env-file", str(env), *quiet("verify", "nothing.sql"))
    assert wrong.code != 0
    assert wrong.err != ""


def test_verbose_tells_which_programs_are_started_but_not_what_only_guards_them(
    env: Path, tmp_path: Path
) -> None:
    told = CommandLine(tmp_path)("list", "-v", "--env-file", str(env)).err.splitlines()
    started = [line for line in told if line.startswith("+ ")]
    assert any(line.startswith("+ git ") and " fetch " in line for line in started)
    assert [line for line in started if not line.startswith("+ git ")] == []
    assert "looking at" in "\n".join(told)
