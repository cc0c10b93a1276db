"""Values that look like what must not be published, and the places in rows where they hide.

Made at run time from a seed, by what their makers publish and not by the forms that are searched
for: no file of the project holds anything that looks like a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from ppr_assets_tests.planted.keys import KEYS
from ppr_assets_tests.planted.making import Make
from ppr_assets_tests.planted.passwords import PASSWORDS
from ppr_assets_tests.planted.persons import PERSONS

__all__ = ["KEYS", "PASSWORDS", "PERSONS", "PLACES", "Make", "copied"]


def _in_json(value: str) -> str:
    return json.dumps({"id": 7, "note": value})


def _escaped(text: str, which: str) -> str:
    """In JSON, whatever may be written as it is."""
    return re.sub(which, lambda one: f"\\u{ord(one[0]):04x}", text, flags=re.DOTALL)


PLACES: Mapping[str, Callable[[str], str]] = {
    "alone": lambda value: value,
    "at the beginning": lambda value: f"{value} is what they use",
    "in the middle": lambda value: f"we write {value} here",
    "at the end": lambda value: f"Ask for it:\n{value}",
    "between escapes": lambda value: f"C:\\new\\\t\\\\\n{value}\n\t\\.\r\n",
    "in quotes": lambda value: f"it's \"{value}\", '{value}' or `{value}`",
    "in brackets": lambda value: f"<b>({value})</b>",
    "in JSON": _in_json,
    "in JSON behind a newline": lambda value: json.dumps(["first\n" + value + "\nlast\t"]),
    "in a URL": lambda value: f"https://example.org/?to=pantry&key={value}&id=1",
    "in JSON in JSON": lambda value: json.dumps({"body": _in_json(f"a\n{value}\n")}),
    "in JSON with escaped slashes": lambda value: _in_json(value).replace("/", "\\/"),
    "in JSON with all escaped": lambda value: f'{{"a": "{_escaped(value, ".")}"}}',
    "in JSON with signs escaped": lambda value: f'{{"a": "{_escaped(value, "[^0-9A-Za-z]")}"}}',
    "in a very long text": lambda value: "Food, on Friday. " * 1_500 + value + " free" * 1_500,
    "after other letters": lambda value: f"Żywność 食物🥫 {value} 開放時間",
    "quoted in a mail": lambda value: "\n".join(f"> {line}" for line in value.split("\n")),
    "in XML": lambda value: f"<note><![CDATA[{value}]]></note>",
    "of many lines": lambda value: "\n".join(f"line {n}" for n in range(99)) + f"\n{value}\n",
}
"""What a text may be that has a value in it."""


def copied(value: str | None) -> bytes:
    """As COPY writes it."""
    if value is None:
        return b"\\N"
    return value.translate(_COPY_ESCAPES).encode()


_COPY_ESCAPES = {
    ord(one): f"\\{way}" for one, way in zip("\\\b\f\n\r\t\v", "\\bfnrtv", strict=True)
}
