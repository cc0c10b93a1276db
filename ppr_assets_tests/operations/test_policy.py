"""The policy on a night: what is withheld, what stops it, and that what is private gets nowhere."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ppr_assets.demo.sample.private import EDITORS
from ppr_assets.errors import PolicyRefused, PolicyUnreadable
from ppr_assets.operations.deciding.against_database import Wish, check_policy
from ppr_assets.operations.deciding.against_database import decide as decide_by_command
from ppr_assets.operations.publishing import judged_tip
from ppr_assets.rules.naming import PUBLICATION
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_postgres import SampleDatabase
from ppr_assets_tests.opened import count_records, dump, publish

pytestmark = pytest.mark.usefixtures("strict_policy")


@pytest.fixture
def database(sample_database: SampleDatabase) -> DatabaseSettings:
    """With what is about people, also in a column of a table that is published."""
    return sample_database(private=True)


def everything_in(repository: Path) -> Iterator[bytes]:
    """Every object of it, also what no commit leads to, and every file beside the objects."""
    command = ["git", "-C", str(repository), "cat-file", "--batch", "--batch-all-objects"]
    yield subprocess.run(command, capture_output=True, check=True).stdout
    for path in repository.rglob("*"):
        if path.is_file() and "objects" not in path.parts:
            yield path.read_bytes()


def decide(pipeline: Pipeline, text: str) -> None:
    """As somebody commits it by hand."""
    pipeline.dumps.mkdir(exist_ok=True)
    (pipeline.dumps / PUBLICATION).write_text(text)
    git(pipeline.clone, "add", "-f", f"sql_dumps/{PUBLICATION}")
    git(pipeline.clone, "commit", "-q", "-m", "Decide what is published")


def test_rows_that_nobody_counts_are_not_said_to_be_none(pipeline: Pipeline) -> None:
    pipeline.first_night()
    pipeline.execute("CREATE MATERIALIZED VIEW places AS SELECT id FROM location")
    pipeline.execute("SELECT pg_catalog.lo_from_bytea(0, 'one')")
    decide(pipeline, '[places]\n"*" = "structure"\n["large objects"]\n"*" = "structure"\n')
    dumped = dump(pipeline.settings)
    assert dumped.manifest is not None
    said = {str(one) for one in dumped.manifest.lacking}
    assert {"places without its rows", "large objects without its rows"} <= said
    assert Manifest.from_json(dumped.manifest.to_json()) == dumped.manifest
    assert not {"places", "large objects"} & dumped.manifest.counts.keys()


def test_what_is_about_people_is_withheld_and_written_down(pipeline: Pipeline) -> None:
    dumped, published = pipeline.first_night()
    assert dumped.manifest is not None and published.status == "published"
    withheld = {one.name: (one.rule, one.rows) for one in dumped.manifest.withheld}
    assert withheld["change_audit"] == ("structure", pipeline.count("change_audit"))
    assert withheld["location_source.updated_by"][0] == "null"
    assert withheld["location_source.updated_by"][1]
    assert withheld["metadata.updated_by"] == ("replaced", pipeline.count("metadata"))
    assert "change_audit" not in dumped.manifest.tables
    assert dumped.manifest.counts["change_audit"] == pipeline.count("change_audit")
    assert pipeline.mark()["tables"]["change_audit"] == pipeline.count("change_audit")
    for data in (*everything_in(pipeline.clone), *everything_in(pipeline.remote)):
        assert not [name for name in (*EDITORS, "203.0.113.") if name.encode() in data]


def test_the_dump_makes_the_tables_whose_rows_it_withholds(pipeline: Pipeline) -> None:
    pipeline.gate(proof="server")
    dumped, _ = pipeline.first_night()
    assert dumped.manifest is not None and dumped.manifest.proof is not None
    assert dumped.manifest.proof.proven
    latest = (pipeline.dumps / "latest.sql").read_text()
    assert "CREATE TABLE public.change_audit" in latest
    assert "COPY public.change_audit" not in latest


def test_what_changes_only_where_nothing_is_published_makes_no_new_dump(
    pipeline: Pipeline,
) -> None:
    pipeline.first_night()
    pipeline.execute("UPDATE change_audit SET source_ip = '198.51.100.7'")
    pipeline.execute("UPDATE location_source SET updated_by = 'somebody else'")
    dumped, _ = pipeline.night()
    assert dumped.status == "unchanged"


COUNTED = {
    "serial": "bigserial",
    "identity": "int GENERATED ALWAYS AS IDENTITY",
    "by_default": "int DEFAULT nextval('by_default_id_seq')",
    "in_a_text": "text DEFAULT 'V' || nextval('in_a_text_id_seq')",
    "of_a_domain": "visit_number",
}
"""Tables, and what their keys are."""


def test_a_counter_of_what_is_withheld_is_not_published(pipeline: Pipeline) -> None:
    """It would tell how many rows there were, and make a new dump every night."""
    pipeline.gate(proof="server")
    for table in ("by_default", "in_a_text", "of_a_domain"):
        pipeline.execute(f"CREATE SEQUENCE {table}_id_seq")
    pipeline.execute("CREATE DOMAIN visit_number AS int DEFAULT nextval('of_a_domain_id_seq')")
    for table, key in COUNTED.items():
        pipeline.execute(f"CREATE TABLE {table} (id {key}, who text)")
        pipeline.execute(f"INSERT INTO {table} (who) VALUES ('Pat'), ('Kim')")
    decide(pipeline, "".join(f'[{table}]\n"*" = "structure"\n' for table in COUNTED))
    pipeline.night()
    latest = (pipeline.dumps / "latest.sql").read_text()
    for table in COUNTED:
        assert f"{table}_id_seq" in latest
        assert f"setval('public.{table}_id_seq'" not in latest
    assert "setval('public.record_version_id_seq'" in latest
    for table in COUNTED:
        pipeline.execute(f"INSERT INTO {table} (who) VALUES ('Sam')")
    assert pipeline.night()[0].status == "unchanged"


def test_a_counter_is_published_where_a_published_column_goes_on_from_it(
    pipeline: Pipeline,
) -> None:
    """A restored database would give its numbers again."""
    pipeline.gate(proof="server")
    pipeline.execute(
        "CREATE SEQUENCE shared; CREATE SEQUENCE alone; CREATE SEQUENCE free;"
        "CREATE TABLE visits (id int DEFAULT nextval('shared'), day int DEFAULT nextval('alone'));"
        "CREATE TABLE days (id int DEFAULT nextval('shared'), n int DEFAULT nextval('alone'));"
        "INSERT INTO visits DEFAULT VALUES; INSERT INTO days DEFAULT VALUES;"
        "SELECT nextval('free')"
    )
    decide(pipeline, '[visits]\n"*" = "structure"\n[days]\nid = "public"\nn = "null"\n')
    pipeline.night()
    latest = (pipeline.dumps / "latest.sql").read_text()
    counted = [one for one in ("shared", "alone", "free") if f"setval('public.{one}'" in latest]
    assert counted == ["shared", "free"]


@pytest.mark.parametrize(
    ("statement", "name", "rule"),
    [
        ("CREATE TABLE visitors (email text)", "visitors", "structure"),
        ('CREATE SCHEMA "Web"; CREATE TABLE "Web".log ()', '"Web".log', "structure"),
        ("ALTER TABLE phone ADD owner text", "phone.owner", "null"),
        ("ALTER TABLE phone RENAME number TO n", "phone.n", "replaced"),
        ("SELECT lo_create(0)", "large objects", "structure"),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1 AS x", "m", "structure"),
    ],
)
def test_what_nobody_has_decided_on_stops_the_night(
    pipeline: Pipeline, statement: str, name: str, rule: str
) -> None:
    pipeline.first_night()
    before = pipeline.picture()
    pipeline.execute(statement)
    pipeline.gate(allow_empty=True)
    with pytest.raises(PolicyRefused) as refused:
        pipeline.night(override_reason="whatever it is")
    assert refused.value.message == f"nobody has decided whether this may be published: {name}"
    command = f"ppr-assets policy add {shlex.quote(name)} {rule} --reason …"
    assert f"`{command}`" in refused.value.hint
    assert refused.value.exit_code == 8
    assert pipeline.picture() == before


def test_a_table_that_comes_between_count_and_dump_is_refused_all_the_same(
    pipeline: Pipeline,
) -> None:
    assert count_records(pipeline.settings).plan.refusal is None
    pipeline.execute("CREATE TABLE scratch AS SELECT 'a secret' AS note")
    with pytest.raises(PolicyRefused, match="scratch"):
        pipeline.night()


def test_the_data_repository_adds_decisions_of_its_own(pipeline: Pipeline) -> None:
    pipeline.execute("CREATE TABLE visits (day date, place text, who text NOT NULL, note text)")
    pipeline.execute("INSERT INTO visits VALUES ('2025-08-01', 'pantry', 'Pat', 'came by'), ('2025-08-02', 'x', 'Kim', NULL)")  # fmt: skip  # noqa: E501
    decide(
        pipeline,
        '[visits]\nday = "public"\nplace = "public"\nnote = "null"\n'
        'who = { rule = "replaced", text = "somebody", reason = "names" }\n',
    )
    dumped, _ = pipeline.night()
    assert dumped.manifest is not None
    assert {one.name: one.rows for one in dumped.manifest.withheld if one.table == "visits"} == {
        "visits.note": 1,
        "visits.who": 2,
    }
    rows = (pipeline.dumps / "latest.sql").read_text().split("COPY public.visits")[1]
    assert rows.splitlines()[1:3] == [
        "2025-08-01\tpantry\tsomebody\t\\N",
        "2025-08-02\tx\tsomebody\t\\N",
    ]


def symlink(file: Path) -> None:
    """To the very same policy."""
    elsewhere = file.rename(file.with_name("policy.toml"))
    file.symlink_to(elsewhere.name)


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()
    (file / "policy.toml").write_text("")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut off": lambda file: file.write_text("[language"),
    "no rule": lambda file: file.write_text('[language]\n"*" = "all"\n'),
    "zero bytes": lambda file: file.write_bytes(b"\0" * 40),
    "empty": lambda file: file.write_text(""),
    "a conflict": lambda file: file.write_text(
        f"<<<<<<< HEAD\n{file.read_text()}=======\n>>>>>>> theirs\n"
    ),
    "a byte order mark": lambda file: file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes()),
    "a pointer": lambda file: file.write_text("version https://git-lfs.github.com/spec/v1\n"),
    "a symlink": symlink,
    "a folder": folder,
}


def test_a_damaged_policy_is_never_read_as_if_all_were_public(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the work tree, committed here, and committed by others."""
    monkeypatch.setattr(judged_tip, "MOVING_SECONDS", 0.0)
    decide(pipeline, '[language]\nnote = "null"\n')
    pipeline.change()
    pipeline.night()
    pipeline.change()
    good, other = pipeline.head(), pipeline.clone_again("other")
    for damage, done in DAMAGE.items():
        done(pipeline.dumps / PUBLICATION)
        require_refused(pipeline, f"{damage} in the work tree")
        git(pipeline.clone, "add", "-Af", "sql_dumps")
        git(pipeline.clone, "commit", "-q", "-m", damage)
        message = require_refused(pipeline, f"{damage} committed here")
        assert "cannot be read: " in message, "it is committed, so that is not what is wrong"
        git(pipeline.clone, "reset", "-q", "--hard", good)

        done(other / "sql_dumps" / PUBLICATION)
        git(other, "add", "-Af", "sql_dumps")
        git(other, "commit", "-q", "-m", damage)
        git(other, "push", "-q", "-f", "origin", "main")
        require_refused(pipeline, f"{damage} committed by others")
        git(other, "reset", "-q", "--hard", good)
        git(other, "push", "-q", "-f", "origin", "main")
    assert pipeline.night()[1].status == "unchanged"


