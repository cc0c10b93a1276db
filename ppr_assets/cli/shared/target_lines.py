"""What is said of the database that is filled, and of the one that it replaces."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ppr_assets.cli.shared.context import this_command
from ppr_assets.rules.naming import quote_identifier
from ppr_assets.rules.wording import shell_word


def testing_line(name: str) -> tuple[str, str]:
    return "testing", f"TESTING is true, so the target is {name} whatever else was asked"


def former_lines(name: str, former: str) -> Iterator[tuple[str, str]]:
    """Where it is now, and how it serves again."""
    yield "former", f"{former} is what the former database is called now"
    yield "go back", this_command(f"restore --undo --into {shell_word(name)}")
    yield "as SQL", _way_back(name, former)
    yield "drop it", f"{this_command('cleanup')}, from tomorrow on (--older-than 0: now)"


def _way_back(name: str, former: str) -> str:
    """SQL for a session in another database; the new one gets the name of what it undoes."""
    undone = re.sub(r"_before_(?=\d{14}$)", "_undone_", former)
    steps = ((name, undone), (former, name))
    return " ".join(
        f"ALTER DATABASE {quote_identifier(old)} RENAME TO {quote_identifier(new)};"
        for old, new in steps
    )
