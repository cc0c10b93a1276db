"""The publication policy: what of a database may be published, by table and column.

Default deny: what it does not name is not published. It is TOML, a section for each table and a
line for each column, so that git's history says of each line who decided it, when and why::

    [organization]
    name = "public"
    updated_by = "null"
    email = { rule = "replaced", text = "withheld", reason = "people's own addresses" }

    [change_audit]
    "*" = { rule = "structure", reason = "who changed what, from where" }

A section's name is the table's key (:func:`~ppr_assets.rules.naming.table_key`), or
:data:`LARGE_OBJECTS`. What else is decided of values that were found in a dump stands in the same
file, as :mod:`~ppr_assets.rules.finds.decisions` says.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Literal

from msgspec import Struct, field

from ppr_assets.errors import PolicyUnreadable
from ppr_assets.rules.finds.decisions import ALLOWED, REVIEWED, FindDecisions

Rule = Literal["public", "structure", "null", "replaced"]
"""Published; a table without its rows; NULL in the place of values; a text in their place."""

WHOLE = "*"
"""Stands for a table itself among its columns."""

LARGE_OBJECTS = "large objects"
"""A section for what no table holds. No table's key: it would be quoted."""

RULES: Sequence[Rule] = ("public", "structure", "null", "replaced")
OF_TABLES: Sequence[Rule] = ("structure", "public")
OF_COLUMNS: Sequence[Rule] = ("public", "null", "replaced")

REPLACED_BY = "withheld"
"""The text where nobody chooses another."""


class Decision(Struct, frozen=True):
    """``text``: what is published in the place of each value, for the rule ``replaced``."""

    rule: Rule
    text: str = ""
    reason: str = ""

    def to_toml(self) -> str | dict[str, str]:
        """As it stands in a file: the rule alone where it is all."""
        more = {"text": self.text} if self.rule == "replaced" else {}
        more |= {"reason": self.reason} if self.reason else {}
        return {"rule": self.rule, **more} if more else self.rule


Decisions = Mapping[str, Decision]
"""Of one table: by column, and by :data:`WHOLE` for the table itself."""


class Policy(Struct, frozen=True):
    """``tables`` by key, or :data:`LARGE_OBJECTS`; ``finds``: of values in what is published."""

    tables: Mapping[str, Decisions] = field(default_factory=dict)
    finds: FindDecisions = field(default_factory=FindDecisions)

    @classmethod
    def parse(cls, text: str, *, source: str) -> Policy:
        """Read a policy file; ``source`` names it. Raises :class:`PolicyUnreadable`, which says
        where it is not what it has to be."""
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise unreadable(source, f"it is not TOML: {error}") from None
        except RecursionError:
            raise unreadable(source, "its tables or lists are nested too deeply") from None
        try:
            finds = FindDecisions.parse(content.pop(ALLOWED, None), content.pop(REVIEWED, None))
            tables = {table: _decisions(table, lines) for table, lines in content.items()}
        except ValueError as wrong:
            raise unreadable(source, str(wrong)) from None
        return cls(tables, finds)

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits, the same for policies that decide alike, whatever the reasons."""
        decided = {
            table: {column: [one.rule, one.text] for column, one in decisions.items()}
            for table, decisions in self.tables.items()
        }
        allowed = sorted(self.finds.allowed)
        text = json.dumps([decided, allowed] if allowed else decided, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def with_additions(self, added: Policy) -> Policy:
        """The same with what ``added`` decides, which wins. Where it decides about a table as a
        whole, nothing else is left of that table; where it opens columns of a table that has been
        published without rows, only they are known."""
        tables = dict(self.tables)
        for table, decisions in added.tables.items():
            tables[table] = joined(tables.get(table, {}), decisions)
        return Policy(tables, self.finds.with_additions(added.finds))


def joined(under: Decisions, over: Decisions) -> Decisions:
    """Two tables' decisions, as one: of a file and its additions, of a parent and its child."""
    if not over:
        return under
    if WHOLE in over:
        return over if over[WHOLE].rule == "structure" else {**of_columns(under), **over}
    return {**of_columns(under), **over}


def of_columns(decisions: Decisions) -> Decisions:
    """Those that are in force for columns; none where the table is published without rows."""
    if WHOLE in decisions and decisions[WHOLE].rule == "structure":
        return {}
    return {column: one for column, one in decisions.items() if column != WHOLE}


def _decisions(table: str, lines: Any) -> Decisions:
    if not isinstance(lines, dict) or not lines:
        raise ValueError(f"`{table}` must be a section with a line for each column")
    return {column: _decision(table, column, value) for column, value in lines.items()}


def _decision(table: str, column: str, value: Any) -> Decision:
    where = table if column == WHOLE else f"{table}.{column}"
    told = {"rule": value} if isinstance(value, str) else value
    if not isinstance(told, dict) or not all(isinstance(one, str) for one in told.values()):
        raise ValueError(f"`{where}` must be a rule, or a table of rule, text and reason")
    if strange := sorted(told.keys() - {"rule", "text", "reason"}):
        raise ValueError(f"`{where}` has `{strange[0]}`, must have rule, text and reason alone")
    allowed = OF_TABLES if column == WHOLE else OF_COLUMNS
    rule = next((one for one in allowed if one == told.get("rule")), None)
    if rule is None:
        raise ValueError(
            f"`{where}` has the rule {told.get('rule')!r:.40}, "
            f"must be {', '.join(allowed[:-1])} or {allowed[-1]}"
        )
    if ("text" in told) != (rule == "replaced"):
        raise ValueError(f"`{where}` must have a text exactly where it is replaced")
    return Decision(rule, told.get("text", ""), told.get("reason", "").strip())


_DAMAGED = (
    (re.compile(r"\A\s*\Z"), "it is empty; one that decides nothing says so in a comment"),
    (re.compile(r"\A\ufeff"), "it begins with a byte order mark; save it as UTF-8 without one"),
    (re.compile(r"\Aversion https://git-lfs"), "it is a Git LFS pointer, and not the file itself"),
    (re.compile(r"^(<{7}|>{7}) ", re.MULTILINE), "git has left conflict markers in it"),
)
"""What becomes of files by accident, in words for whoever has to mend it."""


def parse_policy(data: bytes, *, source: str) -> Policy:
    """Read a policy file's bytes, as :meth:`Policy.parse` reads its text."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise unreadable(source, "it is not UTF-8") from None
    if found := next((said for form, said in _DAMAGED if form.search(text)), None):
        raise unreadable(source, found)
    return Policy.parse(text, source=source)


def unreadable(source: str, problem: str) -> PolicyUnreadable:
    return PolicyUnreadable(
        f"the publication policy `{source}` cannot be read: {problem}",
        hint="fix it, or bring the last good one back from git's history. Nothing is published "
        "by a policy that nobody can read.",
    )


@functools.cache
def shipped_policy() -> Policy:
    """What ppr_assets itself decides: HSDS 3.1, and what Pantry Pirate Radio keeps beside it."""
    file = files("ppr_assets.rules.publication") / "publication.toml"
    return Policy.parse(file.read_text(encoding="utf-8"), source="publication.toml")
