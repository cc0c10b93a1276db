"""The page in a data repository that others write to as well."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from ppr_assets.data_repo.checkout.advance import advance_branch
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.objects import write_blob
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.data_repo.history.dump_page import not_ours, page_at
from ppr_assets.data_repo.history.integrate import base_for_publishing
from ppr_assets.data_repo.history.refused_days import note_refusal, refused_days
from ppr_assets.data_repo.remote.remote import fetch
from ppr_assets.errors import DataRepoError
from ppr_assets.operations.publishing.dump_commit import (
    Following,
    StagedObjects,
    write_dump_commit,
    write_prune_commit,
)
from ppr_assets.operations.publishing.retention import retention_at
from ppr_assets.rules.gate.ratchet import Override, judge
from ppr_assets.rules.naming import dump_name, manifest_name
from ppr_assets.rules.page.past import Past, PastNight
from ppr_assets.rules.page.picture import carried, picture
from ppr_assets.rules.page.readme import BEGIN, END
from ppr_assets.rules.policy import GatePolicy
from ppr_assets.settings import DumpSettings, KeepSettings
from ppr_assets_tests.fix_git import Somebody, described

pytestmark = [pytest.mark.usefixtures("nobody_else"), pytest.mark.slow]

FIRST = datetime(2026, 11, 1, 2, tzinfo=UTC)
PAGE, PICTURE = "sql_dumps/README.md", "sql_dumps/dumps.svg"
TWO = DumpSettings(keep=KeepSettings(2, 0, 0, 0, 0))


def moment(day: int) -> datetime:
    return FIRST + timedelta(days=day)


def publish(repo: DataRepo, day: int, base: str | None = None, **facts: object) -> str:
    """A night's commit, as publishing makes it; ``base`` or the branch's tip is what it follows."""
    name, old = dump_name(moment(day)), base or tip(repo)
    rows = {"organization": 1000 + day, "location": 2000, "service": 3000}
    manifest = described(name, f"{day:064}", rows, **facts)
    manifest = replace(manifest, snapshot_at=moment(day), bytes=1000 * (day + 1))
    verdict = judge(rows, None, GatePolicy(1, Decimal("0.9")))
    stored = StagedObjects(write_blob(repo, f"-- {name}\n".encode()), {})
    retention = retention_at(repo, old, TWO, new=manifest)
    return write_dump_commit(repo, old, Following(manifest, stored, verdict, retention))


def land(repo: DataRepo, commit: str) -> str:
    with data_repo_lock(repo):
        advance_branch(repo, tip(repo), commit)
    return commit


@pytest.fixture
def nights(data_repo: DataRepo) -> DataRepo:
    """Four nights, of which the folder keeps two."""
    commit = tip(data_repo)
    for day in range(4):
        commit = publish(data_repo, day, commit)
    land(data_repo, str(commit))
    return data_repo


def shown(repo: DataRepo, commit: str | None = None) -> tuple[str, Past]:
    folder = dump_folder(repo, commit or tip(repo))
    past = carried(folder.text("dumps.svg"))
    assert past is not None
    return folder.text("README.md"), past


def counts(past: Past) -> list[int | None]:
    return [night.counts[0] for night in past.nights]


def test_a_nights_own_commit_tells_of_all_dumps_that_stay_and_of_all_nights(
    nights: DataRepo, owner: Somebody
) -> None:
    readme, past = shown(nights)
    assert [line[3:13] for line in readme.splitlines() if line.startswith("| [")] == [
        "2026-11-04",
        "2026-11-03",
    ]
    assert [(one.counts, one.bytes) for one in past.nights] == [
        ((1000 + day, 2000, 3000), 1000 * (day + 1)) for day in range(4)
    ]
    assert owner.status() == ""
    assert (owner.path / PAGE).read_text() == readme


def test_the_same_night_is_the_same_bytes(nights: DataRepo) -> None:
    one, other = (dump_folder(nights, publish(nights, 9)) for _ in range(2))
    assert [one.sha(name) for name in ("README.md", "dumps.svg")] == [
        other.sha(name) for name in ("README.md", "dumps.svg")
    ]


def test_without_a_picture_to_believe_the_history_is_asked(
    nights: DataRepo, owner: Somebody
) -> None:
    _, past = shown(nights)
    text = (owner.path / PICTURE).read_text()
    owner.commit("I know better", {PICTURE: text.replace(" 1001 ", " 9001 ")})
    assert counts(shown(nights, publish(nights, 4))[1]) == [1000, 1001, 1002, 1003, 1004]
    owner.commit("Away with it", {PICTURE: None, PAGE: None})
    _, again = shown(nights, publish(nights, 4))
    assert again.nights[:4] == past.nights


def test_a_picture_that_is_believed_spares_the_history(nights: DataRepo, owner: Somebody) -> None:
    told = Past().with_([PastNight(moment(-300), (7, 7, 7), 7)])
    owner.commit("An older one", {PICTURE: picture(told)})
    assert counts(shown(nights, publish(nights, 4))[1]) == [7, 1003, 1004]
    assert counts(page_at(dump_folder(nights, tip(nights))).past) == [7, 1000, 1001, 1002, 1003]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (PAGE, "# Theirs\n"),
        (PAGE, f"{END}\n{BEGIN}\n"),
        (PICTURE, "<svg/>\n"),
        ("sql_dumps/readme.MD", "the same file on some systems\n"),
        ("sql_dumps/README.md/notes", "a folder\n"),
    ],
)
def test_a_file_of_somebody_else_is_never_replaced_and_is_told_of(
    data_repo: DataRepo, owner: Somebody, path: str, text: str
) -> None:
    owner.commit("Theirs", {path: text})
    land(data_repo, publish(data_repo, 0))
    assert (owner.path / path).read_text() == text
    folder = dump_folder(data_repo, tip(data_repo))
    assert {"README.md", "dumps.svg"} - {path.removeprefix("sql_dumps/")} & folder.entries.keys()
    (remark,) = not_ours(folder)
    name = "dumps.svg" if path == PICTURE else "README.md"
    assert remark.startswith(f"`sql_dumps/{name}` is not ours and stays as it is: ")
    assert owner.status() == ""


def test_in_somebodys_file_the_page_stands_in_its_place_alone(
    data_repo: DataRepo, owner: Somebody
) -> None:
    owner.commit("Theirs", {PAGE: f"# Ours\n{BEGIN}\n{END}\nAsk Ann.\n"})
    land(data_repo, publish(data_repo, 0))
    readme, _ = shown(data_repo)
    assert readme.startswith(f"# Ours\n{BEGIN}\n\nThe newest dump is [")
    assert readme.endswith(f"{END}\nAsk Ann.\n")
    assert not_ours(dump_folder(data_repo, tip(data_repo))) == []


def test_what_somebody_has_not_committed_stays(nights: DataRepo, owner: Somebody) -> None:
    owner.write(PAGE, "a draft\n")
    land(nights, publish(nights, 4))
    assert (owner.path / PAGE).read_text() == "a draft\n"
    assert "2026-11-05" in shown(nights)[0]


def test_with_the_setting_off_there_is_none(nights: DataRepo) -> None:
    before = shown(nights)
    quiet = dataclasses.replace(nights, settings=dataclasses.replace(nights.settings, page=False))
    assert shown(nights, publish(quiet, 4)) == before


def test_refused_days_are_told_with_the_next_dump_and_nothing_else_of_them(
    nights: DataRepo,
) -> None:
    for hour in (1, 23):
        note_refusal(nights, datetime(2026, 11, 5, hour, tzinfo=UTC))
    assert refused_days(nights) == [date(2026, 11, 5)]
    land(nights, publish(nights, 6))
    shutil.rmtree(nights.state_dir)  # another machine goes on
    _, past = shown(nights, publish(nights, 7))
    assert past.refused == (date(2026, 11, 5),)


def test_an_override_is_told_with_whose_it_is(nights: DataRepo) -> None:
    override = Override("county closed", "Launchpad", "Ann Lee")
    readme, past = shown(nights, publish(nights, 4, override=override))
    assert "Ann Lee\\: county closed" in readme
    assert [night.overridden for night in past.nights] == [False] * 4 + [True]


def test_a_dump_that_is_later_than_the_latest_is_listed_and_not_drawn(
    nights: DataRepo, owner: Somebody
) -> None:
    """Somebody's clock was wrong; a picture up to then would show little of now."""
    wrong = dump_name(datetime(2099, 1, 1, tzinfo=UTC))
    made = described(wrong, "0" * 64, {"organization": 9})
    files = {wrong: "-- later\n", manifest_name(wrong): made.to_json()}
    owner.commit("Later", {f"sql_dumps/{name}": text for name, text in files.items()})
    page = page_at(dump_folder(nights, tip(nights)))
    assert page.kept[0].name == wrong
    assert counts(page.past) == [1000, 1001, 1002, 1003]


