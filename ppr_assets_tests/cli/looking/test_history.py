"""``ppr-assets history``: a record that comes, changes, goes and comes back."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from ppr_assets_tests.fix_command_line import CommandLine
from ppr_assets_tests.fix_git import commit_files, git
from ppr_assets_tests.fix_old_dumps import OldDump
from ppr_assets_tests.fix_pipeline import Pipeline, wait_for_a_later_name

KEY = "f1584b99-5a47-7098-6ad7-5bb8d29e9734"
ROW = "INSERT INTO public.organization (id, name, description) VALUES ('o-1', %s, 'told')"


def _night(pipeline: Pipeline) -> str:
    wait_for_a_later_name(pipeline.latest())
    pipeline.night()
    return pipeline.head()


def test_a_record_is_followed_through_all_nights_and_nothing_is_written(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    pipeline.execute(ROW, "Café\tone")
    first = _night(pipeline)
    pipeline.execute("UPDATE public.location SET name = name || '!'")  # of another table
    _night(pipeline)
    pipeline.execute(
        "UPDATE public.organization SET name = 'Two', email = 'a@b.org' WHERE id = 'o-1'"
    )
    pipeline.gate(max_file_bytes=150_000)  # in parts from now on
    changed = _night(pipeline)
    pipeline.execute("DELETE FROM public.organization WHERE id = 'o-1'")
    gone = _night(pipeline)
    pipeline.execute(ROW, "Three")
    back = _night(pipeline)
    foreign = {"sql_dumps/pantry_pirate_radio_2020-01-01_00-00-00.sql": "-- cut"}
    commit_files(pipeline.clone, "Put a broken one beside", foreign)
    before, index = pipeline.picture(), (pipeline.clone / ".git" / "index").read_bytes()
    refs = git(pipeline.clone, "for-each-ref")

    told = ppr_assets.installed("history", "organization", "o-1")
    assert told.code == 0, told.err
    lines = told.out.splitlines()
    heads = [line.split() for line in lines if not line.startswith(" ")]
    assert [" ".join(head[:-5]) for head in heads] == ["first seen", "changed", "gone", "back"]
    assert [head[-2] for head in heads] == [one[:10] for one in (first, changed, gone, back)]
    assert "            name: Café\\x09one → Two" in lines
    assert "            email: NULL → a@b.org" in lines
    assert "            name: Two → Three" in lines
    assert told.beside.startswith("pantry_pirate_radio_2020-01-01_00-00-00.sql was not read: ")

    document = json.loads(ppr_assets("history", "public.organization", "o-1", "--json").out)
    assert [one["commit"] for one in document["events"]] == [first, changed, gone, back]
    assert document["events"][1]["changes"]["name"] == ["Café\tone", "Two"]
    assert document["row"]["name"] == "Three"
    assert document["dumps"] == 6
    assert [*document["unread"]] == ["pantry_pirate_radio_2020-01-01_00-00-00.sql"]

    misspelt = ppr_assets("history", "organisation", "o-1")
    assert (misspelt.code, misspelt.out) == (1, "")
    assert misspelt.error == "none of 6 dumps has rows of a table `organisation`"
    assert "organization" in misspelt.err
    nobody = ppr_assets("history", "organization", "o-2")
    assert (nobody.code, nobody.out) == (0, "no organization o-2 in 6 dumps\n")
    assert pipeline.picture() == before
    assert (pipeline.clone / ".git" / "index").read_bytes() == index
    assert git(pipeline.clone, "for-each-ref") == refs

    git(pipeline.clone, "repack", "-adfq")  # until now they were loose
    packed = ppr_assets("history", "organization", "o-1", "--json")
    assert json.loads(packed.out) == document


@pytest.mark.parametrize("form", ["plain", "gzip"])
def test_a_partial_clone_fetches_what_it_reads_and_gzip_is_read_too(
    form: str, pipeline: Pipeline, ppr_assets: CommandLine, tmp_path: Path
) -> None:
    """Foreign dumps, as an old script left them: without manifests."""
    end = {"plain": ".sql", "gzip": ".sql.gz"}[form]
    for night, name in enumerate(("One", "Two"), 1):
        text = OldDump(16).sql.replace(b"Pantry 1", name.encode())
        assert name.encode() in text
        data = gzip.compress(text, mtime=0) if form == "gzip" else text
        path = pipeline.clone / f"sql_dumps/pantry_pirate_radio_2026-01-0{night}_00-00-00{end}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        git(pipeline.clone, "add", "sql_dumps")
        git(pipeline.clone, "commit", "-qm", f"Night {night}")
    git(pipeline.clone, "push", "-q", "origin", "main")
    git(pipeline.remote, "config", "uploadpack.allowFilter", "true")
    git(pipeline.remote, "config", "uploadpack.allowAnySHA1InWant", "true")
    clone, url = tmp_path / "partial", pipeline.remote.as_uri()
    git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", url, str(clone))
    where = {"DATA_REPO_PATH": str(clone), "DATA_REPO_URL": url}
    away = ppr_assets("history", "organization", KEY, "--offline", **where)
    assert away.code == 1
    assert away.error.startswith("none of 2 dumps could be read, `pantry_pirate_radio_2026-01-01_")
    assert away.error.endswith("its bytes are not in this clone")
    told = json.loads(ppr_assets("history", "organization", KEY, "--json", **where).out)
    assert [one["what"] for one in told["events"]] == ["first seen", "changed"]
    assert told["events"][1]["changes"] == {"name": ["One", "Two"]}
    assert told["unread"] == {}


def test_what_the_policy_of_today_withholds_is_told_of_no_night(
    pipeline: Pipeline, ppr_assets: CommandLine
) -> None:
    pipeline.first_night()
    pipeline.execute(ROW, "One")
    _night(pipeline)
    for change in ("email = 'secret@b.org'", "name = 'Two'", "email = NULL"):
        pipeline.execute(f"UPDATE public.organization SET {change} WHERE id = 'o-1'")
        _night(pipeline)
    hidden = '[organization]\nemail = {rule = "null", reason = "a test"}\n'
    commit_files(pipeline.clone, "Withhold", {"sql_dumps/.publication.toml": hidden})
    told = ppr_assets("history", "organization", "o-1", "--json")
    document = json.loads(told.out)
    changes = [[*one["changes"]] for one in document["events"]]
    assert changes == [[], ["updated_at"], ["name", "updated_at"], ["updated_at"]]
    assert document["withheld"] == ["email"]
    assert "withheld by the policy of today: organization.email\n" in told.err
    asked = ppr_assets(
        "query", "select count(email) as n, count(*) as m from organization", "--json"
    )
    assert json.loads(asked.out) == [{"n": 0, "m": 201}]
    assert "withheld by the policy of today: " in asked.err
    assert "secret" not in told.out + told.err + asked.out + asked.err

    nothing = '[organization]\n"*" = {rule = "structure", reason = "a test"}\n'
    commit_files(pipeline.clone, "Withhold all", {"sql_dumps/.publication.toml": nothing})
    refused = ppr_assets("history", "organization", "o-1")
    assert (refused.code, refused.out) == (8, "")
    assert refused.error == "the rows of organization are withheld by the policy of today"
    tables = json.loads(ppr_assets("query", "--json").out)
    assert {one["table"]: one["rows"] for one in tables}["organization"] == 0
    file = str(pipeline.dumps / pipeline.latest())
    own = ppr_assets("query", "select count(*) as n from organization", "--at", file, "--json")
    assert json.loads(own.out) == [{"n": 201}]
