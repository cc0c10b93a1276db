"""The files for Kubernetes, as Kubernetes, Dagster's run launcher and Dagster's chart read them.

The chart is in no package registry, and is no part of this project: PPR_DAGSTER_CHART names the
folder of one (`helm pull dagster/dagster --untar`), which takes `helm` as well.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from dagster import DagsterRun

from ppr_assets.settings import Settings
from ppr_assets_tests.places import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
VALUES = FOLDER / "values.yaml"
MANIFESTS = sorted({*FOLDER.glob("*.yaml")} - {VALUES})
KUBERNETES = "1.34"
OF_THE_CHART = {
    "additionalInstanceConfig", "computeLogManager", "dagster-user-deployments", "dagsterDaemon",
    "dagsterWebserver", "generateCeleryConfigSecret", "generatePostgresqlPasswordSecret", "global",
    "postgresql", "runLauncher", "telemetry",
}  # fmt: skip
"""Its keys that we use; what is below them is looked at where the chart is."""

Manifest = dict[str, Any]


def documents(text: str) -> list[Manifest]:
    return [one for one in yaml.safe_load_all(text) if one]


def validated(manifest: Manifest) -> None:
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


@pytest.fixture(scope="module")
def values() -> Manifest:
    found: Manifest = yaml.safe_load(VALUES.read_text())
    return found


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_kubernetes_takes_each_manifest(path: Path) -> None:
    found = documents(path.read_text())
    assert found
    for manifest in found:
        validated(manifest)


def test_a_wrong_manifest_is_seen() -> None:
    (job,) = documents((FOLDER / "init.yaml").read_text())
    job["spec"]["template"]["spec"]["containers"][0]["readOnlyRoot"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        validated(job)


def test_the_values_have_keys_of_the_chart_alone(values: Manifest) -> None:
    assert {name for name in values if not name.startswith("x-")} == OF_THE_CHART


def test_the_versions_are_those_of_the_lock_and_the_image_is_everywhere_the_same(
    values: Manifest,
) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    version = next(d for d in project["dependencies"] if d.startswith("dagster=="))[9:]
    assert f"--version {version} " in VALUES.read_text()
    image = "{repository}:{tag}".format(**values["dagsterDaemon"]["image"])
    written = [text.read_text() for text in (VALUES, FOLDER / "init.yaml")]
    assert {name for text in written for name in re.findall(r"image: ([^\s&*]+)", text)} == {image}


def test_dagster_is_set_up_as_everywhere_else(values: Manifest) -> None:
    ours = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    assert values["telemetry"] == ours.pop("telemetry")
    del ours["storage"]  # the chart writes it
    assert values["additionalInstanceConfig"] == ours
    daemon = values["dagsterDaemon"]
    written_by_the_chart = ("runCoordinator", "runMonitoring", "runRetries")
    assert [daemon[key] for key in written_by_the_chart] == [{"enabled": False}] * 3


def test_its_settings_and_secrets_are_enough(tmp_path: Path) -> None:
    (settings,) = documents((FOLDER / "settings.yaml").read_text())
    secrets = FOLDER / "secrets.env.example"
    names = re.findall(r"^(\w+)=$", secrets.read_text(), re.MULTILINE)
    given = settings["data"] | dict.fromkeys(names, "made-up")
    assert Settings.from_environment(given, dotenv=None).data_repo.push_enabled
    assert all(isinstance(value, str) for value in settings["data"].values())


def test_what_the_documents_say_to_type_names_what_is_there() -> None:
    text = "".join((ROOT / "docs" / name).read_text() for name in ("deploying.md", "operating.md"))
    files = set(re.findall(r"--(?:filename|values|from-env-file)[ =]([\w.-]*\w)", text))
    assert len(files) >= 6
    made = {"secrets.env"}  # a copy of the example
    assert files - made <= {path.name for path in FOLDER.iterdir()}
    jobs = set(re.findall(r"job/([\w-]+)", text))
    (init,) = documents((FOLDER / "init.yaml").read_text())
    assert jobs == {init["metadata"]["name"]}
    (version,) = set(re.findall(r"--version ([\d.]+)", text))
    assert f"--version {version} " in VALUES.read_text()


@pytest.fixture
def run(values: Manifest, tmp_path: Path) -> Manifest:
    """The Job of a run, as the launcher makes it of what the chart hands to it. The client is
    imported here and not by each worker that only reads which tests there are: it takes long."""
    from dagster_k8s import K8sRunLauncher
    from dagster_k8s.job import construct_dagster_k8s_job
    from kubernetes.client import ApiClient  # type: ignore[import-untyped]

    cluster = tmp_path / "kubeconfig"
    cluster.write_text(yaml.safe_dump(NO_CLUSTER))
    given = values["runLauncher"]["config"]["k8sRunLauncher"]
    config = {_snake(name): value for name, value in given.items()}
    for name in ("env_config_maps", "env_secrets"):
        config[name] = [one["name"] for one in config[name]]
    config["run_k8s_config"] = {_snake(k): v for k, v in config["run_k8s_config"].items()}
    launcher = K8sRunLauncher(
        service_account_name="dagster",
        instance_config_map="dagster-instance",
        postgres_password_secret=values["global"]["postgresqlSecretName"],
        dagster_home=values["global"]["dagsterHome"],
        job_namespace="ppr-assets",
        load_incluster_config=False,
        kubeconfig_file=str(cluster),
        **config,
    )
    context = launcher.get_container_context_for_run(DagsterRun(job_name="nightly_dump"))
    job = construct_dagster_k8s_job(
        context.get_k8s_job_config("ppr_assets", launcher),
        ["dagster", "api", "execute_run"],
        "dagster-run-0",
        context.run_k8s_config,
        component="run_worker",
    )
    made: Manifest = ApiClient().sanitize_for_serialization(job)
    return made


NO_CLUSTER = {
    "current-context": "none",
    "contexts": [{"name": "none", "context": {"cluster": "none", "user": "nobody"}}],
    "clusters": [{"name": "none", "cluster": {"server": "https://127.0.0.1:9"}}],
    "users": [{"name": "nobody", "user": {}}],
}


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda found: "_" + found[0].lower(), name)


@pytest.mark.slow
def test_a_run_needs_settings_and_secrets_and_no_volume_that_lasts(run: Manifest) -> None:
    validated(run)
    pod = run["spec"]["template"]["spec"]
    assert_restricted(pod)
    assert pod["automountServiceAccountToken"] is False
    (container,) = pod["containers"]
    named = [next(iter(one.values()))["name"] for one in container["envFrom"]]
    assert named == ["ppr-assets", "ppr-assets"]
    places = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
    assert [one for one in pod["volumes"] if "emptyDir" not in one] == []
    assert places.keys() == {"/data-repo", "/tmp", "/dagster/storage"}
    assert container["resources"]["limits"]["memory"] == "1536Mi"


def assert_restricted(pod: Manifest) -> None:
    """What Kubernetes' own `restricted` asks for, and a root file system that is read only."""
    whole = pod["securityContext"]
    assert whole["runAsNonRoot"] is True
    assert whole["seccompProfile"] == {"type": "RuntimeDefault"}
    for one in [*pod.get("initContainers", ()), *pod["containers"]]:
        assert one["securityContext"] == {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }, one["name"]
    kinds = {kind for one in pod.get("volumes") or () for kind in one if kind != "name"}
    assert kinds <= {"emptyDir", "configMap"}


