"""What a dump in git holds, counted anew; also as a process of its own, asked over its pipes.

To count rows keeps a processor busy for as long as git needs to put a dump together, and Python
counts on one only. So a long audit has several of these processes, each with a git of its own. The
first line to one is the clone, each further line a blob; each is answered with a line. JSON, all.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ppr_assets.data_repo.object_reader import ObjectMissing, ObjectReader
from ppr_assets.errors import DataRepoError, DumpDamaged
from ppr_assets.postgres.layout import CopyBlock, Entry, Layout, read_layout


def recount(reader: ObjectReader, blob: str) -> Layout | str:
    """What the dump holds, of its entries only those with rows; or why that cannot be told.

    Raises what the reader raises, except for an object that is not there.
    """
    chunks = reader.stream(blob)
    try:
        # Rows of dumps made here are sorted, so nothing is ever written to the folder.
        layout = read_layout(chunks, sorted_rows=True, spill_folder=Path())
    except DumpDamaged as error:
        return error.message
    except ObjectMissing:
        return "its bytes are not in this clone, so nobody can tell (a full clone has them)"
    finally:
        chunks.close()
    return replace(layout, entries=tuple(entry for entry in layout.entries if entry.copy))


def layout_from(content: Mapping[str, Any]) -> Layout:
    """The layout that ``dataclasses.asdict`` and JSON have made this of."""
    return Layout(
        **{
            **content,
            "header": tuple(content["header"]),
            "prologue": tuple(content["prologue"]),
            "extensions": tuple(content["extensions"]),
            "entries": tuple(
                Entry(**{**entry, "copy": CopyBlock(**entry["copy"])})
                for entry in content["entries"]
            ),
        }
    )


def main() -> None:
    clone = json.loads(sys.stdin.readline())
    with ObjectReader(Path(clone["path"]), clone["timeout_seconds"]) as reader:
        for line in sys.stdin:
            sys.stdout.write(json.dumps(_answer(reader, line.strip())) + "\n")
            sys.stdout.flush()


def _answer(reader: ObjectReader, blob: str) -> Mapping[str, Any]:
    try:
        found = recount(reader, blob)
    except DataRepoError as error:
        return {"error": error.message, "hint": error.hint}
    return {"damage": found} if isinstance(found, str) else {"layout": asdict(found)}


if __name__ == "__main__":
    main()
