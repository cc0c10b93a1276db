"""compose.yaml and the file of its variables, as Compose would read them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from ppr_assets_tests.places import ROOT
from ppr_assets_tests.variables import COMPOSE_EXAMPLE, compose_example

COMPOSE = ROOT / "deploy" / "compose.yaml"
OURS = ("migrate", "init", "code", "daemon", "webserver", "public", "metrics")
GIVEN = {"POSTGRES_PASSWORD": "one", "DAGSTER_PASSWORD": "two"}
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def interpolated(text: str, given: dict[str, str] = GIVEN) -> str:
    """As Compose does it: ``${NAME:-default}``, and ``${NAME:?why not}`` for what has to be set."""

    def value(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if kind == "?":
            return given[name]
        return given.get(name) or rest or ""

    return _VARIABLE.sub(value, text)


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(interpolated(COMPOSE.read_text()))["services"]
    return found


def test_compose_takes_it_as_it_is() -> None:
    read = compose_spec.PyOptions(apply_merge=True).from_yaml(interpolated(COMPOSE.read_text()))
    read.validate()
    assert set(read.service_names()) == {"db", "dagster-db", "prometheus", *OURS}


def test_nobody_starts_it_without_passwords_of_his_own() -> None:
    assert {name for name, kind, _ in _VARIABLE.findall(COMPOSE.read_text()) if kind == "?"} == {
        *GIVEN
    }
    with pytest.raises(KeyError, match="DAGSTER_PASSWORD"):
        interpolated(COMPOSE.read_text(), {"POSTGRES_PASSWORD": "one"})


def test_the_example_has_each_variable_and_is_as_it_is_written_anew() -> None:
    written = COMPOSE_EXAMPLE.read_text()
    assert written == compose_example(), "write it with `make variables`"
    asked = {name for name, _, _ in _VARIABLE.findall(COMPOSE.read_text())}
    assert asked <= set(re.findall(r"^#?(\w+)=", written, re.MULTILINE))


@pytest.mark.parametrize("name", OURS)
def test_what_is_ours_has_no_rights_that_it_does_not_need(
    services: dict[str, dict[str, Any]], name: str
) -> None:
    one = services[name]
    assert one["user"] == "10001:10001"
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]


def test_only_the_ui_without_buttons_is_for_other_machines(
    services: dict[str, dict[str, Any]],
) -> None:
    assert {name: one["ports"] for name, one in services.items() if "ports" in one} == {
        "webserver": ["127.0.0.1:3000:3000"],
        "public": ["3001:3000"],
        "metrics": ["127.0.0.1:9090:9090"],  # of Prometheus, which is in its network
    }
    assert "--read-only" in services["public"]["command"]
    assert services["public"]["env_file"] == []
    assert all(":ro" in volume for volume in services["public"]["volumes"])


def test_metrics_are_served_and_judged_where_they_are_asked_for(
    services: dict[str, dict[str, Any]],
) -> None:
    metrics, prometheus = services["metrics"], services["prometheus"]
    assert metrics["profiles"] == prometheus["profiles"] == ["monitoring"]
    assert prometheus["network_mode"] == "service:metrics"
    configs: Any = yaml.safe_load(interpolated(COMPOSE.read_text()))["configs"]
    config = COMPOSE.parent / configs["prometheus"]["file"]
    told = yaml.safe_load(config.read_text())
    (job,) = told["scrape_configs"]
    assert job["static_configs"] == [{"targets": [metrics["command"][-1]]}]
    assert metrics["command"][:-1] == ["ppr-assets", "--quiet", "metrics", "--listen"]
    rules = COMPOSE.parent / configs["rules"]["file"]
    if promtool := shutil.which("promtool"):
        call = [promtool, "check", "config", str(config)]
        checked = subprocess.run(call, capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    assert told["rule_files"] == [rules.name]
    assert rules.parent == config.parent
    targets = {Path(one["target"]) for one in prometheus["configs"]}
    assert targets == {Path("/etc/prometheus") / one.name for one in (config, rules)}


def test_what_is_read_only_is_configured_by_files(services: dict[str, dict[str, Any]]) -> None:
    """Compose copies anything else into the container, and refuses to where that is read-only."""
    configs: Any = yaml.safe_load(interpolated(COMPOSE.read_text()))["configs"]
    for name, one in services.items():
        for config in one.get("configs", []) if one.get("read_only") else []:
            file = configs[config["source"]].get("file")
            assert file, f"{name}: {config['source']}"
            assert (COMPOSE.parent / file).is_file()


def test_the_application_can_wait_for_a_database_that_is_filled(
    services: dict[str, dict[str, Any]],
) -> None:
    assert services["init"]["command"] == ["ppr-assets", "init"]
    assert services["init"]["depends_on"]["db"] == {"condition": "service_healthy"}
    once = {"condition": "service_completed_successfully"}
    assert services["code"]["depends_on"] == {"init": once}
