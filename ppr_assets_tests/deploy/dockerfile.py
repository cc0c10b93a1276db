"""A Dockerfile's steps, done in a folder that is a system's root, where no engine is.

Only what ours uses is known: FROM, ARG, ENV, SHELL, WORKDIR, COPY, RUN, and for what is run
afterwards USER and ENTRYPOINT."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_INSTRUCTION = re.compile(r"^([A-Z]+)\s+((?:.*\\\n)*.*)$", re.MULTILINE)
_COMMENT = re.compile(r"^\s*#.*\n", re.MULTILINE)
_TOLD_OF = frozenset({"EXPOSE", "CMD", "HEALTHCHECK"})


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Each by its name, with the rest of it on one line."""
    for name, rest in _INSTRUCTION.findall(_COMMENT.sub("", text)):
        yield name, re.sub(r"\s*\\\n\s*", " ", rest).strip()


@dataclass
class Stage:
    """A root folder and what stands for the next step in it."""

    root: Path
    shell: Sequence[str] = ("/bin/sh", "-c")
    folder: str = "/"
    user: str = "0:0"
    entrypoint: Sequence[str] = ()
    env: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)

    def command(
        self, words: Sequence[str], more: Sequence[str], *, read_only: bool = False
    ) -> list[str]:
        """``words`` in this root. ``more``: further options of bwrap."""
        uid, _, gid = self.user.partition(":")
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"} | self.env
        return [
            "bwrap",
            *("--ro-bind" if read_only else "--bind", str(self.root), "/"),
            *("--dev", "/dev", "--proc", "/proc", "--clearenv", "--die-with-parent"),
            *(part for pair in env.items() for part in ("--setenv", *pair)),
            *more,
            *("--chdir", self.folder),
            *("setpriv", "--reuid", uid, "--regid", gid or uid, "--clear-groups", "--", *words),
        ]


def build(
    text: str, context: Path, bases: Sequence[Path], given: Mapping[str, str], more: Sequence[str]
) -> Stage:
    """Do each stage of the Dockerfile in the next of the folders ``bases``, which hold what FROM
    names; ``given``: build arguments. Returns the last stage."""
    stages: dict[str, Stage] = {}
    free = iter(bases)
    stage = None
    for name, rest in instructions(text):
        if name == "FROM":
            stage = Stage(next(free))
            stages[rest.partition(" AS ")[2] or "last"] = stage
            continue
        assert stage is not None, f"{name} before FROM"
        if name == "RUN":
            words = [*stage.shell, rest]
            arguments = [part for pair in stage.arguments.items() for part in ("--setenv", *pair)]
            done = subprocess.run(
                stage.command(words, [*more, *arguments]),
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"RUN {rest}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        elif name == "COPY":
            _copy(stage, shlex.split(rest), stages, context)
        else:
            _set(stage, name, rest, given)
    assert stage is not None
    return stage


def _set(stage: Stage, name: str, rest: str, given: Mapping[str, str]) -> None:
    if name == "ARG":
        key, _, value = shlex.split(rest)[0].partition("=")
        stage.arguments[key] = given.get(key, value)
    elif name == "ENV":
        stage.env |= dict(word.split("=", 1) for word in shlex.split(rest))
    elif name == "SHELL":
        stage.shell = json.loads(rest)
    elif name == "WORKDIR":
        stage.folder = rest
        (stage.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
    elif name == "ENTRYPOINT":
        stage.entrypoint = json.loads(rest)
    elif name == "USER":
        stage.user = rest
    else:
        assert name in _TOLD_OF, f"nothing here does {name}"


def _copy(stage: Stage, words: Sequence[str], stages: Mapping[str, Stage], context: Path) -> None:
    options = [word for word in words if word.startswith("--")]
    *sources, target = [word for word in words if not word.startswith("--")]
    origin = context
    for option in options:
        key, _, value = option.partition("=")
        assert key == "--from", f"nothing here does COPY {option}"
        origin = stages[value].root
    into = stage.root / Path(stage.folder, target).relative_to("/")
    for source in sources:
        found = origin / source.lstrip("/")
        if found.is_dir():
            shutil.copytree(found, into, symlinks=True, dirs_exist_ok=True)
        else:
            folder = into if target.endswith("/") or len(sources) > 1 else into.parent
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(found, folder / (found.name if folder == into else into.name))
