"""Links from the assets to their code: on the forge that this checkout came from, or in its files.

What git knows of a checkout is read from its files: the code location loads without running git,
and also where there is no checkout.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from configparser import Error, RawConfigParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dagster as dg

import ppr_assets
from ppr_assets.data_repo.remote.address import parse_address

PACKAGE = Path(ppr_assets.__file__).parent

_HEAD = "ref: refs/heads/"


def linked_to_code(
    assets: Sequence[dg.AssetsDefinition], *, checkout: Path = PACKAGE.parent
) -> Sequence[Any]:
    """The assets with the place of their code; its page where ``checkout`` came from a forge that
    Dagster knows the pages of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        found = dg.with_source_code_references(assets)
        pages = _pages(checkout)
        return dg.link_code_references_to_git(found, **pages) if pages else found


def _pages(checkout: Path) -> dict[str, Any] | None:
    """What Dagster makes links of; no user and password of the remote's URL is in it."""
    try:
        folder = _git_folder(checkout)
        head = (folder / "HEAD").read_text().strip()
        origin = parse_address(_origin(_common(folder) / "config"), relative_to=checkout)
    except (OSError, ValueError, Error):
        return None  # no checkout, or one that only git can read
    platform = next((word for word in ("github", "gitlab") if word in origin.host), None)
    if platform is None or origin.web_url is None or head.endswith("/.invalid"):
        return None
    return {
        "git_url": origin.web_url,
        "git_branch": quote(head.removeprefix(_HEAD)),
        "platform": platform,
        "file_path_mapping": dg.AnchorBasedFilePathMapping(
            local_file_anchor=PACKAGE, file_anchor_path_in_repository=PACKAGE.name
        ),
    }


def _git_folder(checkout: Path) -> Path:
    """``.git``, or the folder that it names in a linked work tree or a submodule."""
    git = checkout / ".git"
    return git if git.is_dir() else checkout / git.read_text().removeprefix("gitdir:").strip()


def _common(folder: Path) -> Path:
    """Where the work trees of a repository have their settings together."""
    named = folder / "commondir"
    return folder / named.read_text().strip() if named.exists() else folder


def _origin(config: Path) -> str:
    """Its URL as it is written there. Raises :class:`configparser.Error` where there is none."""
    parser = RawConfigParser(strict=False, allow_no_value=True)
    parser.read_string("\n".join(line.strip() for line in config.read_text().splitlines()))
    return (parser.get('remote "origin"', "url") or "").strip('"')
