"""Texts that have broken a dump somewhere, so that every sample carries them.

They stand in columns that people fill in by hand. What COPY escapes, what looks like COPY's own
marks or like a command of psql, and what Python takes for the end of a line and PostgreSQL does
not.
"""

from __future__ import annotations

AWKWARD: tuple[str, ...] = (
    "",
    "\\N",
    "\\.",
    "say \"O'Brien's\" at the door, it's the 'second helping' table",
    "back\\slash: C:\\pantry\\new\\table.txt \\\\server\\share",
    "Mon\t9-12\tTue\t13-17",
    "first line\nsecond line\n\nfourth line\n",
    "dos line\r\nanother\r\nlone return\rend",
    "bell \a, backspace \b, vertical tab \v, form feed \f, escape \x1b, delete \x7f",
    "🥫🍞 free bread & cans 👩🏽‍🌾 every Friday 🇺🇸",
    "Banque alimentaire, Café São João, Żywność, Ñandú",
    "مخزن الطعام مفتوح يوم الجمعة",
    "食物银行 開放時間 週一",
    "\N{LINE SEPARATOR}line\N{PARAGRAPH SEPARATOR}paragraph\x85next\x1crecord\x1dgroup",
    "\N{ZERO WIDTH NO-BREAK SPACE}begins with a mark\N{NO-BREAK SPACE}and ends with a space ",
    "\n\\.\n\n\\! echo pwned\n\\connect other\n",
    "COPY public.organization (id) FROM stdin;",
    "--\n-- PostgreSQL database dump complete\n--\n",
    "\\unrestrict 0000\n\\restrict 0000",
    "$$ %s {0} ${HOME} `id` <b>bold</b> &amp; '; DROP TABLE organization; --",
)

_EVERY = 97
"""Organizations per round: all texts stand among the first ones, and then again and again."""


def awkward_text(number: int) -> str | None:
    """The text that organization ``number`` has to carry, if any."""
    place = number % _EVERY
    return AWKWARD[place] if place < len(AWKWARD) else None
