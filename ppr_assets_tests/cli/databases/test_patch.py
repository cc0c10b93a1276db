"""``ppr-assets restore --record`` and ``--table``, as an operator calls them."""

from __future__ import annotations

import json
import os
import re
import subprocess

from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_pipeline import Pipeline


def test_a_record_is_shown_brought_back_and_undone(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    database = pipeline.settings.database
    with connect(database) as session:
        row = session.execute("SELECT min(id) FROM organization").fetchone()
        assert row is not None
        one = row[0]
        session.execute("UPDATE organization SET name = 'spoilt' WHERE id = %s", [one])

    def name() -> str:
        with connect(database) as session:
            found = session.execute("SELECT name FROM organization WHERE id = %s", [one]).fetchone()
            assert found is not None
            return str(found[0])

    shown = ppr_assets.installed("restore", "--record", "organization", one)
    assert (shown.code, name()) == (0, "spoilt")
    assert "UPDATE ONLY public.organization AS it SET name = " in shown.out
    assert "patch      organization: 1 update\n" in shown.err

    call = ("restore", "--table", "organization", "--where", "name = 'spoilt'")
    applied = ppr_assets(
        *call, "--apply", "--out", "patch.sql", "--by", "Ann Lee", "--reason", "a slip", "--json"
    )
    told = json.loads(applied.out)
    assert (applied.code, told["applied"]) == (0, True)
    assert told["changes"] == {"organization": {"update": 1}}
    assert name() != "spoilt"
    undo = (ppr_assets.folder / "patch.undo.sql").read_text()
    assert " UTC by Ann Lee: a slip\n" in undo
    assert (ppr_assets.folder / "patch.sql").stat().st_mode & 0o777 == 0o600
    (back,) = re.findall(r"^go back +(psql .*)$", applied.err, re.MULTILINE)
    password = database.password.reveal() if database.password else ""
    environment = {"PATH": os.environ["PATH"], "PGPASSWORD": password}
    pasted = subprocess.run(
        ["sh", "-c", back], cwd=ppr_assets.folder, env=environment, capture_output=True, check=False
    )
    assert (pasted.returncode, pasted.stderr) == (0, b"")
    assert name() == "spoilt"


def test_half_a_choice_is_refused(ppr_assets: CommandLine) -> None:
    for call, said in (
        (["--apply"], "that goes with --table or --record"),
        (["--record", "organization", "x", "--where", "true"], "--record chooses one row"),
        (["--table", "organization", "--disconnect"], "go with --into alone"),
    ):
        done = ppr_assets("restore", *call)
        assert (done.code, said in done.err) == (2, True), done.err