def test_where_nothing_leads_to_a_dump_the_newest_is_shown(
    nights: DataRepo, owner: Somebody
) -> None:
    owner.commit("No link", {"sql_dumps/latest.sql": None})
    page = page_at(dump_folder(nights, tip(nights)))
    assert page.latest is not None
    assert page.latest.name == dump_name(moment(3))
    assert counts(page.past) == [1000, 1001, 1002, 1003]


def test_with_a_picture_of_somebody_else_no_night_reads_the_history(
    nights: DataRepo, owner: Somebody
) -> None:
    owner.commit("Theirs", {PICTURE: "<svg/>"})
    readme = dump_folder(nights, publish(nights, 4)).text("README.md")
    assert "organizations 1,003, now 1,004;" in readme


def test_a_prune_takes_its_dumps_out_of_the_table(nights: DataRepo) -> None:
    one = dataclasses.replace(TWO, keep=KeepSettings(1, 0, 0, 0, 0))
    retention = retention_at(nights, tip(nights), one)
    readme, past = shown(nights, write_prune_commit(nights, str(tip(nights)), retention))
    assert readme.count("\n| [") == 1
    assert counts(past) == [1000, 1001, 1002, 1003]


def merged(repo: DataRepo, theirs: str) -> str:
    made = base_for_publishing(repo, tip(repo), theirs)
    assert made is not None
    return made


