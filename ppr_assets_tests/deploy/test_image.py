"""The container image. Its steps are done in a root that debootstrap has made, and the pipeline
runs in there as whoever it is told to be, on a root file system that is read only."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ppr_assets_tests.deploy.dockerfile import Stage, build, instructions
from ppr_assets_tests.deploy.test_compose import COMPOSE, GIVEN, interpolated
from ppr_assets_tests.places import ROOT

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
NEEDED = ("debootstrap", "bwrap", "setpriv", "apt-get")
WORKSPACE = ROOT / "deploy" / "workspace.yaml"
REHEARSAL = Path(__file__).with_name("rehearsal.sh")
SERVICES = ("db", "dagster-db", "code", "webserver", "public")
ANYBODY = "54321:54321"
CONFIGURED = (*map(Path, ("/etc/pip.conf", "/etc/xdg/pip", "/etc/resolv.conf")),)
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
"""How this machine reaches its packages."""


def test_a_linter_of_dockerfiles_has_nothing_to_say() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    found = subprocess.run([linter, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


def test_it_runs_as_nobody_special_and_says_how_it_is() -> None:
    said = dict(instructions(DOCKERFILE.read_text()))
    assert said["USER"] != "0"
    assert "grpc-health-check" in said["HEALTHCHECK"]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """What the Dockerfile makes, of Debian's packages alone. In CI only: it takes two minutes."""
    if os.environ.get("CI") != "true":
        pytest.skip("an image is built only where CI=true is set: it takes two minutes")
    missing = [name for name in NEEDED if not shutil.which(name)]
    assert not missing and os.getuid() == 0, f"to build an image takes root and {missing}"
    folder = tmp_path_factory.mktemp("image")
    base = _debootstrapped(folder / "base")
    subprocess.run(["cp", "-a", base, folder / "build"], check=True)  # /dev is in it
    text = DOCKERFILE.read_text()
    given = {"PGDG": "", "CLIENTS": "17"}
    yield build(text, ROOT, [folder / "build", base], given, _configured())
    shutil.rmtree(folder)


def _debootstrapped(root: Path) -> Path:
    """What ``debian:trixie-slim`` is, from where this machine takes its packages."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    mirror = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()[0]
    words = ["debootstrap", "--variant=minbase", "trixie", str(root), mirror]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return root


def _configured() -> list[str]:
    found = [str(path) for path in CONFIGURED if path.exists()]
    options = [part for path in found for part in ("--ro-bind", path, path)]
    if CERTIFICATES.exists():  # which the image's own package is to write anew
        options += ["--ro-bind", str(CERTIFICATES), "/run/certificates"]
        options += ["--setenv", "PIP_CERT", "/run/certificates"]
    return options


def run(image: Stage, *words: str, state: Path, more: Sequence[str] = ()) -> str:
    """A command in the image, where only the volumes can be written to."""
    volumes = [*more]
    for name in ("data-repo", "dagster/storage", "tmp"):
        place = state / name
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o1777)
        volumes += ["--bind", str(place), f"/{name}"]
    done = subprocess.run(
        image.command([*image.entrypoint, *words], volumes, read_only=True),
        capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(900)
def test_the_whole_story_runs_for_any_user_on_a_root_that_is_read_only(
    image: Stage, tmp_path: Path
) -> None:
    anybody = replace(image, user=ANYBODY, folder="/tmp")
    version = run(anybody, "pg_dump", "--version", state=tmp_path)
    assert version.startswith("pg_dump (PostgreSQL) 17")
    assert "refused" in run(anybody, "ppr-assets", "demo", state=tmp_path)


@pytest.mark.timeout(900)
def test_the_services_of_compose_find_each_other_and_are_well(image: Stage, tmp_path: Path) -> None:
    """Their own commands, side by side in one container without a network, each at an address of
    its own; the servers are the embedded ones."""
    hosts = {name: f"127.0.0.{at}" for at, name in enumerate(SERVICES, 2)}
    known = {"localhost": "127.0.0.1"} | hosts
    (tmp_path / "hosts").write_text("".join(f"{known[name]} {name}\n" for name in known))
    services = yaml.safe_load(interpolated(COMPOSE.read_text()))["services"]
    script = REHEARSAL.read_text()
    for name, one in services.items():
        for what, words in (("command", one.get("command")), ("healthy", _health(one))):
            line = shlex.join(words).replace("0.0.0.0", name) if words else ""
            script = script.replace(f"@{what} {name}@", line.replace("127.0.0.1", name))
    environment = GIVEN | services["code"]["environment"]
    more = [part for pair in environment.items() for part in ("--setenv", *pair)]
    more += ["--ro-bind", str(tmp_path / "hosts"), "/etc/hosts"]
    more += ["--ro-bind", str(WORKSPACE), "/dagster/workspace.yaml"]
    told = run(
        image, "bash", "-c", script, state=tmp_path, more=["--unshare-net", "--unshare-pid", *more]
    )
    assert told.splitlines()[-4:] == ["code", "webserver", "public", "daemon"]


def _health(service: Mapping[str, Any]) -> list[str]:
    test = service.get("healthcheck", {}).get("test", [])
    return [word for word in test[1:] if test[0] == "CMD"]
