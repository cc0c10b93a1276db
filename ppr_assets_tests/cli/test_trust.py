"""What ``list`` and ``status`` say of dumps that nobody has proven, and of what was set aside."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ppr_assets.errors import PushFailed
from ppr_assets_tests.fix_command_line import CommandLine, facts
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline


def _remarks(ppr_assets: CommandLine, *words: str) -> list[str]:
    """The last column, newest first."""
    lines = ppr_assets("list", *words).out.splitlines()
    place = lines[0].index("remarks")
    return [line[place:] for line in lines[1:]]


def _without_proof(pipeline: Pipeline) -> None:
    """The latest manifest as it was before there were proofs."""
    path = pipeline.latest().replace(".sql", ".json")
    manifest = json.loads((pipeline.dumps / path).read_text())
    manifest["proof"] = None
    commit_files(pipeline.clone, "As of old", {f"sql_dumps/{path}": json.dumps(manifest)})


def test_unproven_and_overridden_dumps_are_marked(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.gate(proof="embedded")
    pipeline.first_night()
    withheld = "1 column withheld"
    assert _remarks(ppr_assets) == [f"latest, {withheld}"]
    assert "but" not in facts(ppr_assets("status").out)

    pipeline.change()
    pipeline.gate(proof="off", min_records=1000)
    pipeline.night(override_reason="a closed county")
    marks = "unproven: published without a restore, overridden by Ann Lee (Launchpad): "
    assert _remarks(ppr_assets) == [f"latest, {marks}a closed county, {withheld}", withheld]
    assert _remarks(ppr_assets, "--history") == [f"{marks}a closed county", ""]
    assert facts(ppr_assets("status").out)["but"] == f"{marks}a closed county"
    for words in ((), ("--history",)):
        newest, older = json.loads(ppr_assets("list", *words, "--json").out)
        assert (newest["proven"], newest["proof"], older["proven"]) == (False, "off", True)
        assert (newest["override"], older["override"]) == ("a closed county", None)
        assert (newest["override_source"], older["override_source"]) == ("Launchpad", None)
    told = json.loads(ppr_assets("status", "--json").out)
    assert (told["latest_proven"], told["latest_override"]) == (False, "a closed county")

    _without_proof(pipeline)
    assert "unproven: nothing tells of a restore" in _remarks(ppr_assets)[0]


def test_what_was_set_aside_is_named_with_its_reason_and_the_way_to_let_go_of_it(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    assert "set aside" not in ppr_assets("status").out
    hook: Path = pipeline.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'Push cannot contain secrets' >&2; exit 1\n")
    hook.chmod(0o755)
    pipeline.change()
    with pytest.raises(PushFailed):
        pipeline.night()
    hook.unlink()
    pipeline.change()
    pipeline.night()
    shown = ppr_assets("status").out
    told = re.search(
        r"set aside +(pantry\S+\.sql) on 20\d\d-\d\d-\d\d, kept as (refs/\S+): remote `origin` "
        r"refused the commit for what is in it: .*Push cannot contain secrets\n +"
        r"`(git update-ref -d )REF`",
        shown,
    )
    assert told is not None, shown
    (one,) = json.loads(ppr_assets("status", "--json").out)["set_aside"]
    assert (one["dumps"], one["ref"]) == ([told[1]], told[2])
    assert told[1] in git(pipeline.clone, "ls-tree", "--name-only", f"{told[2]}:sql_dumps")
    git(pipeline.clone, *told[3].split()[1:], told[2])
    assert "set aside" not in ppr_assets("status").out