def test_two_publishers_pages_become_one_that_tells_of_both(nights: DataRepo) -> None:
    theirs = publish(nights, 5, publish(nights, 4))
    note_refusal(nights, moment(7))
    land(nights, publish(nights, 6))
    readme, past = shown(nights, merged(nights, theirs))
    assert "pantry_pirate_radio_2026-11-07_02-00-00.sql), to which" in readme
    assert readme.count("\n| [") == 3
    assert counts(past) == [1000, 1001, 1002, 1003, 1004, 1005, 1006]
    assert past.refused == (moment(7).date(),)


def test_a_humans_words_on_one_side_are_no_conflict_of_the_page(
    nights: DataRepo, owner: Somebody
) -> None:
    theirs = publish(nights, 5)
    text = (owner.path / PAGE).read_text()
    owner.commit("Ask Ann", {PAGE: f"{text}Ask Ann.\n"})
    readme, _ = shown(nights, merged(nights, theirs))
    assert readme.endswith("Ask Ann.\n")
    assert "2026-11-06" in readme


def test_humans_words_on_both_sides_are_for_people_to_merge(
    nights: DataRepo, owner: Somebody
) -> None:
    start, text = str(tip(nights)), (owner.path / PAGE).read_text()
    theirs = owner.commit("Ask Ann", {PAGE: f"{text}Ask Ann.\n"})
    owner.git("reset", "-q", "--hard", start)
    owner.commit("Ask Bob", {PAGE: f"{text}Ask Bob.\n"})
    with pytest.raises(DataRepoError, match=r"both have changed `sql_dumps/README\.md`"):
        merged(nights, publish(nights, 5, theirs))


def test_a_file_that_is_not_ours_on_one_side_is_for_people_to_merge(
    nights: DataRepo, owner: Somebody
) -> None:
    theirs = publish(nights, 5)
    owner.commit("Theirs", {PAGE: "# Theirs\n"})
    with pytest.raises(DataRepoError, match=r"both have changed `sql_dumps/README\.md`"):
        merged(nights, theirs)


def partial_clone(repo: DataRepo, path: Path, *options: str) -> Iterator[DataRepo]:
    Somebody(repo.path.parent).git("clone", "-q", *options, f"file://{repo.path}", str(path))
    with open_data_repo(dataclasses.replace(repo.settings, path=path, url=None)) as clone:
        yield clone


@pytest.mark.parametrize("options", [("--filter=blob:none",), ("--depth=1",)])
def test_a_partial_and_a_shallow_clone_make_the_same_page(
    nights: DataRepo, tmp_path: Path, options: tuple[str, ...]
) -> None:
    nights.git("config", "uploadpack.allowFilter", "true")
    expected = shown(nights, publish(nights, 4))
    for clone in partial_clone(nights, tmp_path / "clone", *options):
        fetch(clone)
        assert shown(clone, publish(clone, 4)) == expected
