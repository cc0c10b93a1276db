"""Phone numbers and web addresses as they really come, and as they are compared."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

_EXTENSION = re.compile(
    r"[\s,;(]*(?:extension|ext|x|#)[\s.:#]*(\d{1,8})\s*\)?\s*$", re.IGNORECASE | re.ASCII
)
_NUMBER = re.compile(r"(?<!\d)(?:\+?1[\s.\-]*)?\(?(\d{3})\)?[\s.\-/]*(\d{3})[\s.\-]*(\d{4})(?!\d)")
_SHARED_HOSTS = frozenset({
    "facebook.com", "m.facebook.com", "instagram.com", "twitter.com", "x.com", "google.com",
    "linktr.ee", "sites.google.com", "youtube.com", "linkedin.com",
})  # fmt: skip
_PLACEHOLDERS = ("example.com", "example.org", "example.net")
LONGEST = 2000
"""Characters of a phone number or a web address that are looked at."""


def phone_number(words: str) -> tuple[str, str | None] | None:
    """The number as it was published, and its extension; None for what is no number."""
    words = words.strip()[:LONGEST]
    extension = None
    if found := _EXTENSION.search(words):
        words, extension = words[: found.start()], found[1]
    digits = sum(char.isdigit() for char in words)
    return (words, extension) if 7 <= digits <= 40 else None


@lru_cache(maxsize=65536)
def phone_keys(number: str) -> tuple[str, ...]:
    """Ten digits of each number in the words. Seven digits without an area code are not compared,
    nor are numbers that nobody can have."""
    keys = ("".join(found) for found in _NUMBER.findall(number[:LONGEST]))
    return tuple(key for key in keys if key[0] not in "01" and len(set(key)) > 1)


@lru_cache(maxsize=65536)
def website_key(url: str) -> str | None:
    """Host and path without scheme, ``www.``, query and closing slash; None for what is no web
    address, for the front page of a host that thousands share, and for hosts of examples."""
    url = url.strip()[:LONGEST].lower()
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        host = (parts.hostname or "").removeprefix("www.").rstrip(".")
    except ValueError:
        return None
    path = re.sub(r"/(?:index\.(?:html?|php)|home)?/*$", "", parts.path)
    if "." not in host or " " in host or host.endswith(_PLACEHOLDERS):
        return None
    if host in _SHARED_HOSTS and not path:
        return None
    named = parts.query if host in _SHARED_HOSTS and path.endswith(".php") else ""
    return f"{host}{path}?{named}" if named else f"{host}{path}"


def is_placeholder(url: str) -> bool:
    """A host that is reserved for examples is nobody's."""
    return website_key(url) is None and any(host in url.lower() for host in _PLACEHOLDERS)
