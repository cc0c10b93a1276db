"""Messages that people and programs read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.data_repo.git.objects import write_changed_tree, write_commit
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.history.integrate import identity
from ppr_assets.data_repo.history.message import (
    compose_message,
    dump_message,
    parse_records,
    parse_trailers,
    render_records,
)
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets_tests.fix_git import Somebody, described

DUMP = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
SHA256 = "ab" * 32


def _overridden(reason: str) -> str:
    override = Override(reason, source="command line")
    return dump_message(described(DUMP, SHA256, {"organization": 7}, override=override), 7)


def test_the_message_of_a_dump_reads_like_this() -> None:
    records = {"service": 4000, "organization": 2500, "location": 3100}
    override = Override("The county feed was\nretired:\n\nMark: 0", source="command line")
    manifest = described(DUMP, SHA256, records, run_id="6f1c", override=override)
    message = dump_message(manifest, 2600)
    assert message == (
        "Dump pantry_pirate_radio_2026-11-22_02-00-00: 2500 organizations\n"
        "\n"
        f"Dump: {DUMP}\n"
        f"Sha256: {SHA256}\n"
        "Records: organization=2500 location=3100 service=4000\n"
        "Mark: 2600\n"
        "Run: 6f1c\n"
        "Override: command line: The county feed was retired: Mark: 0\n"
    )


def test_what_there_is_not_is_not_mentioned() -> None:
    message = dump_message(described(DUMP, SHA256, {"organization": 1}), None)
    assert message.splitlines()[0].endswith(": 1 organization")
    assert parse_trailers(message).keys() == {"Dump", "Sha256", "Records"}


def test_git_reads_the_same_trailers(data_repo: DataRepo, owner: Somebody) -> None:
    message = _overridden("first\nsecond")
    commit = write_commit(
        data_repo,
        write_changed_tree(data_repo, None, {}),
        parents=[],
        message=message,
        author=identity(data_repo),
    )
    told = owner.git("log", "-1", "--format=%(trailers:only)", commit).strip()
    assert told == message.partition("\n\n")[2].strip()
    assert parse_trailers(owner.git("log", "-1", "--format=%B", commit)) == {
        "Dump": DUMP,
        "Sha256": SHA256,
        "Records": "organization=7",
        "Mark": "7",
        "Override": "command line: first second",
    }


def test_a_message_of_somebody_has_no_trailers() -> None:
    assert parse_trailers("Data update for 2025-08-09 06:56 UTC\n") == {}
    assert parse_trailers("Subject\n\nA paragraph: with a colon\nand more.\n") == {}
    assert parse_trailers("Dump: in the subject\n") == {}


def test_what_is_signed_on_later_does_not_hide_ours() -> None:
    message = compose_message("Subject", {"Mark": "7"}) + "Signed-off-by: Somebody\nMark: 9\n"
    assert parse_trailers(message)["Mark"] == "7"


def test_a_subject_is_one_line_and_stands_apart() -> None:
    message = compose_message("Reset\nthe mark", {"Mark": "7"})
    assert message == "Reset the mark\n\nMark: 7\n"
    said = message.replace("\n\n", "\n\nBecause.\n\nAnd more.\n\n")
    assert parse_trailers(said) == {"Mark": "7"}


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=20).filter(
            lambda name: name.encode("utf-8", "ignore").decode() == name
        ),
        st.integers(min_value=0, max_value=10**12),
        max_size=8,
    )
)
def test_records_come_back_whatever_the_tables_are_called(records: dict[str, int]) -> None:
    text = render_records(records)
    assert "\n" not in text
    assert parse_records(text) == records


@given(st.text(max_size=200).filter(str.strip))
def test_no_reason_can_pass_for_another_trailer(reason: str) -> None:
    trailers = parse_trailers(_overridden(reason))
    assert trailers["Mark"] == "7"
    assert trailers["Override"].split() == ["command", "line:", *reason.split()]
