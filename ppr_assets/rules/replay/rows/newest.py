"""What stands of all that was told of one record: of each value the newest word, of what hangs on
it the newest word of each scraper."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, TypeVar

from msgspec import Struct

from ppr_assets.rules.replay.record import Phone, content
from ppr_assets.rules.replay.telling import Telling
from ppr_assets.rules.replay.words.contact_points import phone_keys

R = TypeVar("R", bound=Struct)


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
    for name in newest_record.__struct_fields__:
        value = getattr(newest_record, name)
        if name in without:
            values[name] = ()
        elif isinstance(value, tuple) and name != "coordinates":
            values[name] = _children((by, getattr(record, name)) for by, record in told)
        elif name == "path":
            values[name] = value
        else:
            told_of = (one for one in told if getattr(one[1], name) is not None)
            whose[name], record = next(told_of, told[0])
            values[name] = getattr(record, name)
    return type(newest_record)(**values), whose


def _children(words: Iterable[tuple[Telling, tuple[Any, ...]]]) -> tuple[Any, ...]:
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
