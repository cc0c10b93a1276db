"""``ppr-assets metrics``: what Prometheus reads, and what deploy/ makes of it."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import shutil
import socket
import subprocess
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from ppr_assets.cli.watching.metrics_server import serve
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.places import ROOT

RULES = ROOT / "deploy" / "prometheus" / "ppr_assets.rules.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "ppr_assets.json"
_NO_PUSH = {"PUBLISHER_PUSH_ENABLED": "false"}
TOKEN = "T0ken-of-a-webhook"
_TEXT = (ROOT / "docs" / "for-programs.md").read_text(encoding="utf-8")
DOCUMENTED = dict(
    re.findall(r"^\| `(ppr_assets_\w+)` \| (?:`(\w+)`)? ?\|", _TEXT, re.MULTILINE),
)


def _labels(text: str) -> dict[str, set[str]]:
    families = [*text_string_to_metric_families(text)]
    return {one.name: {label for s in one.samples for label in s.labels} for one in families}


def test_they_are_those_of_the_guide_and_have_no_secret(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.night()
    told = ppr_assets("metrics")
    assert (told.code, told.err) == (0, "")
    found = _labels(told.out)
    assert found.keys() == DOCUMENTED.keys()
    for name, labels in found.items():
        assert labels <= {DOCUMENTED[name]} - {""}, name
    assert 'ppr_assets_records{table="organization"} 200.0' in told.out
    assert 'ppr_assets_state{state="ok"} 1.0' in told.out
    assert "ppr_assets_last_run_exit_code " not in re.sub(r"^#.*", "", told.out, flags=re.MULTILINE)

    dead = {"PPR_ALERT_URLS": f"http://{TOKEN}:{TOKEN}@127.0.0.1:9/{TOKEN}?key={TOKEN}#{TOKEN}"}
    assert ppr_assets("alert", "test", **dead).code == 1
    told_of_it = ppr_assets("metrics", **dead).out
    assert 'ppr_assets_channel_up{channel="http://127.0.0.1"} 0.0' in told_of_it
    assert TOKEN not in told_of_it

    file = ppr_assets.folder / "ppr_assets.prom"
    file.write_text("of before")
    written = ppr_assets("metrics", "--out", str(file), POSTGRES_PORT="9", **_NO_PUSH)
    assert (written.code, written.out) == (0, "")
    assert _labels(file.read_text()).keys() == DOCUMENTED.keys()
    assert "ppr_assets_look_errors 1.0" in file.read_text()
    assert "\nppr_assets_pushed " in told.out
    assert "\nppr_assets_pushed " not in file.read_text()
    assert [one.name for one in ppr_assets.folder.iterdir()] == [file.name]
    nowhere = ppr_assets("metrics", "--out", "not/there.prom")
    assert (nowhere.code, nowhere.error) == (2, "there is no folder `not`, --out needs one")


def test_an_endpoint_serves_this_machine_alone(pipeline: Pipeline, ppr_assets: CommandLine) -> None:
    pipeline.night()
    outside = ppr_assets("metrics", "--listen", "0.0.0.0:9464")
    assert (outside.code, "must be an address of this machine" in outside.err) == (2, True)
    process = ppr_assets.start("metrics", "--listen", "127.0.0.1:0")
    assert process.stderr is not None
    said = process.stderr.readline()
    served = re.fullmatch(r"serving (http://127\.0\.0\.1:(\d+)/metrics)\n", said)
    assert served, said
    with (
        socket.create_connection(("127.0.0.1", int(served[2]))),  # which asks nothing
        urllib.request.urlopen(served[1], timeout=60) as answer,
    ):
        assert _labels(answer.read().decode()).keys() == DOCUMENTED.keys()
    process.terminate()
    assert process.wait(60) == 130


def test_a_stop_while_it_answers_ends_it() -> None:
    def stopped() -> CollectorRegistry:
        raise KeyboardInterrupt

    def ask(port: int) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30)

    with serve("127.0.0.1", 0, stopped, every=60) as server:
        asking = threading.Thread(target=ask, args=(server.server_port,))
        asking.start()
        with pytest.raises(KeyboardInterrupt):
            server.handle_request()
    asking.join(30)


def _expressions() -> list[str]:
    rules: Any = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    alerts = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    shown = [one["expr"] for panel in dashboard["panels"] for one in panel["targets"]]
    assert alerts and shown
    return alerts + shown


def test_rules_and_dashboard_ask_for_metrics_that_there_are() -> None:
    asked = {name for one in _expressions() for name in re.findall(r"ppr_assets_\w+", one)}
    assert asked <= DOCUMENTED.keys()
    assert 'ppr_assets_state{state="error"} == 1' in _expressions()


def test_prometheus_takes_the_rules(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    checked = subprocess.run([promtool, "check", "rules", RULES], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


QUIET = {
    "look_timestamp_seconds": "0+60x2000",
    "last_good_night_timestamp_seconds": "0+60x2000",
    "nights_known": "1x2000",
    'state{state="error"}': "0x2000",
    "last_run_exit_code": "0x2000",
    "pushed": "1x2000",
    "gate_passed": "1x2000",
    "override_in_force": "0x2000",
    "disk_free_bytes": "50x2000",
    "disk_size_bytes": "100x2000",
    'channel_up{channel="smtp://mail"}': "1x2000",
}
"""One value a minute, for a day and a half."""
FIRED = {
    "PprAssetsSilent": {"look_timestamp_seconds": "0x2000"},
    "PprAssetsNoGoodNight": {"last_good_night_timestamp_seconds": "0x2000"},
    "PprAssetsError": {'state{state="error"}': "1x2000"},
    "PprAssetsLastRunFailed": {"last_run_exit_code": "3x2000"},
    "PprAssetsNotPushed": {"pushed": "0x2000"},
    "PprAssetsGateWouldRefuse": {"gate_passed": "0x2000"},
    "PprAssetsOverrideInForce": {"override_in_force": "1x2000"},
    "PprAssetsDiskNearlyFull": {"disk_free_bytes": "9x2000"},
    "PprAssetsChannelDead": {'channel_up{channel="smtp://mail"}': "0x2000"},
    "": {},
}


def test_each_rule_raises_its_alert_alone_and_a_quiet_day_none(tmp_path: Path) -> None:
    rules: Any = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
    assert {rule["alert"] for rule in rules} == FIRED.keys() - {""}
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    tests = [
        {
            "interval": "1m",
            "input_series": [
                {"series": f"ppr_assets_{name}", "values": values}
                for name, values in {**QUIET, **series}.items()
            ],
            "promql_expr_test": [
                {
                    "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                    "eval_time": "30h",
                    "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1}]
                    if alert
                    else [],
                }
            ],
        }
        for alert, series in FIRED.items()
    ]
    file = tmp_path / "rules.test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": tests}))
    checked = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
