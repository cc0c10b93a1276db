"""Links from the assets to their code: on the forge that a checkout came from, or in files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ppr_assets.orchestration.automation.jobs import RESTORES
from ppr_assets.orchestration.automation.nightly import PIPELINE
from ppr_assets.orchestration.source_code import PACKAGE, linked_to_code
from ppr_assets_tests.fix_git import commit_files, git

pytestmark = pytest.mark.slow

HERE = f"{PACKAGE}/orchestration/assets/"
OURS = "github.com/pantries/ppr-assets"
TREE = f"https://{OURS}/tree/main/ppr_assets/orchestration/assets/"


@pytest.fixture
def checkout(tmp_path: Path, git_environment: None) -> Path:
    git(tmp_path, "init", "-q", "-b", "main", "checkout")
    return tmp_path / "checkout"


def _links(checkout: Path) -> dict[str, str]:
    """The one link of each asset, with its line."""
    links = {}
    for asset in linked_to_code([*PIPELINE, *RESTORES], checkout=checkout):
        ((key, metadata),) = asset.metadata_by_key.items()
        value: Any = metadata["dagster/code_references"]
        (links[key.to_user_string()],) = [one.source for one in value.code_references]
    return links


def _only(checkout: Path, asset: str = "sql_dump") -> str:
    """Where an asset's link leads; all lead to the same kind of place."""
    links = {name: link.rsplit(f"{name}.py", 1)[0] for name, link in _links(checkout).items()}
    (place,) = set(links.values())
    return place


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (f"https://{OURS}.git", TREE),
        (f"https://{OURS}", TREE),
        (f"https://somebody:secret@{OURS}.git", TREE),
        ("git@github.com:pantries/ppr-assets.git", TREE),
        ("ssh://git@ssh.github.com:443/pantries/ppr-assets.git", TREE),
        (
            "git@gitlab.example.org:food/backups/ppr.git",
            "https://gitlab.example.org/food/backups/ppr/-/tree/main/ppr_assets/orchestration/assets/",
        ),
        (
            "https://oauth2:secret@gitlab.example.org:8443/food/ppr.git",
            "https://gitlab.example.org:8443/food/ppr/-/tree/main/ppr_assets/orchestration/assets/",
        ),
    ],
)
def test_code_is_linked_on_the_forge_that_a_checkout_came_from(
    checkout: Path, url: str, place: str
) -> None:
    git(checkout, "remote", "add", "origin", url)
    assert _only(checkout) == place


def test_a_link_leads_to_the_line_at_which_the_asset_begins(checkout: Path) -> None:
    local = _links(checkout)
    git(checkout, "remote", "add", "origin", f"https://{OURS}")
    for asset, link in _links(checkout).items():
        file, line = local[asset].rsplit(":", 1)
        assert Path(file).read_text().splitlines()[int(line) - 1] == "@dg.asset("
        assert link == f"{TREE}{asset}.py#L{line}"


@pytest.mark.parametrize(
    "url",
    [
        "/srv/git/ppr-assets.git",
        "../github.com/pantries/ppr-assets",
        "https://git.example.org/pantries/ppr-assets",
        "https://codeberg.org/pantries/ppr-assets",  # Dagster does not know its pages
        "https://github.com:port/pantries/ppr-assets",
        "https://github.com",
        "",
    ],
)
def test_code_is_linked_in_its_files_where_no_page_of_it_is_known(checkout: Path, url: str) -> None:
    git(checkout, "config", "remote.origin.url", url)
    assert _only(checkout) == HERE


@pytest.mark.parametrize("damage", ["no origin", "no checkout", "no head", "strange settings"])
def test_a_checkout_that_cannot_be_read_hinders_nobody(checkout: Path, damage: str) -> None:
    if damage == "no origin":
        git(checkout, "remote", "add", "upstream", f"https://{OURS}")
    elif damage == "no checkout":
        shutil.rmtree(checkout / ".git")
    else:
        git(checkout, "remote", "add", "origin", f"https://{OURS}")
    if damage == "no head":
        (checkout / ".git" / "HEAD").unlink()
    elif damage == "strange settings":
        (checkout / ".git" / "config").write_bytes(b"\xff[remote\n")
    assert _only(checkout) == HERE


def test_the_branch_or_commit_that_is_checked_out_is_linked(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "remote", "add", "origin", f"https://{OURS}")
    commit = commit_files(checkout, "first", {"README.md": "# ppr\n"})
    git(checkout, "checkout", "-q", "-b", "fix/#214")
    assert _only(checkout) == TREE.replace("/main/", "/fix/%23214/")
    git(checkout, "checkout", "-q", "--detach")
    assert _only(checkout) == TREE.replace("/main/", f"/{commit}/")
    git(checkout, "worktree", "add", "-q", str(tmp_path / "linked"), "main")
    assert _only(tmp_path / "linked") == TREE


def test_settings_that_somebody_wrote_by_hand_are_read(checkout: Path) -> None:
    with (checkout / ".git" / "config").open("a") as config:
        config.write(f'[remote "origin"]\nurl = "https://{OURS}"\n    fetch = +refs/heads/*\n')
    assert _only(checkout) == TREE


def test_a_package_without_checkout_and_git_loads_with_links_to_its_files(tmp_path: Path) -> None:
    """As a wheel is installed; a git on PATH would say that it was asked."""
    just_written = shutil.ignore_patterns("*.pyc.*")
    shutil.copytree(PACKAGE, tmp_path / "ppr_assets", ignore=just_written)
    asked = tmp_path / "asked"
    (tmp_path / "bin").mkdir()
    stand_in = tmp_path / "bin" / "git"
    stand_in.write_text(f"#!/bin/sh\necho $* >> {asked}\n")
    stand_in.chmod(0o755)
    program = (
        "from ppr_assets.definitions import build_defs\n"
        "graph = build_defs().resolve_asset_graph()\n"
        "for key in sorted(graph.materializable_asset_keys):\n"
        "    print(graph.get(key).metadata['dagster/code_references'].code_references[0].source)\n"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PATH": str(stand_in.parent), "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (loaded.returncode, loaded.stderr) == (0, "")
    files = [line.rsplit(":", 1)[0] for line in loaded.stdout.splitlines()]
    assert files == [
        f"{tmp_path}/ppr_assets/orchestration/assets/{name}.py"
        for name in (
            "data_repo_commit",
            "drill",
            "off_site_copy",
            "published_copy",
            "record_count",
            "replayed_database",
            "restored_database",
            "sql_dump",
        )
    ]
    assert not asked.exists()


def test_other_metadata_and_dependencies_stay(checkout: Path) -> None:
    git(checkout, "remote", "add", "origin", f"https://{OURS}")
    for before, after in zip(PIPELINE, linked_to_code(PIPELINE, checkout=checkout), strict=True):
        assert isinstance(after, dg.AssetsDefinition)
        assert after.keys == before.keys
        assert after.asset_deps == before.asset_deps
        assert after.check_specs_by_output_name == before.check_specs_by_output_name
