"""A form that a searched value may have, and how it is told from what only looks like it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property

from msgspec import Struct

LEFT = rb"(?:(?<![0-9A-Za-z])|(?<=%[0-9A-Fa-f]{2}))"
"""No letter or digit stands before, but for those of an escape in a URL."""

RIGHT = rb"(?![0-9A-Za-z])"

RUN = rb"[0-9A-Fa-f:]{16}"
"""So many digits at once, which nearly no value has: how fast their absence is told."""

Holds = Callable[[re.Match[bytes], str], bool]
"""Of what has the form, and the name of its column."""


class FindKind(Struct, frozen=True, dict=True):
    """``trigger``: a part of the form that also stands in the bytes of a COPY row, whatever COPY
    and JSON escape; a cheap search for all of them finds the rows that are worth a look. ``form``
    is matched in the value as it is meant, and ``holds`` looks further. ``source``: who
    publishes the form. ``person``: it is counted and compared, a secret stops a dump.
    ``columns``: names of columns whose values are looked at without a trigger. ``in_run``: a
    further trigger, of digits alone. As no letter in it stands fast, the search for it is slow, and
    is made only where a :data:`RUN` is, which it must have."""

    name: str
    source: str
    trigger: bytes
    form: bytes | re.Pattern[bytes]
    person: bool = False
    holds: Holds | None = None
    columns: re.Pattern[str] | None = None
    in_run: bytes | None = None

    def found(self, value: bytes, column: str) -> bool:
        if self.holds is None:
            return self._compiled.search(value) is not None
        return any(self.holds(match, column) for match in self._compiled.finditer(value))

    @cached_property
    def _compiled(self) -> re.Pattern[bytes]:
        """When a value calls for it: of most kinds no dump has any."""
        return re.compile(self.form)


def prefixed(
    name: str, source: str, begins: bytes, rest: bytes, *, before: bytes = b""
) -> FindKind:
    """A kind that is known by how it ``begins``; ``before`` is what else may stand ahead of it.

    What the trigger cannot see the form cannot match: it is a part of it. It need be no longer
    than is rare: how many letters follow costs time where all bytes are searched, and none where
    a value is looked at.
    """
    return whole(name, source, begins, before + b"(?:" + begins + b")" + rest)


def whole(name: str, source: str, trigger: bytes, form: bytes) -> FindKind:
    """A kind of several sorts, which go on in different ways."""
    return FindKind(name, source, trigger, LEFT + form)
