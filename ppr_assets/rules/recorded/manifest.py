"""The manifest beside a dump: what it holds, where it came from, and who let it pass."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

from msgspec import Struct, field
from msgspec.json import format as indented
from msgspec.structs import asdict

from ppr_assets.errors import DumpDamaged
from ppr_assets.rules.finds.judgement import Spot
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.json_fields import FieldError, JsonFields
from ppr_assets.rules.naming import is_dump_name
from ppr_assets.rules.profile.columns import Profile, profile_from_json, profile_json
from ppr_assets.rules.profile.schema import Schema
from ppr_assets.rules.publication.withholding import Withheld
from ppr_assets.rules.recorded.parts import (
    Computing,
    DatabaseIdentity,
    Proof,
    TableRecord,
    computing_from,
    identity_from,
    override_from,
    override_json,
    persons_from,
    proof_from,
    proof_json,
    table_record,
    withheld_from,
    withheld_json,
)

SCHEMA_VERSION = 1


class Manifest(Struct, frozen=True):
    """``bytes`` and ``sha256`` of the whole file; ``tables`` by table key; ``snapshot_at`` in UTC.

    ``verdict`` is the gate's, against the mark that the commit stands on. ``publication`` is the
    publishing commit in the data repository that the dump followed. ``proof`` and ``computing`` are
    None in manifests from before they were recorded. ``without_rows`` are keys of tables whose rows
    the database did not have, see :attr:`without`. ``search_path``: what was written in the
    place of pg_dump's empty one. ``withheld``: what the publication policy kept out, and ``policy``
    what tells one from another (:attr:`Policy.fingerprint`); empty in manifests from before there
    was one. ``profile``: numbers about the values of each column; ``schema``: what the dump makes,
    by name; None in manifests from before it was recorded; ``reworded``: what of it PostgreSQL
    words anew when it is restored. ``persons``: values that lead to persons, by table, column and
    kind. ``movements``: what moved most since the nights before.
    """

    dump: str
    bytes: int
    sha256: str
    tables: Mapping[str, TableRecord]
    snapshot_at: datetime
    database: DatabaseIdentity
    tools: Mapping[str, str]
    verdict: Mapping[str, Any]
    override: Override | None = None
    run_id: str | None = None
    previous: str | None = None
    publication: str | None = None
    proof: Proof | None = None
    without_rows: tuple[str, ...] = ()
    computing: Computing | None = None
    search_path: str = ""
    policy: str = ""
    withheld: tuple[Withheld, ...] = ()
    profile: Profile = field(default_factory=dict)
    persons: Mapping[Spot, int] = field(default_factory=dict)
    movements: tuple[str, ...] = ()
    schema: Schema | None = None
    reworded: Schema | None = None
    schema_version: int = SCHEMA_VERSION

    @property
    def rows(self) -> Mapping[str, int]:
        return {table: record.rows for table, record in self.tables.items()}

    @property
    def counts(self) -> Mapping[str, int]:
        """Rows by table as they were in the database, also of those that were withheld: what the
        gate has judged."""
        withheld = {
            one.table: one.rows for one in self.withheld if not one.column and one.rows is not None
        }
        return {**withheld, **self.rows}

    @property
    def lacking(self) -> Sequence[Withheld]:
        """What was withheld that the database had, or may have had."""
        return [one for one in self.withheld if one.rows != 0]

    @property
    def without(self) -> str:
        """What the dump lacks, in words; empty where nothing."""
        if not self.without_rows:
            return ""
        return (
            f"made on a standby, which does not have the rows of unlogged tables: "
            f"{', '.join(self.without_rows)}"
        )

    def to_json(self) -> str:
        """The file's text: sorted keys, so that two manifests can be compared by eye.

        Nothing in it is secret: no address, role or password of the database is part of it.
        """
        content = {
            **asdict(self),
            "tables": {table: asdict(record) for table, record in self.tables.items()},
            "database": asdict(self.database),
            "override": override_json(self.override) if self.override else None,
            "proof": proof_json(self.proof) if self.proof else None,
            "computing": asdict(self.computing) if self.computing else None,
            "snapshot_at": self.snapshot_at.astimezone(UTC).isoformat(),
            "tools": dict(self.tools),
            "verdict": dict(self.verdict),
            "withheld": [withheld_json(one) for one in self.withheld],
            "profile": profile_json(self.profile),
            "schema": asdict(self.schema) if self.schema else None,
            "reworded": asdict(self.reworded) if self.reworded else None,
            "persons": [
                {**spot._asdict(), "values": values} for spot, values in self.persons.items()
            ],
        }
        optional = (
            "search_path",
            "policy",
            "withheld",
            "profile",
            "schema",
            "reworded",
            "persons",
            "movements",
        )
        for name in optional:
            if not content[name]:
                del content[name]
        # json indents in Python, value by value, which takes ten times as long.
        return indented(json.dumps(content, sort_keys=True, ensure_ascii=False)) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read a manifest. Raises :class:`DumpDamaged`, which names the field that is wrong."""
        try:
            fields = JsonFields(json.loads(text, parse_constant=_no_constant))
            _require_known_version(fields)
            proven = fields.plain().get("proof") is not None  # older manifests know no proof
            return cls(
                dump=_dump_name(fields, "dump"),
                bytes=fields.number("bytes"),
                sha256=fields.sha256("sha256"),
                tables=fields.nested("tables").each(table_record),
                snapshot_at=fields.moment("snapshot_at"),
                database=identity_from(fields.nested("database")),
                tools=fields.nested("tools").each(JsonFields.text),
                verdict=fields.nested("verdict").plain(),
                override=override_from(by) if (by := fields.optional_nested("override")) else None,
                run_id=fields.optional_text("run_id"),
                previous=fields.optional_text("previous"),
                publication=fields.optional_text("publication"),
                proof=proof_from(fields.nested("proof")) if proven else None,
                without_rows=_names(fields, "without_rows"),
                computing=computing_from(fields),
                search_path=fields.text_or_empty("search_path"),
                policy=fields.text_or_empty("policy"),
                withheld=tuple(map(withheld_from, fields.list_if_there("withheld"))),
                profile=_profile(fields),
                schema=_schema(fields, "schema"),
                reworded=_schema(fields, "reworded"),
                movements=fields.texts_if_there("movements"),
                persons=dict(map(persons_from, fields.list_if_there("persons"))),
            )
        except FieldError as error:
            raise DumpDamaged(f"the manifest cannot be read: {error}") from None
        except (ValueError, RecursionError) as error:
            raise DumpDamaged(f"the manifest is not JSON: {error}") from error


