"""The overlay that gives each run a container, as Compose, Dagster and Docker read it."""

from __future__ import annotations

import re
from typing import Any

import compose_spec
import pytest
import yaml
from dagster_docker import DockerRunLauncher
from docker.models.containers import _create_container_args  # type: ignore[import-untyped]

from ppr_assets.settings import VARIABLES
from ppr_assets_tests.deploy.test_compose import COMPOSE, GIVEN, interpolated
from ppr_assets_tests.places import ROOT

OVERLAY = ROOT / "deploy" / "compose.docker-runs.yaml"
ALL = GIVEN | {"CONTAINER_USER": "1000:1000", "DOCKER_GROUP": "999", "PWD": "/srv/deploy"}


@pytest.fixture
def overlay() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(interpolated(OVERLAY.read_text(), ALL))
    return found


@pytest.fixture
def instance(overlay: dict[str, Any]) -> dict[str, Any]:
    """dagster.yaml of daemon and UI."""
    found: dict[str, Any] = yaml.safe_load(overlay["configs"]["dagster"]["content"])
    return found


def test_compose_takes_it_as_it_is() -> None:
    text = interpolated(OVERLAY.read_text(), ALL)
    compose_spec.PyOptions(apply_merge=True).from_yaml(text).validate()


def test_dagster_is_set_up_as_everywhere_else(instance: dict[str, Any]) -> None:
    del instance["run_launcher"]
    assert instance == yaml.safe_load((ROOT / "dagster.yaml").read_text())


def test_a_run_has_no_right_more_than_the_code_server(instance: dict[str, Any]) -> None:
    config = instance["run_launcher"]["config"]
    launcher = DockerRunLauncher(**config)
    started = _create_container_args(
        {"image": launcher.image, "command": [], "version": "1.45"} | launcher.container_kwargs
    )
    host = started["host_config"]
    assert (started["user"], host["ReadonlyRootfs"]) == ("1000:1000", True)
    assert (host["CapDrop"], host["Init"]) == (["ALL"], True)
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert "/var/run/docker.sock" not in str(started)


def test_what_it_is_given_is_there(overlay: dict[str, Any], instance: dict[str, Any]) -> None:
    services = yaml.safe_load(interpolated(COMPOSE.read_text()))["services"]
    config = instance["run_launcher"]["config"]
    here = {name.partition("=")[0] for name in config["env_vars"]}
    assert here <= {variable.name for variable in VARIABLES}
    from_the_daemon = {name for name in config["env_vars"] if "=" not in name}
    assert from_the_daemon <= services["daemon"]["environment"].keys()
    named = {one["name"] for one in overlay["volumes"].values()}
    mounted = {one.split(":")[0] for one in config["container_kwargs"]["volumes"]}
    assert mounted == named | {"/srv/deploy/.env"}
    assert config["network"] == overlay["networks"]["default"]["name"]
    assert config["image"] == services["code"]["image"]


def test_only_daemon_and_ui_may_start_containers(overlay: dict[str, Any]) -> None:
    services = overlay["services"]
    with_the_socket = {name for name, one in services.items() if "docker.sock" in str(one)}
    assert with_the_socket == {"daemon", "webserver"}
    needed = set(re.findall(r"\$\{(\w+):\?", OVERLAY.read_text()))
    assert needed == {"CONTAINER_USER", "DOCKER_GROUP", "PWD"}
