"""``ppr-assets policy``, as an operator types it on the morning after a migration."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from datetime import UTC, datetime

import pytest

from ppr_assets.rules.naming import PUBLICATION, quote_identifier
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_command_line import PROGRAM, CommandLine
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_postgres import SampleDatabase

FILE = f"sql_dumps/{PUBLICATION}"


@pytest.fixture
def database(sample_database: SampleDatabase) -> DatabaseSettings:
    return sample_database(private=True)


def test_a_refused_night_is_mended_by_the_command_that_it_names(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.execute("CREATE TABLE visits (day date, who text NOT NULL, note text)")
    refused = ppr_assets("dump")
    assert refused.code == 8
    assert refused.error == "nobody has decided whether this may be published: visits"
    assert "`ppr-assets policy add visits structure --reason …` (or public)" in refused.err

    checked = ppr_assets("policy", "check")
    assert checked.code == 8
    assert "withheld: change_audit: all rows" in checked.out.splitlines()
    assert "withheld: location_source.updated_by: null" in checked.out.splitlines()
    assert checked.out.splitlines()[-2].startswith("unknown: visits: `ppr-assets policy add visits")

    added = ppr_assets("policy", "add", "visits", "public", "--reason", "days are open to all")
    assert (added.code, added.err) == (0, "")
    commit = git(pipeline.remote, "rev-parse", "main")
    assert added.out == f"visits is public, in commit {commit[:10]}, which the remote has\n"
    delivered = git(pipeline.remote, "show", f"main:{FILE}")
    assert (pipeline.dumps / PUBLICATION).read_text().strip() == delivered.strip()

    assert ppr_assets("policy", "add", "visits.who", "replaced", "--reason", "names").code == 0
    assert ppr_assets("policy", "add", "visits.note", "null", "--reason", "free text").code == 0
    content = tomllib.loads((pipeline.dumps / PUBLICATION).read_text())
    assert content == {
        "visits": {
            "*": {"rule": "public", "reason": "days are open to all"},
            "day": "public",
            "who": {"rule": "replaced", "text": "withheld", "reason": "names"},
            "note": {"rule": "null", "reason": "free text"},
        }
    }
    good = ppr_assets("policy", "check")
    assert (good.code, good.err) == (0, "")
    assert ppr_assets("dump").code == 0

    message = git(pipeline.remote, "log", "-1", "--format=%B", "--", FILE)
    assert message.splitlines()[0] == "Publish visits.note as null"
    assert "Reason: free text\nBy: account " in message


_ODD = """-"It's" $HOME \\ `a`.é
\r-"""


def test_the_first_night_names_all_and_its_commands_are_pasted_as_they_are(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    """What they decide is the most private of what each can be."""
    odd = quote_identifier(_ODD)
    pipeline.execute(
        f"CREATE TABLE {odd} (id int PRIMARY KEY, {odd} text); "
        'CREATE SCHEMA "Other one"; CREATE TABLE "Other one"."phone.id" (id int); '
        f"ALTER TABLE phone ADD {odd} text, ADD who text NOT NULL DEFAULT '', "
        f"ADD led int REFERENCES {odd}, ADD times int NOT NULL DEFAULT 0"
    )
    refused = ppr_assets("dump", "--without-record")
    assert refused.code == 8
    checked = ppr_assets("policy", "check")
    assert [*checked.out.splitlines()] == refused.out.splitlines()[1:-1]
    assert "withheld: change_audit: all rows" in refused.out.splitlines()
    commands = re.findall(r"`(ppr-assets policy add .*? --reason …)`", refused.out, re.DOTALL)
    assert len(commands) == 6
    pasted = subprocess.run(
        ["bash", "-e"],
        input="\n".join(commands),
        cwd=ppr_assets.folder,
        env=ppr_assets.environment({"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (pasted.returncode, pasted.stderr) == (0, "")
    night = ppr_assets("dump", "--without-record")
    assert (night.code, night.err) == (0, "")
    content = tomllib.loads((pipeline.dumps / PUBLICATION).read_text())
    assert {
        key: {name: one["rule"] for name, one in lines.items()} for key, lines in content.items()
    } == {
        odd: {"*": "structure"},
        '"Other one"."phone.id"': {"*": "structure"},
        "phone": {_ODD: "null", "who": "replaced", "led": "null", "times": "public"},
    }
    told = [line for line in night.out.splitlines() if line.startswith("withheld")]
    audited = pipeline.count("change_audit")
    assert f"withheld   change_audit without its {audited} rows" in told
    assert f"withheld   phone.who replaced in {pipeline.count('phone')} rows" in told
    pipeline.change()
    later = ppr_assets("dump", "--without-record").out
    assert later.count("withheld ") == 1 < len(told)


@pytest.mark.parametrize(
    ("target", "rule", "code", "problem"),
    [
        ("nowhere", "structure", 2, "`nowhere` is not in the database, must be a table or"),
        ("phone.owner", "null", 2, "`phone.owner` is not in the database"),
        ('stars."*"', "public", 2, 'stars."*" has the name that stands for a whole table'),
        ("phone", "null", 2, "phone is a table, whose rule must be structure or public, not null"),
        ("phone.number", "structure", 2, "phone.number is a column, whose rule must be public or"),
        ("phone.id", "replaced", 8, "phone has the unique index phone_pkey, which would not be"),
        ("organization.name", "null", 8, "organization.name may not be NULL"),
        (
            "location.latitude",
            "replaced",
            8,
            "location.latitude cannot be 'withheld', which its type",
        ),
        ("organization", "structure", 8, "leads to organization, whose rows are withheld"),
        (
            "stars",
            "structure",
            8,
            "leads to stars, whose rows are withheld (seen can be structure too, or of stars only "
            "id public)",
        ),
        ("stars.twice", "null", 2, "stars.twice is generated from other columns"),
        ('"\udcff"', "structure", 2, '"` is not in the database, must be a table or'),
        ("looked", "structure", 2, "`looked` is a view, which holds no rows and needs no decision"),
        ("public.looked", "structure", 2, "`public.looked` is a view, which"),
        ("counted", "structure", 2, "`counted` is a sequence, which holds no rows"),
        ("STARS.Twise", "null", 2, "HINT: is it `stars.twice`? `ppr-assets policy check`"),
        ("organization.id", "null", 8, "organization.id cannot be null: organization.id may not"),
        ("organization.id", "null", 8, " more\nHINT: choose another rule"),
    ],
)
def test_what_cannot_be_decided_so_is_said_and_nothing_is_committed(
    pipeline: Pipeline, ppr_assets: CommandLine, target: str, rule: str, code: int, problem: str
) -> None:
    pipeline.execute(
        'CREATE TABLE stars ("*" int, id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) '
        "STORED); CREATE TABLE seen (star int NOT NULL REFERENCES stars); "
        "CREATE VIEW looked AS SELECT count(*) FROM stars; CREATE SEQUENCE counted"
    )
    commit_files(pipeline.clone, "Decide", {FILE: '[seen]\nstar = "public"\n'})
    before = pipeline.picture()
    said = ppr_assets("policy", "add", target, rule, "--reason", "why not")
    assert said.code == code
    assert problem in said.err
    assert pipeline.picture() == before


def test_a_text_is_for_what_is_replaced(ppr_assets: CommandLine) -> None:
    said = ppr_assets("policy", "add", "phone", "structure", "--reason", "x", "--text", "hidden")
    assert said.code == 2
    assert "--text is for what is replaced, and phone is to be structure" in said.err


def test_what_somebody_wrote_commands_no_terminal_and_passes_for_no_other_line(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    written = '[phone]\n"\\u001b[31mred" = {rule = "null", reason = "yes\\nBy: Pat\\u001b[2J"}\n'
    commit_files(pipeline.clone, "Decide \x1b[2J", {FILE: written})
    added = ppr_assets("policy", "add", "public.phone.type", "null", "--reason", "so\n\nBy: Kim")
    assert added.code == 0
    text = (pipeline.dumps / PUBLICATION).read_text()
    assert text == f'{written}type = {{rule = "null", reason = "so By: Kim"}}\n'
    reviewed = ppr_assets("policy", "review", "--offline").out
    assert r"  phone.\x1b[31mred: undecided → null (yes By: Pat\x1b[2J)" in reviewed.splitlines()
    assert "  Decide " + r"\x1b[2J" in reviewed.splitlines()
    shown = ppr_assets("policy", "show", "public.phone", "--offline").out
    assert r"\x1b[31mred" in shown and "\x1b" not in shown + reviewed


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("phone.owner", "`phone.owner` is not in the database, must be TABLE.COLUMN"),
        ("nowhere.note", "`nowhere.note` is not in the database"),
        ("ops.notes", "ops.notes is a table, must be TABLE.COLUMN"),
    ],
)
def test_a_find_is_not_allowed_where_nothing_is(
    pipeline: Pipeline, ppr_assets: CommandLine, place: str, problem: str
) -> None:
    pipeline.execute("CREATE SCHEMA ops; CREATE TABLE ops.notes (note text)")
    before = pipeline.picture()
    said = ppr_assets("policy", "allow", place, "GitHub token", "--reason", "why not")
    assert (said.code, pipeline.picture()) == (2, before)
    assert problem in said.error
    assert "HINT: the refusal of a dump names the column" in said.err


@pytest.mark.parametrize(
    "place", ['ops.notes."Who?"', "COMMENT ON TABLE nowhere", "phone.description"]
)
def test_a_find_is_allowed_where_it_was_found(
    pipeline: Pipeline, ppr_assets: CommandLine, place: str
) -> None:
    pipeline.execute('CREATE SCHEMA ops; CREATE TABLE ops.notes ("Who?" text)')
    said = ppr_assets("policy", "allow", place, "GitHub token", "--reason", "an example")
    assert said.code == 0
    assert f"GitHub token is allowed in {place}, in commit" in said.out


def test_comments_and_what_others_decided_stay(pipeline: Pipeline, ppr_assets: CommandLine) -> None:
    written = '# Ours, see the minutes of May.\n[phone]\ndescription = "null" # free text\n'
    commit_files(pipeline.clone, "Decide by hand", {FILE: written})
    git(pipeline.clone, "push", "-q", "origin", "main")
    said = ppr_assets("policy", "add", "phone.extension", "null", "--reason", "of persons")
    assert said.code == 0
    text = (pipeline.dumps / PUBLICATION).read_text()
    assert text == f'{written}extension = {{rule = "null", reason = "of persons"}}\n'


def test_another_publishers_decision_is_kept(pipeline: Pipeline, ppr_assets: CommandLine) -> None:
    other = pipeline.clone_again("other")
    (other / "sql_dumps").mkdir(exist_ok=True)
    commit_files(other, "Theirs", {FILE: '[phone]\ndescription = "null"\n'})
    git(other, "push", "-q", "origin", "main")
    said = ppr_assets("policy", "add", "phone.extension", "null", "--reason", "of persons")
    assert said.code == 0
    content = tomllib.loads(git(pipeline.remote, "show", f"main:{FILE}"))
    assert set(content["phone"]) == {"description", "extension"}


def test_two_decisions_that_nobody_merges_are_not_said_to_let_a_dump_pass(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    """But one that only the remote has is in force."""
    pipeline.execute("ALTER TABLE phone ADD owner text")
    other = pipeline.clone_again("other")
    (other / "sql_dumps").mkdir(exist_ok=True)
    commit_files(other, "Theirs", {FILE: '[phone]\nowner = "null"\n'})
    git(other, "push", "-q", "origin", "main")
    (told,) = re.findall(r"(?m)^(.*) policy +(.*)", ppr_assets("doctor").out)
    assert told[0].startswith("ok") and "phone.owner" in told[1]

    commit_files(pipeline.clone, "Ours", {FILE: '[phone]\nowner = "public"\n'})
    problem = f"cannot be merged, both have changed `{FILE}`"
    said = ppr_assets("policy", "check")
    assert (said.code, said.out) == (6, "")
    assert problem in said.error
    (told,) = re.findall(r"(?m)^(.*) policy +(.*)", ppr_assets("doctor").out)
    assert told[0].startswith("FIX") and problem in told[1]


def test_a_damaged_file_is_for_a_human_to_mend(pipeline: Pipeline, ppr_assets: CommandLine) -> None:
    commit_files(pipeline.clone, "Break it", {FILE: "[phone\n"})
    before = pipeline.picture()
    for arguments in (
        ("policy", "show"),
        ("policy", "check"),
        ("policy", "add", "phone.extension", "null", "--reason", "x"),
        ("dump",),
    ):
        said = ppr_assets(*arguments)
        assert said.code == 8
        assert "sql_dumps/.publication.toml in " in said.error and "it is not TOML" in said.error
    assert pipeline.picture() == before


def test_it_shows_what_is_decided_and_by_whom(pipeline: Pipeline, ppr_assets: CommandLine) -> None:
    assert (
        ppr_assets("policy", "add", "phone.extension", "null", "--reason", "of persons").code == 0
    )
    tables = {line.split()[0]: line for line in ppr_assets("policy", "show").out.splitlines()}
    assert tables["change_audit"].split()[1:] == ["no", "rows", "shipped"]
    assert "withheld: extension null" in tables["phone"]
    assert tables["phone"].endswith("data repository")
    phone = ppr_assets("policy", "show", "phone").out.splitlines()
    assert [line.split() for line in phone if line.startswith(("extension", "number"))] == [
        ["number", "public", "shipped"],
        ["extension", "null", "data", "repository", "of", "persons"],
    ]
    unknown = ppr_assets("policy", "show", "visits")
    assert (unknown.code, unknown.error) == (2, "the policy does not know `visits`")


def test_a_review_lists_who_decided_what_and_why(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    assert ppr_assets("policy", "review").out == "nothing was decided in the data repository\n"
    ppr_assets("policy", "add", "phone.extension", "null", "--reason", "of persons")
    by = ("--reason", "of offices after all", "--by", "Ann Lee")
    ppr_assets("policy", "add", "phone.extension", "public", *by)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    lines = ppr_assets("policy", "review", "--since", today).out.splitlines()
    assert lines[2::3] == [
        "  phone.extension: null → public (of offices after all)",
        "  phone.extension: undecided → null (of persons)",
    ]
    assert lines[0].split()[0] == git(pipeline.remote, "rev-parse", "main")[:10]
    assert lines[0].endswith(" UTC  Ann Lee")
    assert ppr_assets("policy", "review", "--since", "2999-01-01").out.startswith("nothing")


def test_a_file_elsewhere_is_read_in_its_place_and_not_edited(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    other = pipeline.clone.parent / "policy.toml"
    other.write_text('[phone]\nextension = "null"\nextention = "null"\n')
    variables = {"SQL_DUMP_POLICY_FILE": str(other)}
    pipeline.execute("CREATE TABLE visits (day date)")
    checked = ppr_assets("policy", "check", **variables).out
    assert "withheld: phone.extension: null" in checked
    assert f"not in the database: phone.extention, which {other} withholds" in checked
    assert f'or in {other}: "*" = "structure" below [visits]' in checked
    shown = ppr_assets("policy", "show", "phone", **variables).out.splitlines()
    assert [line.split() for line in shown if line.startswith("extension")] == [
        ["extension", "null", f"`{other}`"]
    ]
    said = ppr_assets("policy", "add", "phone.type", "null", "--reason", "x", **variables)
    assert said.code == 2
    assert said.error.startswith(f"SQL_DUMP_POLICY_FILE names `{other}`")
    other.unlink()
    gone = ppr_assets("dump", **variables)
    assert gone.code == 8
    assert gone.error.endswith("cannot be read: No such file or directory")


def test_to_publish_a_table_does_not_open_what_is_withheld_of_it(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.execute("ALTER TABLE location_source ADD story text")
    arguments = ("policy", "add", "location_source", "public", "--reason", "texts of scrapers")
    assert ppr_assets(*arguments).code == 0
    content = tomllib.loads((pipeline.dumps / PUBLICATION).read_text())["location_source"]
    assert content["story"] == "public"
    assert "updated_by" not in content
    assert "withheld: location_source.updated_by: null" in ppr_assets("policy", "check").out


def test_a_column_of_a_table_without_rows_opens_it_for_decisions(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.execute("CREATE TABLE visits (day date, who text)")
    assert ppr_assets("policy", "add", "visits", "structure", "--reason", "who came").code == 0
    opened = ppr_assets("policy", "add", "visits.day", "public", "--reason", "days are open")
    assert opened.code == 0
    assert "still unknown: visits.who" in opened.out


def test_a_change_that_nobody_has_committed_is_not_decided_over(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.dumps.mkdir(exist_ok=True)
    (pipeline.dumps / PUBLICATION).write_text("# my own\n")
    said = ppr_assets("policy", "add", "phone.extension", "null", "--reason", "x")
    assert said.code == 8
    assert said.error.endswith("was changed in the work tree and not committed")
    assert (pipeline.dumps / PUBLICATION).read_text() == "# my own\n"


def test_a_review_names_the_commit_that_nobody_can_read(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    decided = '[phone]\nextension = "null"\ntype = "null"\n'
    commit_files(pipeline.clone, "Decide", {FILE: decided})
    broken = commit_files(pipeline.clone, "Break it", {FILE: decided + "[phone\n"})[:10]
    commit_files(pipeline.clone, "Break it more", {FILE: "[phone\n"})
    commit_files(pipeline.clone, "Mend it", {FILE: decided.replace('type = "null"', "")})
    said = ppr_assets("policy", "review")
    assert (said.code, said.beside) == (0, "")
    commits = [lines.splitlines()[1:] for lines in said.out.split("UTC")[1:]]
    mended, _, unreadable, first = [
        [line for line in lines if line[:2] == "  "] for lines in commits
    ]
    assert mended == ["  Mend it", "  phone.type: null → undecided"]
    assert unreadable[0] == "  Break it" and len(unreadable) == 2
    assert f"`{FILE} in {broken}` cannot be read: it is not TOML" in unreadable[1]
    assert first == [
        "  Decide",
        "  phone.extension: undecided → null",
        "  phone.type: undecided → null",
    ]


def test_of_two_decisions_at_once_none_is_lost(pipeline: Pipeline, ppr_assets: CommandLine) -> None:
    """Two people in one clone, and somebody on another machine."""
    elsewhere = {"DATA_REPO_PATH": str(pipeline.clone_again("other"))}
    columns = ("extension", "type", "description")
    started = [
        ppr_assets.begin("policy", "add", f"phone.{column}", "null", "--reason", "x", **variables)
        for column, variables in zip(columns, ({}, {}, elsewhere), strict=True)
    ]
    for said in map(ppr_assets.ended, started):
        assert (said.code, said.err) == (0, "")
    content = tomllib.loads(git(pipeline.remote, "show", f"main:{FILE}"))
    assert set(content["phone"]) == {*columns}
