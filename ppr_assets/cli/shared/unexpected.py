"""The whole story of what nobody expected: in a file of this user alone, and on no terminal."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from ppr_assets import __version__
from ppr_assets.errors import PprError, Unexpected
from ppr_assets.operations.sources.scratch import temporary
from ppr_assets.settings import without_secrets


def with_story(error: PprError) -> PprError:
    """The same error; of an unexpected one the story is written first, and its hint says where."""
    if isinstance(error, Unexpected):
        story = without_secrets(error.story)
        error.message = without_secrets(error.message)
        error.hint = _kept(story)
    return error


def _kept(story: str) -> str:
    """Write the story; the hint that leads to it."""
    head = f"ppr-assets {__version__}, Python {sys.version.split()[0]}, {sys.argv[1:2]}\n\n"
    try:
        path = _written(head + story)
    except (OSError, PprError):
        last = [line.strip() for line in story.splitlines() if line.startswith("  File ")][-1:]
        return f"the whole story could not be written anywhere; it ended at: {''.join(last)}"
    return (
        f"the whole story is in `{path}`; please report it. `ppr-assets status` says what stands."
    )


def _written(text: str) -> Path:
    path = temporary() / f"unexpected-{datetime.now(UTC):%Y-%m-%d_%H-%M-%S}-{os.getpid()}.txt"
    path.touch(0o600, exist_ok=False)
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path
