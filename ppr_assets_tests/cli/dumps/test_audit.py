"""``ppr-assets audit`` as an auditor types it."""

from __future__ import annotations

import json

from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import RATCHET, Pipeline


def test_an_audit_shows_a_line_a_dump_and_ends_with_its_verdict(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    nothing = ppr_assets.installed("audit")
    assert nothing.code == 6
    assert nothing.err.endswith(
        f"no dump was published up to commit {pipeline.head()[:10]} of `{pipeline.clone}`\n"
        "HINT: `ppr-assets dump` makes one of a database.\n"
    )

    pipeline.night()
    pipeline.lose_a_third()
    pipeline.night(override_reason="county closed, ticket 214")
    head = pipeline.head()
    seen = ppr_assets("audit", "--all")
    assert (seen.code, seen.beside) == (0, "")
    lines = seen.out.splitlines()
    assert lines[2].startswith(head[:10])
    assert f"{pipeline.latest()}  134 organizations  " in lines[2]
    assert lines[2].endswith("  mark 200  holds")
    assert lines[3].strip() == "overridden (Ann Lee, Launchpad): county closed, ticket 214"
    assert lines[-1] == (
        "2 dumps: 2 hold, 0 broken, 0 unverifiable; 1 override; 0 resets; 0 gaps; "
        "0 of 2 signed by trusted keys"
    )
    assert ppr_assets("audit").out.splitlines()[0] == lines[2]

    # All that is wrong is shown, also as JSON; the exit code is that of a damaged dump.
    low = (pipeline.clone / RATCHET).read_text().replace("200", "100", 1)
    commit_files(pipeline.clone, "Lower it", {RATCHET: low})
    latest = pipeline.dumps / "latest.sql"
    latest.unlink()
    latest.symlink_to("elsewhere.sql")
    git(pipeline.clone, "commit", "-q", "-a", "-m", "Bend it")
    broken = ppr_assets("audit", FORCE_COLOR="1")
    assert broken.code == 4
    lowered = git(pipeline.clone, "rev-parse", "HEAD~1")
    assert broken.err.endswith(
        f"2 findings, the first: commit {lowered[:10]}: the mark was lowered without a recorded "
        "reset: organization 100, 200 before\n"
        "HINT: `git show COMMIT` tells who did what; restore from a dump that holds.\n"
    )
    findings = [line for line in broken.out.splitlines() if "FINDING" in line]
    assert "lowered without a recorded reset: organization 100, 200 before" in findings[0]
    assert "latest.sql leads to `elsewhere.sql`, which is not there" in findings[1]
    listed = ppr_assets("audit", "--json")
    assert listed.code == 4
    told = json.loads(listed.out)
    assert [one["status"] for one in told] == ["holds", "broken", "broken"]
    assert told[0]["commit"] == head
    assert told[0]["override"] == {
        "reason": "county closed, ticket 214",
        "source": "Launchpad",
        "by": "Ann Lee",
    }
    assert ppr_assets("audit", head).code == 0
    assert ppr_assets("audit", "--all", "--since", "2026-01-01").code == 2
