"""Whether a database has every object of a dump, the same and valid.

pg_dump is asked for the database's objects, and those entries are held to the dump's, word for
word. But PostgreSQL words some definitions anew when it reads its own dump: a CHECK over
``varchar in (…)``, a view over VALUES, the order of an inherited table's columns. So where the
words differ, or another version wrote them, a definition is held to what the dump's own statements
give a second time, in a database where nothing else has happened: a twin.

What pg_dump does not write without the rows, sequences' values and whether a materialized view is
filled, is asked besides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from msgspec import Struct

from ppr_assets.errors import RestoreFailed
from ppr_assets.plain_sql.parsing.byte_ranges import DumpFile, PlainDump
from ppr_assets.plain_sql.parsing.layout import Layout
from ppr_assets.postgres.client_tools import find_tool
from ppr_assets.postgres.compare.presence import event_triggers
from ppr_assets.postgres.compare.schema_objects import Object, Objects, SchemaLook, Within
from ppr_assets.postgres.compare.value_content import large_object_differences, value_differences
from ppr_assets.postgres.load import make_definitions
from ppr_assets.postgres.load.public_schema import public_schema
from ppr_assets.postgres.sessions.pinned_environment import environment_beside, pinned_environment
from ppr_assets.postgres.sessions.session import Connection, open_session
from ppr_assets.rules.gate.difference import HOLD_DATA, Difference, first_difference
from ppr_assets.rules.profile.schema import Schema
from ppr_assets.settings import DatabaseSettings

_NAMED_OTHERWISE = frozenset(
    {
        "COMMENT",
        "DEFAULT",
        "INDEX ATTACH",
        "LANGUAGE",
        "PROCEDURAL LANGUAGE",
        "PUBLICATION TABLE",
        "PUBLICATION TABLES IN SCHEMA",
        "ROW SECURITY",
        "SEQUENCE OWNED BY",
        "SECURITY LABEL",
        "SHELL TYPE",
        "TABLE ATTACH",
    }
)
"""Kinds of entries that another version of pg_dump may have, or name, otherwise."""


class Twin(Struct, frozen=True):
    """``make`` makes an empty database like the one that is compared; who gave it drops it. It is
    not needed where ``definitions`` were seen before in such a database: see
    :func:`definitions_in`."""

    make: Callable[[], DatabaseSettings]
    definitions: Objects | None = None


class ComparedObjects(Struct, frozen=True):
    """``schema``: what the database has, where PostgreSQL has worded some of it anew; else None."""

    differences: Sequence[Difference]
    remarks: Sequence[str]
    schema: Schema | None = None


class _Again(Struct, frozen=True):
    """What the dump's own statements give a second time, unless ``why_not``."""

    objects: Objects
    why_not: str = ""


def compare_objects(
    settings: DatabaseSettings, dump: PlainDump, layout: Layout, *, twin: Twin, within: Within
) -> ComparedObjects:
    """Hold the objects in ``settings.dbname`` to those of ``dump``, which was loaded into it.

    ``twin`` is made only where words do not tell. Raises :class:`RestoreFailed` when the database
    cannot be looked at.
    """
    with DumpFile(dump) as file, open_session(settings, layout.encoding) as connection:
        look = _look(connection, settings, layout, within)
        environment = environment_beside(connection, settings)
        found_layout, found = look.at(environment)
        found = {key: texts for key, texts in found.items() if key not in layout.left_out}
        expected = look.objects_of(layout, file)
        public = look.public
        left_out = map(public.remark, filter(public.leaves_out, layout.entries))
        remarks = [remark for remark in left_out if remark]
        schema: Schema | None = None
        differences = dict(sorted(_name_differences(expected, found)))
        doubtful = (expected.keys() | found.keys()) - differences.keys()
        if same_words := _same_words(layout, found_layout):
            doubtful = {key for key in doubtful if found.get(key) != expected.get(key)}
        if doubtful:
            again = _made_again(dump, layout, twin, look)
            if not again.why_not or same_words:
                differences |= sorted(_word_differences(doubtful, expected, found, again))
            else:
                remarks.append(f"definitions were compared by name only: {again.why_not}")
            reworded = [*_reworded(doubtful - differences.keys(), expected, found)]
            remarks += reworded
            if reworded and same_words:
                schema = look.schema_at(environment)
        values = [
            *value_differences(connection, layout, file),
            *large_object_differences(connection, layout, file),
        ]
    return ComparedObjects([*differences.values(), *map(Difference, values)], remarks, schema)


