"""The whole definitions, compared with the text that somebody has read and checked in."""

from __future__ import annotations

import difflib
from pathlib import Path

from ppr_assets_tests.orchestration import definitions_text
from ppr_assets_tests.places import ROOT

WRITTEN = Path(__file__).with_name("definitions.txt")
ANEW = (
    f"python -m {definitions_text.__name__} > {WRITTEN.relative_to(ROOT)}"
    " writes it anew; read the difference before you commit it"
)


def test_the_definitions_are_those_that_were_read() -> None:
    found = definitions_text.definitions_text(definitions_text.built())
    differences = difflib.unified_diff(
        WRITTEN.read_text().splitlines(),
        found.splitlines(),
        WRITTEN.name,
        "build_defs()",
        lineterm="",
    )
    said = "\n".join(differences)
    assert not said, f"{said}\n\n{ANEW}"


def test_the_text_names_no_folder_of_this_machine() -> None:
    text = WRITTEN.read_text()
    assert str(ROOT) not in text
    assert not [line for line in text.splitlines() if "code_references" in line and ": /" in line]