def test_init_asks_for_as_little_and_has_the_same_room(run: Manifest) -> None:
    (init,) = documents((FOLDER / "init.yaml").read_text())
    pod = init["spec"]["template"]["spec"]
    assert_restricted(pod)
    assert pod["automountServiceAccountToken"] is False
    of_a_run = run["spec"]["template"]["spec"]
    assert pod["containers"][0]["resources"] == of_a_run["containers"][0]["resources"]
    assert pod["securityContext"] == of_a_run["securityContext"]


def test_each_rule_of_the_network_is_for_pods_that_there_are(
    values: Manifest, run: Manifest
) -> None:
    (init,) = documents((FOLDER / "init.yaml").read_text())
    deployments = values["dagster-user-deployments"]["deployments"]
    labelled = [*deployments, values["dagsterDaemon"], values["dagsterWebserver"]]
    pods = [one["spec"]["template"]["metadata"] for one in (init, run)]
    there = {one["labels"]["ppr-assets"] for one in [*labelled, *pods]}
    rules = documents((FOLDER / "network-policy.yaml").read_text())
    text = "\n".join(map(repr, rules))
    asked = set(re.findall(r"'ppr-assets': '(\w+)'", text))
    for chosen in re.findall(r"'key': 'ppr-assets', 'operator': 'In', 'values': \[(.*?)\]", text):
        asked |= set(re.findall(r"\w+", chosen))
    assert asked == there
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in [r["spec"] for r in rules]


@pytest.fixture(scope="module")
def rendered() -> list[Manifest]:
    """What the chart makes of the values, its migration included."""
    chart, helm = os.environ.get("PPR_DAGSTER_CHART"), shutil.which("helm")
    if chart is None or helm is None:
        pytest.skip("PPR_DAGSTER_CHART names no chart of Dagster, or there is no helm")
    words = [helm, "template", "dagster", chart, "--namespace", "ppr-assets"]
    words += ["--values", str(VALUES), "--set", "migrate.enabled=true"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return documents(done.stdout)


def test_the_chart_takes_the_values_and_kubernetes_what_it_makes_of_them(
    rendered: list[Manifest],
) -> None:
    for manifest in rendered:
        validated(manifest)
        if manifest["kind"] in ("Deployment", "Job"):
            assert_restricted(manifest["spec"]["template"]["spec"])


def test_only_the_ui_without_buttons_and_the_code_server_are_reached(
    rendered: list[Manifest],
) -> None:
    found = {
        one["metadata"]["labels"]["component"]: one["spec"]["template"]["metadata"]["labels"]
        for one in rendered
        if one["kind"] == "Deployment"
    }
    assert {name: labels["ppr-assets"] for name, labels in found.items()} == {
        "user-deployments": "code",
        "dagster-daemon": "daemon",
        "dagster-webserver": "webserver",
        "dagster-webserver-read-only": "webserver",
    }
    assert not [one for one in rendered if one["kind"] in ("Ingress", "Secret")]
