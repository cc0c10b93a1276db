"""The names of things: dumps, manifests, the files beside them, and tables."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

LATEST = "latest.sql"
LATEST_PACKED = "latest.sql.gz"
"""What upstream's own scripts called it where they compressed."""
RATCHET = ".record_count_ratchet"

PUBLICATION = ".publication.toml"
"""What a data repository decides itself of what is published."""

PAGE = "README.md"
"""What is shown of the dump folder where somebody looks at it."""
PICTURE = "dumps.svg"

DELTA_BASE = ".delta_base"
"""A folder in which the newest dump stands once more, always under the same name.

git looks for the object that a new file resembles at the same path in the commit before, so only
what stands at a stable path is pushed as a difference. It has to sort before every dump: the name
that git's walk meets first is the one that it compares by.
"""
DELTA_BASE_FILE = f"{DELTA_BASE}/dump.sql"
DELTA_BASE_PARTS = f"{DELTA_BASE}/dump.parts"
DELTA_BASE_README = f"{DELTA_BASE}/README.md"

PREFIX = "pantry_pirate_radio_"
DUMPS = f"{PREFIX}*.sql*"
"""A pattern that every name of a dump is matched by; other names may be too."""
_COMMIT = "commit_"
# For reading: writing %Y does not pad everywhere. Upstream's first dumps had the date only.
_FORMATS = {True: f"{PREFIX}%Y-%m-%d_%H-%M-%S.sql", False: f"{PREFIX}%Y-%m-%d.sql"}
_DUMP = re.compile(PREFIX + r"\d{4}-\d\d-\d\d(?P<time>_\d\d-\d\d-\d\d)?\.sql(\.gz)?", re.ASCII)
_SIMPLE = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)
QUOTED_NAME = r'"(?:[^"]|"")+"'
"""A pattern for an identifier of PostgreSQL in quotes."""
_NAME = rf"(?:[a-z_][a-z0-9_]*|{QUOTED_NAME})"
_KEY = re.compile(rf"(?:(?P<schema>{_NAME})\.)?(?P<name>{_NAME})", re.ASCII)


def dump_name(moment: datetime) -> str:
    """The name of a dump of the snapshot at ``moment``, in UTC, to the second.

    Raises ``ValueError`` if ``moment`` has no timezone.
    """
    if moment.tzinfo is None:
        raise ValueError("a dump's moment needs a time zone")
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{PREFIX}{utc.isoformat('_', 'seconds').replace(':', '-')}.sql"


def dump_moment(name: str) -> datetime | None:
    """When the dump ``name`` was made, or None if this is not a dump's name; of one that was named
    by its date alone, the first moment of that day."""
    found = _DUMP.fullmatch(name)
    if found is None:
        return None
    form = _FORMATS[found["time"] is not None]
    try:
        return datetime.strptime(name.removesuffix(".gz"), form).replace(tzinfo=UTC)
    except ValueError:  # the 31st of February
        return None


def is_dump_name(name: str) -> bool:
    """Whether this is the name of a dump; upstream's own scripts also wrote ``.sql.gz``, and names
    with the date only."""
    return dump_moment(name) is not None


def manifest_name(dump: str) -> str:
    """The name of the manifest beside ``dump``."""
    return dump.removesuffix(".gz").removesuffix(".sql") + ".json"


def parts_folder(dump: str) -> str:
    """The name of the folder beside ``dump`` that holds its parts, where it has any."""
    return dump.removesuffix(".sql") + ".parts"


def copy_name(dump: str) -> str:
    """The name of the object that holds ``dump`` outside git, compressed."""
    return f"{dump}.zst"


def sqlite_copy_name(dump: str) -> str:
    """The name of the object that holds it as SQLite there, compressed."""
    return f"{dump.removesuffix('.sql')}.db.zst"


def sqlite_metadata_name(dump: str) -> str:
    """The name of the object there that tells Datasette what is in it."""
    return f"{dump.removesuffix('.sql')}.metadata.json"


def copied_dump(name: str) -> str | None:
    """The dump whose copy has this name, or None if it is another one's."""
    dump = name.removesuffix(".zst")
    return (
        dump if name == copy_name(dump) and dump.endswith(".sql") and is_dump_name(dump) else None
    )


def commit_record_name(moment: datetime, message: str) -> str:
    """The name of what is recorded beside copies of a commit of ``moment`` that says ``message``:
    the same for one that was made again with other parents."""
    told = hashlib.sha256(message.encode("utf-8", "replace")).hexdigest()[:12]
    return f"{_COMMIT}{moment.astimezone(UTC):%Y-%m-%d_%H-%M-%S}_{told}.json"


def is_commit_record(name: str) -> bool:
    """Whether :func:`commit_record_name` gave this name; they sort as the commits were made."""
    return name.startswith(_COMMIT) and name.endswith(".json")


def quote_identifier(name: str) -> str:
    """An SQL identifier, quoted only where it must be."""
    return name if _SIMPLE.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def table_key(schema: str, name: str) -> str:
    """How a table is called in marks, manifests and messages: without its schema when public.

    Unambiguous: the dot between schema and name is the only one outside quotes.
    """
    quoted = quote_identifier(name)
    return quoted if schema == "public" else f"{quote_identifier(schema)}.{quoted}"


def column_name(table: str, column: str) -> str:
    """How messages, and what a human let pass, call a column of the table by its key."""
    return f"{table}.{quote_identifier(column)}"


def key_names(key: str) -> tuple[str, str]:
    """The schema and the name of a table key. Raises ``ValueError`` for what is none."""
    found = _KEY.fullmatch(key)
    if found is None:
        raise ValueError(f"{key!r:.80} must be a table's name, with its schema where not public")
    schema, name = (unquoted(part or "") for part in found.group("schema", "name"))
    return schema or "public", name


def unquoted(name: str) -> str:
    """An SQL identifier without its quotes, where it has any."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