def require_refused(pipeline: Pipeline, where: str) -> str:
    before = pipeline.picture()
    with pytest.raises(PolicyUnreadable) as caught:
        assert pipeline.night() is None, where
    assert PUBLICATION in caught.value.message, where
    assert "\n" not in caught.value.message and caught.value.hint, where
    assert caught.value.exit_code == 8
    assert pipeline.picture() == before, where
    return caught.value.message


def decided_by_others(pipeline: Pipeline, text: str) -> None:
    """Between a dump and its publication."""
    other = pipeline.clone_again("other")
    commit_files(other, "Decide elsewhere", {f"sql_dumps/{PUBLICATION}": text})
    git(other, "push", "-q", "origin", "main")


def test_a_staged_dump_is_not_published_where_others_withhold_what_it_holds(
    pipeline: Pipeline,
) -> None:
    pipeline.change()
    pipeline.night()
    pipeline.change()
    assert dump(pipeline.settings).status == "staged"
    decided_by_others(pipeline, '[language]\nnote = "null"\n')
    before = pipeline.remote_head()
    with pytest.raises(PolicyRefused) as refused:
        publish(pipeline.settings)
    rows = pipeline.count("language")
    assert refused.value.message.endswith(
        f".sql holds what the publication policy does not allow any more: {rows} values of "
        "language.note (null)"
    )
    assert refused.value.hint.startswith("dump again, which is done by the policy as it is now: ")
    assert pipeline.remote_head() == before
    _, published = pipeline.night()
    assert published.status == "published"
    assert "language.note" in {one.name for one in published.manifest.withheld}


