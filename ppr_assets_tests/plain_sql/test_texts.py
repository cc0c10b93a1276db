"""What is said of files that are no whole dump, word by word: what is wrong, and the way out."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from ppr_assets.errors import DumpDamaged
from ppr_assets.plain_sql.parsing.grammar import pieces
from ppr_assets.plain_sql.parts.joined import parts_on_disk
from ppr_assets.plain_sql.parts.split import split_dump
from ppr_assets.plain_sql.verify import verify_file
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import DatabaseIdentity

NAME = "pantry_pirate_radio_2026-11-22_02-00-00.sql"
PARTS = NAME.replace(".sql", ".parts")

WHOLE = rb"""--
-- PostgreSQL database dump
--

\restrict key

SELECT pg_catalog.set_config('search_path', '', false);

--
-- Name: t; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.t (
    a integer,
    b text
);


--
-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.t (a, b) FROM stdin;
1	one
2	two
\.


--
-- PostgreSQL database dump complete
--

\unrestrict key

"""

FETCH_AGAIN = (
    "nothing was changed. Fetch it again (`git checkout -- FILE` in the data repository, or a "
    "fresh clone), or take another dump: `ppr-assets list` names them, with `--from URL` those of "
    "another place."
)
LEFT_BY = f"an interrupted download or a full disk leaves that; {FETCH_AGAIN}"
ANOTHER_FILE = "something else was saved under its name; fetch the dump again."


@dataclass(frozen=True)
class Told:
    """A file's bytes, and what is said of them. ``{name}`` stands for the file's name."""

    data: bytes
    message: str
    hint: str = FETCH_AGAIN
    name: str = NAME


def _until(text: bytes, more: int = 0) -> bytes:
    return WHOLE[: WHOLE.index(text) + more]


def _with(text: bytes, instead: bytes) -> bytes:
    assert WHOLE.count(text) == 1
    return WHOLE.replace(text, instead)


TEXTS = {
    "nothing": Told(b"", "`{name}` is empty: it has 0 bytes", LEFT_BY),
    "another file": Told(
        b"hello\n",
        r"`{name}` does not begin as a plain-SQL dump but with 'hello\n', at byte 0",
        ANOTHER_FILE,
    ),
    "cut off in a statement": Told(
        _until(b"    b text"),
        "`{name}`: the dump was cut off at byte 203: it has no closing comment",
    ),
    "cut off in a text": Told(
        _until(b"search_path", 3) + b"\n",
        "`{name}`: the dump ends at byte 84 inside a quoted text that began in the line at byte 50",
    ),
    "cut off in the rows": Told(
        _until(b"two", 1),
        "`{name}`: the dump was cut off at byte 332: inside the rows of t",
    ),
    "cut off in its closing comment": Told(
        _until(b"complete", 9),
        "`{name}`: the dump was cut off at byte 380: inside its closing comment",
    ),
    "cut off before its key": Told(
        _until(rb"\unrestrict"),
        r"`{name}`: the dump was cut off at byte 384: it has \restrict without \unrestrict",
    ),
    "another key at its end": Told(
        _with(rb"\unrestrict key", rb"\unrestrict yek"),
        r"`{name}`: \unrestrict has another key than \restrict at byte 384",
    ),
    "more after its end": Told(
        WHOLE + b"DROP TABLE public.t;\n",
        "`{name}`: the dump goes on after its closing comment at byte 401: 'DROP TABLE public.t;'",
    ),
    "a command of psql": Told(
        _with(b"CREATE TABLE", b"\\! date\nCREATE TABLE"),
        r"`{name}`: a psql command where none belongs at byte 164: '\\! date'",
    ),
    "pg_dump --create": Told(
        _with(b"CREATE TABLE", b"\\connect other\nCREATE TABLE"),
        r"`{name}`: a psql command where none belongs at byte 164: '\\connect other'",
        "was it made with `pg_dump --create`? Make it without.",
    ),
    "rows twice": Told(
        _with(b"\\.\n", b"\\.\n\nCOPY public.t (a, b) FROM stdin;\n\\.\n"),
        "`{name}`: t has two COPY blocks, the second at byte 339, one is right",
        "nothing was changed. One made by `pg_dump --load-via-partition-root` is made again "
        "without it; else take another dump: `ppr-assets list` names them.",
    ),
    "a COPY of somebody's": Told(
        _with(b"(a, b)", b"(a + b)"),
        "`{name}`: a COPY statement that pg_dump would not write at byte 290: "
        "'COPY public.t (a + b) FROM stdin;'",
    ),
    "a column too many": Told(
        _with(b"two", b"two\tmore"),
        r"`{name}`: a row of t has 3 columns, 2 needed, at byte 329: '2\ttwo\tmore'",
    ),
    "a hole in the file": Told(
        _with(b"two", b"t\0o"),
        "`{name}`: a zero byte at byte 332, which no dump has",
    ),
    "a statement for the whole server": Told(
        _with(b"CREATE TABLE", b"DROP DATABASE other;\n\nCREATE TABLE"),
        "`{name}`: a statement that acts outside the database at byte 164: 'DROP DATABASE other;'",
        "pg_dump writes none into a dump of one database (one of pg_dumpall, or of `pg_dump "
        "--create`, is not one). Nothing was run: take it out of a copy of the file, and run it by "
        "hand if it is wanted.",
    ),
    "rows alone": Told(
        WHOLE[: WHOLE.index(b"--\n-- Name: t;")] + WHOLE[WHOLE.index(b"--\n-- Data for") :],
        "`{name}` holds rows alone and makes no table, as `pg_dump --data-only` writes it",
        "it restores no database. Make it without `--data-only` (`-a`), or load it by psql into a "
        "database that has the very tables.",
    ),
    "compressed, cut off": Told(
        gzip.compress(WHOLE, mtime=0)[:-20],
        "`{name}` was cut off at byte 242 of the compressed file",
        name=f"{NAME}.gz",
    ),
    "compressed, nothing in it": Told(
        gzip.compress(b""),
        "`{name}` is empty: it has 0 decompressed bytes",
        LEFT_BY,
        name=f"{NAME}.gz",
    ),
    "compressed, another file": Told(
        gzip.compress(b"hello"),
        "`{name}` does not begin as a plain-SQL dump but with 'hello', at byte 0",
        ANOTHER_FILE,
        name=f"{NAME}.gz",
    ),
}


def _said_of(file: Path, manifest: Manifest | None = None) -> str:
    with pytest.raises(DumpDamaged) as told:
        verify_file(file, name=file.name, manifest=manifest, spill_folder=file.parent)
    return told.value.render()


def test_nothing_is_said_of_a_whole_dump(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(WHOLE)
    verify_file(tmp_path / NAME, name=NAME, manifest=None, spill_folder=tmp_path)


@pytest.mark.parametrize("told", TEXTS.values(), ids=list(TEXTS))
def test_what_is_wrong_in_a_file(tmp_path: Path, told: Told) -> None:
    file = tmp_path / told.name
    file.write_bytes(told.data)
    assert _said_of(file) == f"{told.message}\nHINT: {told.hint}".replace("{name}", told.name)


def _linked_out(file: Path) -> None:
    outside = file.parent.parent / "outside.sql"
    file.rename(outside)
    file.symlink_to(outside)


def _linked_to_nothing(file: Path) -> None:
    file.unlink()
    file.symlink_to("gone.sql")


def _a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _beside_parts(file: Path) -> None:
    (file.parent / PARTS).mkdir()


@pytest.mark.parametrize(
    ("happened", "message", "hint"),
    [
        (
            _linked_out,
            "`{name}` is a symlink out of its folder, to `{above}/outside.sql`",
            "nobody can tell what is there; link to a dump in the same folder.",
        ),
        (
            _linked_to_nothing,
            "`{name}` leads to `gone.sql`, which cannot be read: No such file or directory",
            FETCH_AGAIN,
        ),
        (_a_folder, "`{name}` is a folder, a file is needed", FETCH_AGAIN),
        (
            _beside_parts,
            "`{name}` is one file, and `{parts}` stands beside it",
            "somebody put it there, or changed the dump; look at it and remove it.",
        ),
    ],
)
def test_what_is_wrong_about_a_file(
    tmp_path: Path, happened: Callable[[Path], None], message: str, hint: str
) -> None:
    folder = tmp_path / "dumps"
    folder.mkdir()
    file = folder / NAME
    file.write_bytes(WHOLE)
    happened(file)
    told = message.format(name=NAME, above=tmp_path, parts=PARTS)
    assert _said_of(file) == f"{told}\nHINT: {hint}"


def _part_missing(file: Path) -> None:
    (file.parent / PARTS / "part_002.sql").unlink()


def _part_of_another_size(file: Path) -> None:
    (file.parent / PARTS / "part_002.sql").write_bytes(b"--\n")


def _part_changed(file: Path) -> None:
    part = file.parent / PARTS / "part_002.sql"
    part.write_bytes(part.read_bytes().replace(b"two", b"owt"))


def _part_too_many(file: Path) -> None:
    (file.parent / PARTS / "part_099.sql").touch()


def _part_that_is_none(file: Path) -> None:
    parts = file.parent / PARTS
    for part in parts.iterdir():
        part.unlink()
    parts.rmdir()
    parts.touch()


def _script_changed(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\\! date\n")


def _script_too_large(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b" " * 16 * 1024 * 1024)


PARTS_TOGETHER = (
    "a dump in parts is its script, and all of its parts: fetch them again together (`git checkout "
    "-- FOLDER` in the data repository, or a fresh clone), or take another dump: `ppr-assets list` "
    "names them."
)


@pytest.fixture
def in_parts(tmp_path: Path) -> Path:
    """A dump in two parts; its file is the script."""
    file = tmp_path / NAME
    file.write_bytes(_with(b"2\ttwo\n", b"2\ttwo\n" * 100))
    script = split_dump(file, name=NAME, most=1300)
    assert [part.name for part in script.parts] == ["part_001.sql", "part_002.sql"]
    return file


@pytest.mark.parametrize(
    ("happened", "message", "hint"),
    [
        (
            _part_missing,
            "part_002.sql of `{name}` is missing in {parts}, 2 parts needed",
            PARTS_TOGETHER,
        ),
        (
            _part_of_another_size,
            "part_002.sql of `{name}` has 3 bytes, {size} needed",
            PARTS_TOGETHER,
        ),
        (
            _part_changed,
            "part_002.sql of `{name}` has SHA-256 {found}…, {needed}… needed",
            PARTS_TOGETHER,
        ),
        (
            _part_too_many,
            "{parts} holds `part_099.sql`, which is not a part of `{name}`",
            "somebody put it there, or it is left of another dump; look at it and remove it.",
        ),
        (
            _part_that_is_none,
            "`{parts}` cannot be read: Not a directory",
            PARTS_TOGETHER,
        ),
        (
            _script_changed,
            "the script that includes the parts is not as it was written, at byte {end}",
            "psql would run whatever stands there. Fetch the file again, or take another dump: "
            "`ppr-assets list` names them.",
        ),
        (
            _script_too_large,
            "the script that includes the parts has more than 16777216 bytes",
            PARTS_TOGETHER,
        ),
    ],
)
def test_what_is_wrong_about_parts(
    in_parts: Path, happened: Callable[[Path], None], message: str, hint: str
) -> None:
    end = in_parts.stat().st_size
    part = in_parts.parent / PARTS / "part_002.sql"
    whole = part.read_bytes()
    happened(in_parts)
    now = part.read_bytes() if part.is_file() else b""
    told = message.format(
        name=NAME,
        parts=PARTS,
        size=len(whole),
        end=end,
        found=hashlib.sha256(now).hexdigest()[:12],
        needed=hashlib.sha256(whole).hexdigest()[:12],
    )
    assert _said_of(in_parts) == f"{told}\nHINT: {hint}"


def test_a_part_that_cannot_be_read_is_told_with_the_system_s_reason(in_parts: Path) -> None:
    joined = parts_on_disk(in_parts)
    assert joined is not None
    part = in_parts.parent / PARTS / "part_002.sql"
    part.unlink()
    part.mkdir()
    with pytest.raises(DumpDamaged) as told:
        list(joined.chunks())
    assert told.value.render() == (
        f"`{PARTS}/{part.name}` cannot be read: Is a directory\n"
        "HINT: may this user read it, and is the disk healthy?"
    )


def test_another_title_than_pg_dump_s_is_told_with_its_byte() -> None:
    with pytest.raises(DumpDamaged) as told:
        list(pieces([b"--\n-- Something else\n--\n"]))
    assert told.value.render() == "it does not begin as a plain-SQL dump at byte 3"


def test_a_script_under_the_name_of_another_dump(in_parts: Path) -> None:
    other = NAME.replace("2026", "2030")
    in_parts.rename(in_parts.with_name(other))
    assert _said_of(in_parts.with_name(other)) == (
        f"the script `{other}` includes the parts of `{NAME}`\n"
        "HINT: a file was renamed or copied over another one; fetch both again."
    )


MANIFEST = Manifest(
    dump=NAME,
    bytes=len(WHOLE),
    sha256=hashlib.sha256(WHOLE).hexdigest(),
    tables={},
    snapshot_at=datetime(2026, 11, 22, 2, tzinfo=UTC),
    database=DatabaseIdentity(None, "pantry", "18.6"),
    tools={},
    verdict={},
)


@pytest.mark.parametrize(
    ("manifest", "message", "hint"),
    [
        (
            replace(MANIFEST, dump=NAME.replace("2026", "2025")),
            f"the manifest is that of `{NAME.replace('2026', '2025')}`, that of `{NAME}` is needed",
            "a file was renamed or copied over another one; fetch both again.",
        ),
        (
            replace(MANIFEST, schema_version=2),
            f"the manifest of `{NAME}` has schema version 2, 1 needed",
            "was it written by another version of ppr-assets? Update this one.",
        ),
        (
            MANIFEST,
            f"`{NAME}` is not what its manifest says: t at bytes 323 to 335 is not in the manifest",
            FETCH_AGAIN,
        ),
    ],
)
def test_what_is_wrong_about_a_manifest(
    tmp_path: Path, manifest: Manifest, message: str, hint: str
) -> None:
    (tmp_path / NAME).write_bytes(WHOLE)
    assert _said_of(tmp_path / NAME, manifest) == f"{message}\nHINT: {hint}"
