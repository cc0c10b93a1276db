"""``ppr-assets verify``: what is told of dumps that are whole, damaged or unproven."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline

FOREIGN = "pantry_pirate_radio_2020-01-01_00-00-00.sql"
"""As upstream's own script left it: a dump without a manifest."""


def _publish_three(pipeline: Pipeline, *, proof: str = "off") -> tuple[str, str]:
    """Two dumps of ours, the newer one with a proof, and one that nobody has described."""
    pipeline.first_night()
    older = pipeline.latest()
    pipeline.change()
    pipeline.gate(proof=proof)
    pipeline.night()
    text = (pipeline.dumps / older).read_text()
    commit_files(pipeline.clone, "As it was", {f"sql_dumps/{FOREIGN}": text})
    return pipeline.latest(), older


def test_each_dump_is_on_a_line_and_says_whether_it_was_ever_restored(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    newer, older = _publish_three(pipeline, proof="embedded")
    before = pipeline.picture()

    latest = ppr_assets.installed("verify")
    assert (latest.code, latest.beside) == (0, "")
    facts = r"    1\.4 MiB  26 tables  6231 rows  proven on embedded, PostgreSQL 18\.\d, \d.* s"
    commit = git(pipeline.clone, "rev-parse", "HEAD")[:10]
    read = f"; read from the work tree, as commit {commit} has it\n"
    assert re.fullmatch(re.escape(newer) + facts + read, latest.out)

    every = ppr_assets("verify", "--all", POSTGRES_PORT="9")
    assert (every.code, every.beside) == (0, "")
    lines = every.out.splitlines()
    assert [line.split()[0] for line in lines] == [newer, older, FOREIGN]
    assert lines[0] == latest.out.strip()
    assert "  6231 rows  whole, unproven: published without a restore; read from" in lines[1]
    assert lines[2].endswith(f"  whole, unproven: no manifest; read from commit {commit}")

    told = json.loads(ppr_assets("verify", "--all", "--json", FORCE_COLOR="1").out)
    assert [dump["proven"] for dump in told] == [True, False, False]
    assert [dump["manifest"] for dump in told] == [True, True, False]
    assert {dump["rows"]["organization"] for dump in told} == {200}
    assert pipeline.picture() == before


def test_all_are_shown_although_one_is_damaged_and_the_first_damage_is_the_exit_code(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    newer, older = _publish_three(pipeline)
    damaged = (pipeline.dumps / newer).read_text().replace("COPY public.contact ", "COPY public.c ")
    described = (pipeline.dumps / older).with_suffix(".json").name
    files: dict[str, str | None] = {
        f"sql_dumps/{newer}": damaged,
        f"sql_dumps/{described}": "{",
    }
    commit_files(pipeline.clone, "Break two", files)

    alone = ppr_assets("verify", newer)
    assert (alone.code, alone.out) == (4, f"{newer}  DAMAGED\n")
    assert alone.error.startswith(f"`{newer}` is not what its manifest says: it has")

    every = ppr_assets("verify", "--all")
    assert every.code == 4
    lines = every.out.splitlines()
    assert lines[0].startswith(f"{newer}  DAMAGED: `{newer}` is not what its manifest says: it has")
    assert lines[1].startswith(f"{older}  DAMAGED: the manifest is not JSON: ")
    assert lines[2].startswith(f"{FOREIGN}  ")
    assert lines[0] == f"{newer}  DAMAGED: {every.error}"
    assert "\nHINT: nothing was changed. Fetch it again" in every.err

    told = json.loads(ppr_assets("verify", "--all", "--json").out)
    assert [dump["whole"] for dump in told] == [False, False, True]
    assert told[0]["error"]["message"] == every.error

    assert ppr_assets("verify", FOREIGN).code == 0


def test_a_folder_of_files_or_one_file_needs_no_data_repository(
    pipeline: Pipeline, ppr_assets: CommandLine, tmp_path: Path
) -> None:
    pipeline.first_night()
    name = pipeline.latest()
    nowhere = {"DATA_REPO_PATH": str(tmp_path / "none"), "DATA_REPO_URL": ""}
    listed = ppr_assets("verify", "--all", "--from", str(pipeline.dumps), **nowhere)
    assert (listed.code, listed.err) == (0, "")
    assert [line.split()[0] for line in listed.out.splitlines()] == [name]

    odd = ppr_assets.folder / "a download.sql"
    odd.write_bytes((pipeline.dumps / name).read_bytes())
    whole = ppr_assets("verify", "a download.sql", **nowhere)
    assert (whole.code, whole.err) == (0, "")
    assert whole.out.endswith(f"  whole, unproven: no manifest; read from file `{odd}`\n")
    odd.write_bytes(odd.read_bytes()[:-1000])
    cut = ppr_assets("verify", "a download.sql", **nowhere)
    assert cut.code == 4
    assert re.match(r"`a download\.sql`: .*byte \d+", cut.error)


def test_a_file_is_held_to_the_published_dump_that_has_its_bytes_also_to_a_retired_one(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    name = pipeline.latest()
    renamed = ppr_assets.folder / "from-a-friend.sql"
    renamed.write_bytes((pipeline.dumps / name).read_bytes())
    manifest = f"sql_dumps/{Path(name).with_suffix('.json')}"
    commit_files(pipeline.clone, "Retire it", {f"sql_dumps/{name}": None, manifest: None})

    found = ppr_assets("verify", renamed.name)
    assert (found.code, found.err) == (0, "")
    assert f", published as {name}; read from file `{renamed}`\n" in found.out
    (told,) = json.loads(ppr_assets("verify", renamed.name, "--json").out)
    assert (told["published_as"], told["manifest"]) == (name, True)
    assert told["read_from"] == f"file `{renamed}`"

    renamed.write_text(renamed.read_text().replace("lock_timeout = 0", "lock_timeout = 1", 1))
    other = ppr_assets("verify", renamed.name)
    unknown = "whole, unproven: no manifest; no published dump has its bytes; read from"
    assert (other.code, unknown in other.out) == (0, True)


def test_in_the_clone_a_name_is_the_published_dump_and_elsewhere_the_file_that_lies_there(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    name = pipeline.latest()
    (ppr_assets.folder / name).write_bytes((pipeline.dumps / name).read_bytes())
    assert f"; read from file `{ppr_assets.folder / name}`" in ppr_assets("verify", name).out
    inside = CommandLine(pipeline.dumps, ppr_assets.variables)
    assert "; read from the work tree, as commit " in inside("verify", name).out


def test_what_is_not_there_or_cannot_be_meant_is_told(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    nothing = ppr_assets("verify", "--all")
    assert nothing.code == 6
    assert nothing.error.startswith("there is no dump in ")
    assert "\nHINT: " in nothing.err
    both = ppr_assets("verify", "--all", "latest.sql")
    assert both.code == 2
    assert "--all verifies every dump" in both.err
    pipeline.night()
    missing = ppr_assets("verify", "pantry_pirate_radio_2001-01-01_00-00-00")
    assert missing.code == 6
    head = git(pipeline.clone, "rev-parse", "HEAD")[:10]
    assert missing.error == (
        f"there is no dump `pantry_pirate_radio_2001-01-01_00-00-00` in commit {head} of "
        f"`{pipeline.clone}`, the newest is {pipeline.latest()}"
    )
