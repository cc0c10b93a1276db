"""What the README says to put into a shell's file, in that shell: a TAB completes.

A shell that is not here is left out, visibly; bash has to be here.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ppr_assets_tests.fix_command_line import PROGRAM
from ppr_assets_tests.places import ROOT

pytestmark = pytest.mark.slow

SECONDS = 60


def _line(shell: str) -> str:
    """What the README says for this shell."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (found,) = re.findall(
        rf"^(.*_PPR_ASSETS_COMPLETE={shell}_source.*?)(?:  +#.*)?$", text, re.MULTILINE
    )
    return str(found)


def _shell(name: str, *options: str, script: str) -> str:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    done = subprocess.run(
        [name, *options, script],
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _environment() -> dict[str, str]:
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "TERM": "dumb"}


def test_bash_completes() -> None:
    completed = _shell(
        "bash",
        "--norc",
        "-c",
        script=f"""{_line("bash")}
        function_of() {{ complete -p ppr-assets | sed 's/.*-F \\([^ ]*\\).*/\\1/'; }}
        complete_() {{ COMPREPLY=(); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
          $(function_of) ppr-assets
          echo "${{COMPREPLY[@]}}"; }}
        complete_ ppr-assets dri; complete_ ppr-assets policy re; complete_ ppr-assets dump --over
        """,
    )
    assert completed.split() == ["drill", "review", "--override"]


def test_fish_completes() -> None:
    completed = _shell(
        "fish",
        "--no-config",
        "-c",
        script=f"{_line('fish')}\ncomplete -C 'ppr-assets dri'; complete -C 'ppr-assets dump --o'",
    )
    verbs = [line.split("\t")[0] for line in completed.splitlines()]
    assert verbs == ["drill", "--override"]


def test_zsh_completes(tmp_path: Path) -> None:
    """At a terminal, since nothing else makes it complete."""
    zsh = shutil.which("zsh")
    if zsh is None:
        pytest.skip("zsh is not installed")
    (tmp_path / ".zshrc").write_text(
        f"PS1='> '; autoload -U compinit; compinit -u -D\n{_line('zsh')}\nprint ready\n"
    )
    child, terminal = pty.fork()
    if child == 0:
        os.execve(zsh, ["zsh", "-i"], {**_environment(), "ZDOTDIR": str(tmp_path)})
    try:
        _read_until(terminal, b"ready")
        os.write(terminal, b"ppr-assets dri\t")
        _read_until(terminal, b"drill")
    finally:
        os.close(terminal)
        os.waitpid(child, 0)


def _read_until(terminal: int, expected: bytes) -> None:
    said = b""
    while expected not in said:
        said += os.read(terminal, 1000)