def _require_known_version(fields: JsonFields) -> None:
    found = fields.number("schema_version")
    if found != SCHEMA_VERSION:
        raise DumpDamaged(
            f"the manifest has schema version {found}, {SCHEMA_VERSION} needed",
            hint="a newer ppr-assets wrote it: update this one." if found > SCHEMA_VERSION else "",
        )


def _dump_name(fields: JsonFields, name: str) -> str:
    """A dump's name and nothing else: it is joined to a folder later."""
    value = fields.text(name)
    if not is_dump_name(value):
        raise FieldError(f"{name} is {value!r:.60}, must be the name of a dump")
    return value


def _names(fields: JsonFields, name: str) -> tuple[str, ...]:
    """A list of texts; none in manifests from before it was recorded."""
    value = fields.plain().get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise FieldError(f"{name} is {value!r:.60}, must be a list of names")
    return tuple(value)


def _profile(fields: JsonFields) -> Profile:
    return profile_from_json(fields.nested("profile")) if "profile" in fields.plain() else {}


def _schema(fields: JsonFields, name: str) -> Schema | None:
    if name not in fields.plain():  # older manifests do not know of it
        return None
    parts = fields.nested(name)
    tables = parts.nested("tables").each(lambda all_, key: all_.nested(key).each(JsonFields.text))
    return Schema(tables, parts.nested("objects").each(JsonFields.text))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
