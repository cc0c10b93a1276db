"""What a document says is published, in the words of the shipped policy.

``make variables`` writes it anew too, by ``python -m ppr_assets_tests.published``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ppr_assets.rules.publication.policy import WHOLE, Decisions, shipped_policy
from ppr_assets_tests.places import ROOT

DOCUMENT = ROOT / "docs" / "what-is-published.md"

_TABLE = re.compile(r"(?P<head>^\| table \|[^\n]*\n\| --- [^\n]*\n)(?:\|[^\n]*\n)*", re.MULTILINE)


def with_policy(document: str) -> str:
    """The document with the table of the policy as it is shipped."""
    rows = "".join(
        f"| {table} | {', '.join(_public(decisions)) or 'nothing but its definition'} "
        f"| {'; '.join(_withheld(decisions))} |\n"
        for table, decisions in shipped_policy().tables.items()
    )
    return _TABLE.sub(lambda found: found["head"] + rows, document)


def _public(decisions: Decisions) -> Iterator[str]:
    for column, decision in decisions.items():
        if decision.rule == "public" and column != WHOLE:
            yield column


def _withheld(decisions: Decisions) -> Iterator[str]:
    how = {"structure": "all rows", "null": "{}: NULL", "replaced": "{}: `{text}`"}
    for column, decision in decisions.items():
        if decision.rule != "public":
            said = how[decision.rule].format(column, text=decision.text)
            yield f"{said} ({decision.reason})"


if __name__ == "__main__":
    DOCUMENT.write_text(with_policy(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
