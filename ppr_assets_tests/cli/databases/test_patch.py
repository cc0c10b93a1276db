"""``ppr-assets restore --record`` and ``--table``, as an operator calls them."""

from __future__ import annotations

import json
import os
import re
import subprocess

from ppr_assets.postgres.sessions.libpq import client_environment
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


def test_rows_come_from_a_dump_in_parts_and_from_a_foreign_one_and_never_from_a_damaged_one(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.gate(max_file_bytes=150_000)
    pipeline.first_night()
    dump = pipeline.dumps / pipeline.latest()
    assert dump.with_suffix(".parts").is_dir()
    pipeline.execute("UPDATE public.service SET name = 'spoilt'")
    database = pipeline.settings.database
    before, index = pipeline.picture(), (pipeline.clone / ".git" / "index").read_bytes()
    call = ("restore", "--table", "service")

    parted = ppr_assets(*call, "--json")
    told = json.loads(parted.out)
    assert (parted.code, [*told["changes"]]) == (0, ["service"]), parted.err
    assert (pipeline.picture(), index) == (
        before,
        (pipeline.clone / ".git" / "index").read_bytes(),
    )

    exported = ppr_assets.folder / "pg_dump.sql"  # as anybody makes one: with no manifest
    plain = subprocess.run(
        ["pg_dump", "--no-owner", "--no-acl"],
        env={**os.environ, **client_environment(database)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    exported.write_text(plain.replace("\tspoilt\t", "\tfrom elsewhere\t", 1))
    foreign = json.loads(ppr_assets(*call, "./pg_dump.sql", "--json").out)
    assert foreign["changes"] == {"service": {"update": 1}}
    assert any("pg_dump.sql has no manifest" in one for one in foreign["remarks"])

    for name, text, said in (
        ("cut", plain[: len(plain) // 2], "`cut.sql`: the dump was cut off at byte "),
        ("other", "select 1;\n", "`other.sql`"),
    ):
        (ppr_assets.folder / f"{name}.sql").write_text(text)
        damaged = ppr_assets(*call, f"./{name}.sql", "--apply")
        assert (damaged.code, damaged.out) == (4, ""), damaged.err
        assert said in damaged.error
    with connect(database) as session:
        row = session.execute("SELECT count(DISTINCT name) FROM public.service").fetchone()
    assert row == (1,)
    assert not [*ppr_assets.folder.glob("*undo*")]


def test_half_a_choice_is_refused(ppr_assets: CommandLine) -> None:
    for call, said in (
        (["--apply"], "that goes with --table or --record"),
        (["--record", "organization", "x", "--where", "true"], "--record chooses one row"),
        (["--table", "organization", "--disconnect"], "go with --into alone"),
    ):
        done = ppr_assets("restore", *call)
        assert (done.code, said in done.err) == (2, True), done.err
