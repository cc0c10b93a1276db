"""What stands in a manifest as one value, with what it is in the file's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from ppr_assets.rules.finds.judgement import Spot
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.json_fields import FieldError, JsonFields
from ppr_assets.rules.publication.policy import RULES
from ppr_assets.rules.publication.withholding import Withheld


class TableRecord(Struct, frozen=True):
    """Rows of a table, and the SHA-256 of its rows in the dump, sorted, each with its newline."""

    rows: int
    sha256: str


class DatabaseIdentity(Struct, frozen=True):
    """Which database it was; ``system_identifier`` is the cluster's own, made by initdb, and
    None where the host does not tell it.

    ``encoding`` and ``collation`` are empty in manifests from before they were recorded.
    """

    system_identifier: str | None
    name: str
    server_version: str
    encoding: str = ""
    collation: str = ""


class Proof(Struct, frozen=True):
    """The restore that a dump has passed before it was published.

    ``where``: ``server`` (the database's own), ``embedded`` or ``elsewhere``; ``off`` records that
    nobody tried. ``at`` in UTC; ``server_version`` and ``seconds`` of that restore, empty and
    0 without one.
    """

    where: str
    at: datetime
    server_version: str = ""
    seconds: float = 0.0
    without: tuple[str, ...] = ()
    """Objects that could not be made there, and that a rule let go."""

    @property
    def proven(self) -> bool:
        return self.where != "off"

    def __str__(self) -> str:
        if not self.proven:
            return "off"
        said = f"{self.where}, PostgreSQL {self.server_version}, {self.seconds:.1f} s"
        return f"{said}, but for {', '.join(self.without)}" if self.without else said


class Computing(Struct, frozen=True):
    """What the database computed by, and digests of what it had computed, which no dump holds:
    generated columns and materialized views. ``withheld`` of them have none, since they may have
    been computed from what is withheld."""

    settings: Mapping[str, str]
    locale: Mapping[str, str]
    digests: Mapping[str, str]
    withheld: tuple[str, ...] = ()


def table_record(tables: JsonFields, name: str) -> TableRecord:
    record = tables.nested(name)
    return TableRecord(rows=record.number("rows"), sha256=record.sha256("sha256"))


def withheld_from(fields: JsonFields) -> Withheld:
    rule = next((one for one in RULES if one == fields.text("rule")), None)
    if rule is None:
        raise FieldError(f"withheld.rule is {fields.text('rule')!r:.60}, must be a rule")
    return Withheld(
        table=fields.text("table"),
        column=fields.text_or_empty("column"),
        rule=rule,
        rows=fields.optional_number("rows"),
        text=fields.text_or_empty("text"),
    )


def withheld_json(one: Withheld) -> Mapping[str, Any]:
    content = asdict(one)
    return content if one.text else {k: v for k, v in content.items() if k != "text"}


def persons_from(fields: JsonFields) -> tuple[Spot, int]:
    spot = Spot(fields.text("table"), fields.text_or_empty("column"), fields.text("kind"))
    return spot, fields.number("values")


def override_json(override: Override) -> dict[str, str]:
    """As manifests from before names have it, where nobody is named."""
    told = {"reason": override.reason, "source": override.source}
    return told | ({"by": override.by} if override.by else {})


def override_from(fields: JsonFields) -> Override:
    reason = fields.text("reason")
    if not reason.strip():
        raise FieldError("override.reason is empty, must say why")
    return Override(reason, fields.text("source"), fields.text_or_empty("by"))


def computing_from(fields: JsonFields) -> Computing | None:
    if fields.plain().get("computing") is None:  # older manifests do not know of it
        return None
    parts = fields.nested("computing")
    settings, locale, digests = (
        parts.nested(name).each(JsonFields.text) for name in ("settings", "locale", "digests")
    )
    return Computing(settings, locale, digests, parts.texts_if_there("withheld"))


def proof_from(fields: JsonFields) -> Proof:
    return Proof(
        where=fields.text("where"),
        at=fields.moment("at"),
        server_version=fields.text("server_version"),
        seconds=fields.seconds("seconds"),
        without=fields.texts_if_there("without"),
    )


def proof_json(proof: Proof) -> Mapping[str, Any]:
    content = {**asdict(proof), "at": proof.at.astimezone(UTC).isoformat()}
    return content if proof.without else {k: v for k, v in content.items() if k != "without"}


def identity_from(database: JsonFields) -> DatabaseIdentity:
    return DatabaseIdentity(
        system_identifier=database.optional_text("system_identifier"),
        name=database.text("name"),
        server_version=database.text("server_version"),
        encoding=database.text_or_empty("encoding"),
        collation=database.text_or_empty("collation"),
    )
