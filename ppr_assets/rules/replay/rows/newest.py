"""What stands of all that was told of one record: of each value the newest word, of what hangs on
it the newest word of each scraper."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import fields
from typing import Any, TypeVar

from ppr_assets.rules.replay.content import content
from ppr_assets.rules.replay.record import Phone
from ppr_assets.rules.replay.telling import Telling
from ppr_assets.rules.replay.words.contact_points import phone_keys

R = TypeVar("R")


def newest(
    tellings: Iterable[tuple[Telling, R]], without: Collection[str] = ()
) -> tuple[R, dict[str, Telling]]:
    """The record that stands, ``without`` some of what hangs on it, and whose word each of its
    values is. What a telling does not know
    takes nothing away; a scraper that tells of schedules again takes its older ones back."""
    told = sorted(tellings, key=lambda one: (one[0], _path(one[1])), reverse=True)
    values: dict[str, Any] = {}
    whose: dict[str, Telling] = {}
    newest_record = told[0][1]
    for field in fields(newest_record):  # type: ignore[arg-type]
        if field.name in without:
            values[field.name] = ()
            continue
        words = [(by, getattr(record, field.name)) for by, record in told]
        if isinstance(words[0][1], tuple) and field.name != "coordinates":
            values[field.name] = _children(words)
        elif field.name == "path":
            values["path"] = words[0][1]
        else:
            by, values[field.name] = next((w for w in words if w[1] is not None), words[0])
            whose[field.name] = by
    return type(newest_record)(**values), whose


def _children(words: list[tuple[Telling, tuple[Any, ...]]]) -> tuple[Any, ...]:
    """From the newest telling of each scraper that has any, each once, in an order of its own."""
    latest: dict[str, tuple[Any, ...]] = {}
    for by, children in words:
        if children:
            latest.setdefault(by.scraper, children)
    found: dict[Any, Any] = {}
    for children in latest.values():
        for child in children:
            found.setdefault(known_by(child), child)
    return tuple(found[key] for key in sorted(found, key=repr))


def known_by(child: Any) -> Any:
    """Equal for children of one record that say the same."""
    if isinstance(child, str):
        return child
    if isinstance(child, Phone):
        return (*(phone_keys(child.number) or (child.number,)), child.extension)
    return content(child)


def _path(record: Any) -> str:
    return str(record.path)
