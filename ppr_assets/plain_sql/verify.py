"""Verify a dump: is the file whole, and is it what its manifest says?

psql does not notice a truncated dump: it restores what is there and exits with 0. So nothing is
restored, proven or shown as whole before it has passed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from ppr_assets.errors import DumpDamaged, PreconditionFailed
from ppr_assets.plain_sql.dump_file import FETCH_AGAIN, open_dump, require_file, stored_bytes
from ppr_assets.plain_sql.parsing.layout import Layout, read_layout
from ppr_assets.plain_sql.parts.joined import JoinedDump, parts_on_disk
from ppr_assets.progress import counted, stage
from ppr_assets.rules.naming import is_dump_name, parts_folder
from ppr_assets.rules.recorded.manifest import SCHEMA_VERSION, Manifest
from ppr_assets.rules.recorded.parts import TableRecord


class VerifiedDump(Struct, frozen=True):
    """A dump that is whole. With ``manifest`` None nobody has said what must be in it (upstream's
    own dumps have none), so it is unproven."""

    name: str
    layout: Layout
    manifest: Manifest | None


def verify_file(
    path: Path, *, name: str, manifest: Manifest | None, spill_folder: Path
) -> VerifiedDump:
    """Read the dump ``name`` at ``path`` once, in bounded memory, and hold it to its manifest.

    A name that ends in ``.gz`` is decompressed on the way, a dump in parts is joined; the layout's
    offsets are those of the plain SQL. Without a manifest, rows are sorted on the way, with the
    help of files in ``spill_folder``.

    Raises :class:`DumpDamaged` with the first thing that is wrong, its byte offset and the way
    out, and :class:`PreconditionFailed` when ``spill_folder`` has no room.
    """
    if manifest is not None:
        require_manifest_of(manifest, name)
    require_file(path, name=name)
    joined = parts_on_disk(path)
    _require_own_parts(path, name, joined)
    chunks = counted(joined.chunks(keys=True) if joined else open_dump(path, name=name))
    try:
        with stage("verifying", _plain_bytes(path, name, manifest)):
            layout = read_layout(
                chunks, sorted_rows=manifest is not None, spill_folder=spill_folder
            )
        if joined:
            joined.require_wrapped(layout)
    except OSError as error:
        raise PreconditionFailed(
            f"could not sort the rows of `{name}` in `{spill_folder}`: {error.strerror or error}",
            hint="is the disk full or read-only? The dump may be all right.",
        ) from error
    except DumpDamaged as error:
        if joined:
            joined.require_parts()  # which part it is says more than what is wrong in it
        raise _with_context(error, path, name, manifest) from error
    if manifest is not None:
        require_as_described(layout, manifest)
    _require_tables(layout, name)
    return VerifiedDump(name, layout, manifest)


def _plain_bytes(path: Path, name: str, manifest: Manifest | None) -> int | None:
    """How many are going to be read, for whoever looks on."""
    if manifest is not None:
        return manifest.bytes
    return None if name.endswith(".gz") else stored_bytes(path)


def _require_tables(layout: Layout, name: str) -> None:
    """Raise :class:`DumpDamaged` for a dump that has rows and makes no table for them."""
    rows = layout.inserted or layout.blocks
    if layout.unrecognised:  # by others than pg_dump: what makes the tables may be in that
        return
    if rows and not any(entry.kind.endswith("TABLE") for entry in layout.entries):
        raise DumpDamaged(
            f"`{name}` holds rows alone and makes no table, as `pg_dump --data-only` writes it",
            hint="it restores no database. Make it without `--data-only` (`-a`), or load it by "
            "psql into a database that has the very tables.",
        )


def _require_own_parts(path: Path, name: str, joined: JoinedDump | None) -> None:
    """The parts that psql would include are those beside a dump under its own name."""
    if joined is None:
        if (path.parent / parts_folder(name)).exists():
            raise DumpDamaged(
                f"`{name}` is one file, and `{parts_folder(name)}` stands beside it",
                hint="somebody put it there, or changed the dump; look at it and remove it.",
            )
    elif is_dump_name(name) and joined.script.dump != name:
        raise DumpDamaged(
            f"the script `{name}` includes the parts of `{joined.script.dump}`",
            hint="a file was renamed or copied over another one; fetch both again.",
        )


def require_manifest_of(manifest: Manifest, name: str) -> None:
    """Raise :class:`DumpDamaged` if the manifest is that of another dump."""
    if manifest.schema_version != SCHEMA_VERSION:
        raise DumpDamaged(
            f"the manifest of `{name}` has schema version {manifest.schema_version}, "
            f"{SCHEMA_VERSION} needed",
            hint="was it written by another version of ppr-assets? Update this one.",
        )
    if manifest.dump != name:
        raise DumpDamaged(
            f"the manifest is that of `{manifest.dump}`, that of `{name}` is needed",
            hint="a file was renamed or copied over another one; fetch both again.",
        )


def _with_context(
    error: DumpDamaged, path: Path, name: str, manifest: Manifest | None
) -> DumpDamaged:
    """The finding with the dump's name, and its size where that is wrong too."""
    message = error.message if f"`{name}`" in error.message else f"`{name}`: {error.message}"
    size = stored_bytes(path) if path.is_file() else 0
    if manifest is not None and size not in (0, manifest.bytes):
        message += f" (it has {size} bytes, {manifest.bytes} needed)"
    return DumpDamaged(message, hint=error.hint or FETCH_AGAIN)


def require_as_described(layout: Layout, manifest: Manifest) -> None:
    """Raise :class:`DumpDamaged` if a dump that was read whole is not what its manifest says."""
    wrong = []
    if layout.bytes != manifest.bytes:
        wrong.append(f"it has {layout.bytes} bytes, {manifest.bytes} needed")
    elif layout.sha256 != manifest.sha256:
        wrong.append(f"its SHA-256 is {layout.sha256:.12}…, {manifest.sha256:.12}… needed")
    if found := next(_differences(layout, manifest), None):
        wrong.append(found)
    elif wrong:
        wrong.append("the rows of all tables are right, so the SQL around them was changed")
    if wrong:
        raise DumpDamaged(
            f"`{manifest.dump}` is not what its manifest says: {'; '.join(wrong)}", hint=FETCH_AGAIN
        )


def _differences(layout: Layout, manifest: Manifest) -> Iterator[str]:
    """Tables that differ, in the order of the dump; then those that are not in it."""
    for key, block in layout.blocks.items():
        where = f"at bytes {block.start} to {block.end}"
        needed = manifest.tables.get(key)
        if needed is None:
            yield f"{key} {where} is not in the manifest"
        elif block.rows != needed.rows:
            yield f"{key} has {block.rows} rows {where}, {needed.rows} needed"
        elif TableRecord(block.rows, block.sha256) != needed:
            yield f"the {block.rows} rows of {key} {where} were changed"
    for table in sorted(manifest.tables.keys() - layout.blocks.keys()):
        yield f"the rows of {table} are missing, {manifest.tables[table].rows} needed"
