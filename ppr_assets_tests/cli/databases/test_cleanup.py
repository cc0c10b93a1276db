"""``ppr-assets cleanup``: what it says before and after it drops a database."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from ppr_assets.postgres.databases.maintenance import maintenance
from ppr_assets.postgres.databases.names import former_name, restoring_name
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_restore import Target


def test_a_dry_run_says_what_would_go_and_the_next_one_says_what_went(
    target: Target, ppr_assets: CommandLine
) -> None:
    name, user = target.settings.dbname, target.settings.user
    ppr_assets.variables |= {"POSTGRES_USER": user, "POSTGRES_DB": name}
    now = datetime.now(UTC)
    former, half = former_name(name, now - timedelta(days=1)), restoring_name(name, now)
    for database in (former, half):
        target.execute(f"CREATE DATABASE {database} OWNER {user}")
    before = target.databases()

    asked = ppr_assets.installed("cleanup", "--dry-run")
    assert (asked.code, asked.err) == (0, "")
    lines = asked.out.splitlines()
    moment = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC"
    assert re.fullmatch(rf"would drop {former}, \d\.\d MiB, from {moment}", lines[0])
    assert re.fullmatch(rf"would drop {half}, \d\.\d MiB, from {moment}, half made", lines[1])
    assert len(lines) == 2
    assert target.databases() == before

    with maintenance(target.settings):
        busy = ppr_assets("cleanup")
    assert busy.code == 7
    assert busy.error.startswith("busy: session ")
    assert target.databases() == before

    done = ppr_assets("cleanup", "--older-than", "7")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"kept {lines[0].removeprefix('would drop ')}: younger than 7 days (see --older-than)",
        lines[1].replace("would drop", "dropped"),
    ]
    assert target.beside() == [former]

    with target.administered(former):
        looked = ppr_assets("cleanup", "--dry-run")
        used = ppr_assets("cleanup")
    assert looked.code == 0
    assert looked.out == used.out
    assert used.out.startswith(f"kept {former}, ") and ": in use: session " in used.out
    assert used.code == 7
    assert used.error.endswith(f"that was replaced, so it was kept: {former}")
    assert target.beside() == [former]

    fresh = former_name(name, datetime.now(UTC) - timedelta(hours=23))
    target.execute(f"CREATE DATABASE {fresh} OWNER {user}")
    ppr_assets("cleanup", "--into", name, POSTGRES_DB="another")
    assert target.beside() == [fresh]
    spared = ppr_assets("cleanup")
    assert (spared.code, spared.err) == (0, "")
    assert spared.out.endswith(" UTC: younger than a day (see --older-than)\n")
    ppr_assets("cleanup", "--older-than", "0")
    again = ppr_assets("cleanup")
    assert (again.code, again.err) == (0, "")
    assert again.out == f"nothing to drop: no restore has left anything beside {name}\n"
    assert target.beside() == []
