"""Setting up a clone: once, again when what it is made from changes, and with words when it fails.

A Python that only keeps a record stands in, so that nothing is downloaded: what it was asked to
do is the test's subject. The real set-up is what runs these tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ppr_assets_tests.places import ROOT

VENV_PYTHON = """#!/bin/sh
echo "venv $*" >> {record}
case "$*" in *--require-hashes*) exit $(cat {folder}/pip-exit) ;; esac
"""
pytestmark = pytest.mark.slow

PYTHON = """#!/bin/sh
case "$*" in
  *version_info*) exec {real} -c "import sys; sys.version_info = {version}; $2" ;;
  *ensurepip*) exit {no_venv} ;;
  *cpu_count*) echo 2; exit ;;
esac
echo "python $*" >> {record}
mkdir -p .venv/bin
rm -f .venv/.[!.]*
cp {folder}/venv-python .venv/bin/python
for program in ppr-assets pytest ruff mypy lint-imports; do
  cp {folder}/verb .venv/bin/$program
done
"""


class Clone:
    """A folder with the Makefile and what it reads, and the stand-in for Python."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.record = folder / "clone", folder / "record"
        self.tools = folder
        self.folder.mkdir()
        for name in ("Makefile", "pyproject.toml", "requirements-dev.lock"):
            shutil.copy(ROOT / name, self.folder)
        self.pip_exits(0)
        self._script("venv-python", VENV_PYTHON.format(record=self.record, folder=folder))
        self._script("verb", f'#!/bin/sh\necho "verb ${{0##*/}} $*" >> {self.record}\n')
        self.python()

    def python(self, version: tuple[int, int] = (3, 12), no_venv: int = 0) -> None:
        self._script(
            "python",
            PYTHON.format(
                record=self.record,
                folder=self.tools,
                real=sys.executable,
                version=version,
                no_venv=no_venv,
            ),
        )

    def pip_exits(self, code: int) -> None:
        (self.tools / "pip-exit").write_text(str(code))

    def make(self, target: str = "demo", *more: str) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
        return subprocess.run(
            ["make", target, f"PYTHON={self.tools / 'python'}", *more],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def done(self) -> list[str]:
        """What was done since the last call: set-ups, installations, verbs."""
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        self.record.unlink(missing_ok=True)
        words = {
            "python -m venv --clear .venv": "new venv",
            "--require-hashes": "locked",
            "--editable": "project",
            "verb": "verb",
        }
        return [next(word for part, word in words.items() if part in line) for line in lines]

    def _script(self, name: str, text: str) -> None:
        path = self.tools / name
        path.write_text(text)
        path.chmod(0o755)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


WHOLE = ["new venv", "locked", "project", "verb"]


def test_the_first_target_sets_up_and_says_so_in_one_line(clone: Clone) -> None:
    made = clone.make()
    assert made.returncode == 0, made.stderr
    assert clone.done() == WHOLE
    assert made.stdout == ""
    assert made.stderr.count("\n") == 1
    assert made.stderr.startswith("Setting up .venv from requirements-dev.lock (Python 3.12")


def test_a_set_up_clone_is_not_set_up_again(clone: Clone) -> None:
    clone.make()
    clone.done()
    for file in ("pyproject.toml", "requirements-dev.lock"):
        (clone.folder / file).touch()
    again = clone.make()
    assert clone.done() == ["verb"]
    assert again.stderr == ""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda c: _append(c.folder / "requirements-dev.lock"), WHOLE),
        (lambda c: _append(c.folder / "pyproject.toml"), ["project", "verb"]),
        (lambda c: c.python(version=(3, 13)), WHOLE),
    ],
    ids=["lock", "pyproject", "python"],
)
def test_a_change_is_set_up_again_as_far_as_it_reaches(
    clone: Clone, change: Callable[[Clone], None], expected: list[str]
) -> None:
    clone.make()
    clone.done()
    change(clone)
    assert clone.make().returncode == 0
    assert clone.done() == expected


def test_an_interrupted_set_up_starts_over(clone: Clone) -> None:
    clone.pip_exits(1)
    assert clone.make().returncode != 0
    assert clone.done() == ["new venv", "locked"]
    clone.pip_exits(0)
    assert clone.make().returncode == 0
    assert clone.done() == WHOLE


@pytest.mark.parametrize("version", [(2, 7), (3, 10), (3, 15)])
def test_an_unfit_python_gets_one_line_that_says_what_to_do(
    clone: Clone, version: tuple[int, int]
) -> None:
    clone.python(version=version)
    made = clone.make()
    assert made.returncode != 0
    said = made.stderr.splitlines()[0]
    assert "is Python {}.{}, need Python 3.11 to 3.14".format(*version) in said
    assert "PYTHON=python3.12 make test" in said
    assert clone.done() == []