def test_a_staged_dump_is_published_where_others_decide_on_what_it_does_not_hold(
    pipeline: Pipeline,
) -> None:
    pipeline.first_night()
    pipeline.change()
    dumped = dump(pipeline.settings)
    decided_by_others(pipeline, '[visits]\nday = "public"\n[phone]\nextension = "public"\n')
    published = publish(pipeline.settings)
    assert (published.status, published.manifest.dump) == (
        "published",
        dumped.manifest and dumped.manifest.dump,
    )
    assert pipeline.remote_head() == published.commit


def test_a_staged_dump_is_searched_again_where_a_find_is_not_allowed_any_more(
    pipeline: Pipeline,
) -> None:
    address = "https://kim:Tr0ub4dor-and-3@food.pantry-county.org/"
    pipeline.execute("UPDATE organization SET website = %s", address)
    decide(
        pipeline,
        '[["allowed finds"]]\ntable = "organization"\ncolumn = "website"\n'
        'kind = "URL with a password"\nreason = "made up"\n',
    )
    pipeline.night()
    pipeline.change()
    assert dump(pipeline.settings).status == "staged"
    decided_by_others(pipeline, "# That was a password.\n")
    before = pipeline.remote_head()
    with pytest.raises(
        PolicyRefused, match=r"^secrets would be published: organization\.website"
    ) as refused:
        publish(pipeline.settings)
    assert address not in refused.value.render()
    assert pipeline.remote_head() == before


