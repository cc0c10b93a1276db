"""Does the commit's message say what the manifest says?"""

from __future__ import annotations

from collections.abc import Iterator

from ppr_assets.data_repo.history.message import dump_message, parse_records, parse_trailers
from ppr_assets.rules.mark import Mark
from ppr_assets.rules.recorded.manifest import Manifest

_SHOWN = 3


def wrong_trailers(message: str, manifest: Manifest, mark: Mark | None) -> Iterator[str]:
    """Each trailer that is not what publishing would have written; ``mark`` None: not compared."""
    found = parse_trailers(message)
    needed = parse_trailers(dump_message(manifest, mark.organization if mark else None))
    if "Dump" not in found:
        yield "its commit's message has no trailers that tell of it"
        return
    for key in needed.keys() | (found.keys() & _OPTIONAL):
        have, need = found.get(key), needed.get(key)
        if have == need or (key == "Mark" and mark is None):
            continue
        if key == "Records" and have and need:
            yield from _wrong_records(have, need)
        else:
            yield f"trailer {key} says {_shown(have)}, the manifest {_shown(need)}"


_OPTIONAL = {"Run", "Override", "Override-By", "Proof", "Moved"}


def _wrong_records(have: str, need: str) -> Iterator[str]:
    told, right = parse_records(have), parse_records(need)
    differ = [table for table in sorted(told.keys() | right) if told.get(table) != right.get(table)]
    for table in differ[:_SHOWN]:
        yield (
            f"trailer Records says {table}={told.get(table, 'nothing')}, the manifest "
            f"{right.get(table, 'nothing')}"
        )
    if len(differ) > _SHOWN:
        yield f"trailer Records is wrong about {len(differ) - _SHOWN} more tables"
    if not differ:
        yield "trailer Records is not as publishing writes it"


def _shown(value: str | None) -> str:
    return "nothing" if value is None else f"`{value}`"