@pytest.mark.parametrize("version", [(3, 11), (3, 14)])
def test_the_first_and_the_last_fit_python_are_taken(
    clone: Clone, version: tuple[int, int]
) -> None:
    clone.python(version=version)
    assert clone.make().returncode == 0


def test_a_python_that_is_not_there_gets_the_same_line(clone: Clone) -> None:
    (clone.tools / "python").unlink()
    made = clone.make()
    assert made.returncode != 0
    assert "cannot be run, need Python 3.11 to 3.14" in made.stderr


def test_a_python_without_venv_gets_one_line_that_says_what_to_do(clone: Clone) -> None:
    clone.python(no_venv=1)
    made = clone.make()
    assert made.returncode != 0
    assert "has no venv module: install it" in made.stderr.splitlines()[0]
    assert clone.done() == []


LINT = ["ruff check", "ruff format --check", "mypy ", "lint-imports "]
COLLECTED = "pytest --collect-only -q"


@pytest.mark.parametrize(
    ("target", "before", "words"),
    [
        ("quick", LINT, ["-m not server and not campaign and not slow"]),
        ("test", [COLLECTED, *LINT], ["--dist loadfile --no-loadscope-reorder"]),
        ("campaign SEED=7 MINUTES=2", [], ["-m campaign", "-seed=7", "-minutes=2"]),
        ("campaign", [], ["-m campaign", "-seed=1", "-minutes=30"]),
    ],
)
def test_the_targets_that_test_say_to_pytest_what_they_promise(
    clone: Clone, target: str, before: list[str], words: list[str]
) -> None:
    made = clone.make(*target.split())
    assert made.returncode == 0, made.stderr
    called = [line[5:] for line in clone.record.read_text().splitlines() if line[:5] == "verb "]
    assert [line for line in called[:-1] if line != COLLECTED] == [
        *filter(LINT.__contains__, before)
    ]
    assert (COLLECTED in called[:-1]) == (COLLECTED in before)  # beside them
    assert called[-1].startswith("pytest ")
    assert [word for word in words if word not in called[-1]] == []
    assert ("not server" in called[-1]) == (target == "quick")


def test_what_cannot_be_collected_is_shown_and_nothing_is_tested(clone: Clone) -> None:
    clone.make("setup")
    (clone.folder / ".venv/bin/pytest").write_text(
        f'#!/bin/sh\necho "verb pytest $*" >> {clone.record}\n'
        'echo "ERROR test_mark.py: no module"; exit 2\n'
    )
    made = clone.make("test")
    assert made.returncode != 0
    assert "ERROR test_mark.py: no module" in made.stdout
    assert clone.record.read_text().count("verb pytest") == 1


def test_pytest_takes_what_a_campaign_says_to_it(clone: Clone) -> None:
    """A number after a blank would be a file to it, and then no folder's options are known."""
    assert clone.make("campaign", "SEED=7", "MINUTES=2").returncode == 0
    words = clone.record.read_text().splitlines()[-1].removeprefix("verb pytest ").split()
    asked = [sys.executable, "-m", "pytest", *words, "--markers"]  # runs none
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_clean_removes_what_the_project_made_and_nothing_else(clone: Clone) -> None:
    clone.make()
    for name in (".local/postgres", ".mypy_cache", "ppr_assets/__pycache__", "mine/.local"):
        (clone.folder / name).mkdir(parents=True)
    (clone.folder / ".env").touch()
    assert clone.make("clean").returncode == 0
    assert sorted(path.name for path in clone.folder.iterdir()) == [
        ".env",
        "Makefile",
        "mine",
        "ppr_assets",
        "pyproject.toml",
        "requirements-dev.lock",
    ]
    assert (clone.folder / "mine/.local").is_dir()
    assert not (clone.folder / "ppr_assets/__pycache__").exists()


def test_setup_sets_up_and_does_nothing_else(clone: Clone) -> None:
    assert clone.make("setup").returncode == 0
    assert clone.done() == WHOLE[:-1]
    again = clone.make("setup")
    assert (again.returncode, clone.done()) == (0, [])


@pytest.mark.parametrize("refused", [True, False], ids=["looked, and refused", "nobody can look"])
def test_clean_removes_nothing_where_more_than_the_demo_may_be_lost(
    clone: Clone, refused: bool
) -> None:
    clone.make()
    (clone.folder / ".local").mkdir()
    python = clone.folder / ".venv/bin/python"
    if refused:
        python.write_text("#!/bin/sh\nexit 1\n")
    else:
        shutil.rmtree(clone.folder / ".venv")
    made = clone.make("clean")
    assert made.returncode != 0
    assert (clone.folder / ".local").is_dir()
    assert python.exists() == refused
    assert ("run make setup first" in made.stderr) != refused


def _append(path: Path) -> None:
    path.write_text(path.read_text() + "# changed\n")
