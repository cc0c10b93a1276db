"""Paths as git's arguments take them: from the root of the repository, wherever git is started."""

from __future__ import annotations

import re


def literal(path: str) -> str:
    """This very path, whatever is in its name; a pattern would take git six times as long."""
    return f":(top,literal){path}"


def matching(folder: str, pattern: str) -> str:
    """What ``pattern`` matches in this very folder."""
    escaped = re.sub(r"([\\*?\[])", r"\\\1", folder)
    return f":(top,glob){escaped}/{pattern}"


def outside(folder: str) -> tuple[str, str]:
    """All but what is in this very folder."""
    return ":(top)", f":(top,exclude,literal){folder}"
