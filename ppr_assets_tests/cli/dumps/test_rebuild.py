"""``ppr-assets rebuild`` at the command line: what it says, and how it ends."""

from __future__ import annotations

from pathlib import Path

from ppr_assets.operations.publishing.ratchet import reset
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_copies import CopyWorld, dump_of


def test_a_decision_that_is_damaged_is_named_and_a_source_keeps_its_token(
    copy_world: CopyWorld, tmp_path: Path
) -> None:
    reset(copy_world.settings, to=900, reason="closed county, ticket 214")
    copy_world.copy()
    (record,) = (
        path for path in copy_world.folder.glob("commit_*") if "ticket 214" in path.read_text()
    )
    program = CommandLine(tmp_path, {"DATA_REPO_PATH": str(tmp_path / "new")})

    record.write_text(record.read_text()[:-20])
    damaged = program("rebuild", "--from", str(copy_world.folder))
    assert damaged.code == 4
    assert damaged.out.startswith(f"rebuilt 2 dumps, the newest {dump_of(2)}; commit ")
    assert damaged.err.startswith(
        f"`{record.name}` at `{copy_world.folder}`: the record of a commit is not JSON: "
    )
    assert damaged.err.endswith(
        "1 of the copies could not be used\nHINT: what could is there; another place of copies may "
        "have them whole.\n"
    )

    none = program("rebuild", "--from", "https://me:t0ken@example.org/data.git")
    assert none.code == 2
    assert none.err.startswith("`https://example.org/data.git` is not a place of copies\n")