def test_a_policy_file_that_is_gone_is_not_taken_for_one_that_withholds_nothing(
    pipeline: Pipeline,
) -> None:
    pipeline.change()
    decide(pipeline, '[language]\nnote = "null"\n')
    pipeline.night()
    git(pipeline.clone, "rm", "-q", f"sql_dumps/{PUBLICATION}")
    git(pipeline.clone, "commit", "-q", "-m", "Tidy up")
    before = pipeline.picture()
    wish = Wish("phone.extension", "null", "people's own")
    for verb in (pipeline.night, lambda: decide_by_command(pipeline.settings, wish)):
        with pytest.raises(PolicyUnreadable, match=r"is missing in .*, and was there before"):
            verb()
    assert pipeline.picture() == before
    decide(pipeline, "# Nothing is decided here.\n")
    assert pipeline.night()[1].status == "published"


@pytest.mark.parametrize(
    ("check", "lines"),
    [
        ("note IS NOT NULL OR day IS NULL", 'note = "null"'),
        ("note LIKE '%@%'", 'note = { rule = "replaced", text = "withheld" }'),
        ("length(note) > 3 AND day > '2025-01-01'", 'note = { rule = "replaced", text = "-" }'),
    ],
)
def test_a_check_that_would_not_hold_is_named_before_the_dump(
    pipeline: Pipeline, check: str, lines: str
) -> None:
    pipeline.execute("CREATE TABLE visits (day date, note text)")
    pipeline.execute("INSERT INTO visits VALUES ('2025-08-01', 'pat@example.org')")
    pipeline.execute(f"ALTER TABLE visits ADD CONSTRAINT readable CHECK ({check})")
    decide(pipeline, f'[visits]\nday = "public"\n{lines}\n')
    with pytest.raises(PolicyRefused) as refused:
        pipeline.night()
    assert refused.value.message == (
        "the publication policy cannot be kept: visits has the check readable, which would not "
        "hold of what stands in the place of visits.note"
    )