def definitions_in(settings: DatabaseSettings, layout: Layout, within: Within) -> Objects | None:
    """What a dump's own statements have given in ``settings.dbname``, a database where they were
    all taken and nothing else has happened; None where something else acts there.

    Raises :class:`RestoreFailed` when the database cannot be looked at.
    """
    with open_session(settings, layout.encoding) as connection:
        if event_triggers(connection, layout):
            return None
        look = _look(connection, settings, layout, within)
        environment = environment_beside(connection, settings)
    return look.at(environment)[1]


def _look(
    connection: Connection, settings: DatabaseSettings, layout: Layout, within: Within
) -> SchemaLook:
    major = connection.info.server_version // 10000
    tool = find_tool("pg_dump", major, sslmode=settings.sslmode)
    return SchemaLook(tool, layout.encoding, public_schema(connection), within)


def _made_again(dump: PlainDump, layout: Layout, twin: Twin, look: SchemaLook) -> _Again:
    """Fill the twin as well. What is in the way there is in nobody else's."""
    if twin.definitions is not None:
        return _Again(twin.definitions)
    try:
        settings = twin.make()
        with open_session(settings, layout.encoding) as connection:
            acting = event_triggers(connection, layout)
        if acting:
            return _Again({}, f"event trigger {acting[0]} is in every new database here")
        make_definitions(
            dump, layout, settings, deadline=look.within.deadline, going_on=look.within.going_on
        )
        return _Again(look.at(pinned_environment(settings))[1])
    except RestoreFailed as error:
        look.within.deadline.require("comparing the objects")
        return _Again({}, f"the dump could not be made a second time: {error.message}")


def _same_words(dump: Layout, found: Layout) -> bool:
    """Whether pg_dump writes the same words for the same objects, but for those that PostgreSQL
    words anew."""
    servers = (layout.server_version.split(".")[0] for layout in (dump, found))
    return dump.pg_dump_version == found.pg_dump_version and len(set(servers)) == 1


def _name_differences(expected: Objects, found: Objects) -> Iterator[tuple[Object, Difference]]:
    for key in expected.keys() | found.keys():
        counts = len(found.get(key, ())), len(expected.get(key, ()))
        if key.kind not in _NAMED_OTHERWISE and counts[0] != counts[1]:
            yield key, _in_number(key, *counts)


def _word_differences(
    doubtful: Collection[Object], expected: Objects, found: Objects, again: _Again
) -> Iterator[tuple[Object, Difference]]:
    wanted = expected if again.why_not else again.objects
    because = f" ({again.why_not})" if again.why_not else ""
    for key in doubtful:
        have, want = found.get(key, []), wanted.get(key, [])
        if len(have) != len(want):
            yield key, _in_number(key, len(have), len(want))
        elif have != want:
            pair = next((one, other) for one, other in zip(have, want, strict=True) if one != other)
            line, dumps = first_difference(*pair)
            text = f"{key} differs from the dump: it has `{line}`, the dump gives `{dumps}`"
            yield key, Difference(text + because, acceptable=True)


def _in_number(key: Object, have: int, want: int) -> Difference:
    if have > want:
        return Difference(f"{key} is not in the dump", acceptable=True)
    return Difference(f"{key} is missing", acceptable=key.kind not in HOLD_DATA)


def _reworded(equal: Collection[Object], expected: Objects, found: Objects) -> Iterator[str]:
    if number := sum(found.get(key) != expected.get(key) for key in equal):
        yield (
            f"{number} of {len(found)} definitions have other words than in the dump, and are what "
            "its own statements give a second time"
        )
