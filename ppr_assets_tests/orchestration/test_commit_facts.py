"""The page of ``data_repo_commit`` tells what an audit tells of a night, and where to look."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import dagster as dg
import pytest

from ppr_assets.operations.audit import Scope, audit
from ppr_assets.rules.naming import manifest_name
from ppr_assets.settings import KeepSettings
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_runs import Runs
from ppr_assets_tests.fix_tools import FakeTool

REASON = "county closed, ticket 214"
FORGE = "https://github.com/for-all/data"


def _use_a_forge(pipeline: Pipeline, fake_tool: FakeTool) -> None:
    """The remote has the address of a forge; an ssh that asks nobody leads to it."""
    fake_tool("ssh", f'for last; do :; done\nexec "${{last%% *}}" {pipeline.remote}')
    address = "git@github.com:for-all/data.git"
    git(pipeline.clone, "remote", "set-url", "origin", address)
    pipeline.repo(url=address)


def _sign(pipeline: Pipeline, folder: Path) -> None:
    key = folder / "signing"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    allowed = folder / "allowed_signers"
    allowed.write_text(f"publisher@example.com {key.with_suffix('.pub').read_text()}")
    for name, value in {
        "gpg.format": "ssh",
        "user.signingkey": str(key),
        "commit.gpgsign": "true",
        "gpg.ssh.allowedSignersFile": str(allowed),
    }.items():
        git(pipeline.clone, "config", name, value)


@pytest.mark.usefixtures("proofs")
def test_a_night_tells_what_an_audit_tells(runs: Runs) -> None:
    pipeline = runs.pipeline
    pipeline.night()
    first = pipeline.latest()
    pipeline.change()
    pipeline.night()
    second = pipeline.head()
    pipeline.lose_a_third()
    pipeline.gate(keep=KeepSettings(last=1, daily=0, weekly=0, monthly=0, yearly=0))
    assert runs.nightly(reason=REASON).success
    facts = runs.metadata("data_repo_commit")
    (told,) = (one.to_json() for one in audit(pipeline.settings.data_repo, Scope()))
    assert told["findings"] == []
    for name in ("commit", "dump", "sha256", "proof"):
        assert facts[name] == told[name]
    size = git(pipeline.clone, "cat-file", "-s", f"main:sql_dumps/{facts['dump']}")
    assert facts["bytes"] == int(size)
    assert facts["records"] == sum(told["rows"].values())
    assert facts["verdict"] == "overridden"
    assert {
        "reason": facts["override"],
        "source": facts["override_source"],
        "by": facts["override_by"],
    } == told["override"]
    assert facts["mark_after"] == told["mark"] == pipeline.mark()["max_record_count"]
    assert facts["signature"] == told["signature"]["state"] == "unsigned"
    assert facts["retired"] == first
    assert f"retired {first}" in told["notes"]

    # No forge shows a folder of this machine: what to type instead, and it works.
    head = pipeline.head()
    assert facts["diff"] == f"ppr-assets diff {second[:12]} {head[:12]}"
    for name, shown in (("show", f"commit {head}"), ("manifest", '"schema_version": 1')):
        done = subprocess.run(shlex.split(facts[name]), capture_output=True, text=True, check=True)
        assert shown in done.stdout

    # A night without changes tells the same of the dump that stands.
    assert runs.nightly(reason=REASON).success
    again = runs.metadata("data_repo_commit")
    assert again["status"] == "unchanged"
    for name in ("commit", "verdict", "override", "mark_after", "diff", "manifest", "retired"):
        assert again[name] == facts[name]


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen here")
def test_a_forge_s_pages_and_the_run_are_links(
    runs: Runs, fake_tool: FakeTool, tmp_path: Path
) -> None:
    pipeline = runs.pipeline
    _use_a_forge(pipeline, fake_tool)
    _sign(pipeline, tmp_path)
    assert runs.nightly().success
    first = pipeline.head()
    assert "diff" not in runs.metadata("data_repo_commit")
    pipeline.change()
    run = runs.nightly()
    assert run.success
    head = pipeline.head()
    found = runs.materialized("data_repo_commit").metadata
    links = {
        "commit": f"{FORGE}/commit/{head}",
        "diff": f"{FORGE}/compare/{first}...{head}",
        "manifest": f"{FORGE}/blob/{head}/sql_dumps/{manifest_name(pipeline.latest())}",
    }
    assert {name: found[name].value for name in links} == links
    assert all(isinstance(found[name], dg.UrlMetadataValue) for name in links)
    assert isinstance(found["dumped_by_run"], dg.DagsterRunMetadataValue)
    assert found["dumped_by_run"].value == run.run_id
    assert found["signature"].value == "good, by publisher@example.com"

    # What the forge does not have yet cannot be looked at there.
    pipeline.repo(push_enabled=False)
    pipeline.change()
    assert runs.nightly().success
    assert runs.metadata("data_repo_commit")["commit"] == pipeline.head()
