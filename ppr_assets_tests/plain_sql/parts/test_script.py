from __future__ import annotations

import pytest

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.parts.script import (
    FIRST_LINES,
    Part,
    Script,
    Wrapping,
    key_of_slice,
    statement_in,
)

NAME = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
KEY = "0123456789abcdef" * 3 + "0123456789abcde"
SCRIPT = Script(
    NAME,
    [
        Part("part_001.sql", 1100, "a" * 64, 31, 1024),
        Part("part_002.sql", 900, "b" * 64, 150, 900),
    ],
)
TEXT = SCRIPT.render()
PUBLISHED = f"""--
-- PostgreSQL database dump in parts
--
-- Restore all of it with psql -f {NAME}, the parts stand in {NAME[:-4]}.parts.
-- The bytes named below, one after the other, are the dump. The lines around them
-- let psql read each part, and stop it where one is missing.

\\set dump_stops :ON_ERROR_STOP
-- part_001.sql: 1100 bytes, SHA-256 {"a" * 64}; of the dump are bytes 31 to 1024
\\set ON_ERROR_STOP on
\\ir {NAME[:-4]}.parts/part_001.sql
-- part_002.sql: 900 bytes, SHA-256 {"b" * 64}; of the dump are bytes 150 to 900
\\set ON_ERROR_STOP on
\\ir {NAME[:-4]}.parts/part_002.sql
\\set ON_ERROR_STOP :dump_stops
"""


def test_what_was_published_once_is_read_for_ever() -> None:
    """Whoever changes the text has to read this one as well: dumps with it are in the history."""
    assert Script.parse(PUBLISHED) == SCRIPT
    assert TEXT == PUBLISHED


def test_a_script_is_read_as_it_was_written() -> None:
    assert Script.parse(TEXT) == SCRIPT
    assert TEXT.startswith(FIRST_LINES.decode())


def test_the_size_of_the_dump_is_that_of_its_slices() -> None:
    assert SCRIPT.bytes == 1024 - 31 + 900 - 150


def test_a_script_includes_its_parts_in_their_order() -> None:
    folder = NAME.replace(".sql", ".parts")
    included = [line for line in TEXT.splitlines() if line.startswith("\\ir ")]
    assert included == [f"\\ir {folder}/part_001.sql", f"\\ir {folder}/part_002.sql"]


@pytest.mark.parametrize(
    "forged",
    [
        TEXT + "\\! rm -rf /\n",
        TEXT.replace("\\set dump_stops", "\\! true\n\\set dump_stops"),
        TEXT.replace("part_002", "part_003"),
        TEXT.replace("/part_002.sql", "/../other.sql"),
        TEXT.replace("to 1024", "to 1101"),
        TEXT.replace("bytes 31 to", "bytes 1031 to"),
        TEXT.replace("bytes 31 to", "bytes 1024 to"),
        TEXT.replace("1100 bytes", f"{'9' * 5000} bytes"),
        TEXT.replace("1100 bytes", "9000000 bytes"),
        TEXT.replace("2026-11-22_02-00-00.parts", "2026-11-22_02-00-01.parts", 1),
        TEXT.replace(".parts/", "/"),
        TEXT.replace("2026-11-22", "2026-02-31"),
        TEXT[: TEXT.index("-- part_002")],
        TEXT[:-1],
        TEXT.replace("\n", "\r\n"),
        FIRST_LINES.decode(),
        "",
    ],
)
def test_a_script_that_says_anything_else_is_damaged(forged: str) -> None:
    with pytest.raises(DumpDamaged) as failed:
        Script.parse(forged)
    assert failed.value.message.startswith(
        "the script that includes the parts is not as it was written"
    )
    assert failed.value.hint == (
        "psql would run whatever stands there. Fetch the file again, or take another dump: "
        "`ppr-assets list` names them."
    )


def test_the_byte_of_the_first_difference_is_named() -> None:
    at = TEXT.index("Restore")
    with pytest.raises(DumpDamaged, match=f"at byte {at}$"):
        Script.parse(TEXT.replace("Restore", "\n\\! rm -rf /\n-- Restore"))


def test_lines_are_added_only_where_psql_needs_them() -> None:
    whole = Wrapping(first=True, last=True, statement=b"", cut_rows=False)
    assert whole.before(KEY) == b"\\set ON_ERROR_STOP :dump_stops\n"
    assert whole.after(KEY) == b""
    middle = Wrapping(first=False, last=False, statement=b"COPY t (a) FROM stdin;\n", cut_rows=True)
    assert middle.before(KEY).endswith(f"\\restrict {KEY}\nCOPY t (a) FROM stdin;\n".encode())
    assert middle.after(KEY) == f"\\.\n\\unrestrict {KEY}\n".encode()
    assert statement_in(middle.before(KEY)) == middle.statement
    assert middle.after(None) == b"\\.\n", "older pg_dumps know no restrict"
    assert statement_in(middle.before(None)) == middle.statement
    assert statement_in(whole.before(KEY)) == b""


def test_the_key_of_a_slice_is_that_of_its_rows_and_their_statement() -> None:
    key = key_of_slice(b"COPY t (a) FROM stdin;\n", [b"1\n", b"2\n"])
    assert key == key_of_slice(b"COPY t (a) FROM stdin;\n", [b"1\n2\n"])
    assert key != key_of_slice(b"COPY u (a) FROM stdin;\n", [b"1\n2\n"])