def test_a_check_that_holds_of_what_is_published_stops_nothing(pipeline: Pipeline) -> None:
    pipeline.gate(proof="server")
    pipeline.execute("CREATE TABLE visits (day date, note text CHECK (note <> ''))")
    pipeline.execute("INSERT INTO visits VALUES ('2025-08-01', 'pat@example.org')")
    decide(pipeline, '[visits]\nday = "public"\nnote = "null"\n')
    assert pipeline.night()[1].status == "published"


def test_a_file_that_is_gone_is_missed_whatever_made_the_dump_before(pipeline: Pipeline) -> None:
    pipeline.first_night()
    decide(pipeline, '[language]\nnote = "null"\n')
    git(pipeline.clone, "rm", "-q", f"sql_dumps/{PUBLICATION}")
    git(pipeline.clone, "commit", "-q", "-m", "Tidy up")
    pipeline.change()
    with pytest.raises(PolicyUnreadable, match="was there before"):
        pipeline.night()


def test_what_somebody_has_begun_to_decide_stops_a_night(pipeline: Pipeline) -> None:
    pipeline.change()
    pipeline.night()
    (pipeline.dumps / PUBLICATION).write_text('[language]\nnote = "null"\n')
    pipeline.change()
    before = pipeline.picture()
    for verb in (pipeline.night, lambda: check_policy(pipeline.settings)):
        with pytest.raises(PolicyUnreadable, match="was changed in the work tree and not comm"):
            verb()
    assert pipeline.picture() == before
    git(pipeline.clone, "add", "-f", f"sql_dumps/{PUBLICATION}")
    git(pipeline.clone, "commit", "-q", "-m", "Notes are private")
    assert pipeline.night()[1].status == "published"


def test_a_decision_that_only_the_remote_has_is_in_force(pipeline: Pipeline) -> None:
    pipeline.first_night()
    pipeline.execute("CREATE TABLE visits (day date)")
    other = pipeline.clone_again("other")
    (other / "sql_dumps" / PUBLICATION).write_text('[visits]\nday = "public"\n')
    git(other, "add", "-f", f"sql_dumps/{PUBLICATION}")
    git(other, "commit", "-q", "-m", "Days are public")
    git(other, "push", "-q", "origin", "main")
    assert count_records(pipeline.settings).plan.refusal is None
    assert pipeline.night()[1].status == "published"


def test_a_decision_before_the_first_dump_is_checked_out_as_it_was_committed(
    pipeline: Pipeline,
) -> None:
    """Also by a clone that ends lines as Windows does."""
    decide_by_command(pipeline.settings, Wish("language.note", "null", "private"))
    other = pipeline.clone.parent / "windows"
    git(other.parent, "clone", "-q", "-c", "core.autocrlf=true", str(pipeline.remote), str(other))
    assert b"\r\n" not in (other / "sql_dumps" / PUBLICATION).read_bytes()
    assert pipeline.elsewhere(other).night()[1].status == "published"


def test_each_step_that_the_policy_refuses_notes_the_day_and_the_next_page_tells_it(
    pipeline: Pipeline,
) -> None:
    noted = pipeline.clone / ".git" / "ppr_assets" / "refused_days"
    pipeline.first_night()
    pipeline.change()
    assert dump(pipeline.settings).status == "staged"
    decided_by_others(pipeline, '[language]\nnote = "null"\n')
    assert not noted.exists()
    with pytest.raises(PolicyRefused):
        publish(pipeline.settings)
    assert noted.exists()
    noted.unlink()
    pipeline.execute("CREATE TABLE scratch AS SELECT 'a secret' AS note")
    assert count_records(pipeline.settings).plan.refusal is not None
    assert noted.exists()
    noted.unlink()
    with pytest.raises(PolicyRefused):
        dump(pipeline.settings)
    day = noted.read_text()
    pipeline.execute("DROP TABLE scratch")
    pipeline.execute("UPDATE organization SET description = 'another'")
    pipeline.night()
    assert f"one noted refusal, on {day.strip()}" in (pipeline.dumps / "README.md").read_text()
