"""Names of organizations and places, as they are compared: without case, accents, punctuation, a
leading article and what only says how a place is incorporated."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_APOSTROPHES = re.compile(r"[’'`´ʼ]")  # noqa: RUF001
_NOT_A_WORD = re.compile(r"[\W_]+")
_LEGAL = frozenset(("inc", "incorporated", "llc", "corp", "co", "ltd"))
_WRITTEN_OUT = {
    "st": "saint",
    "ste": "sainte",
    "ctr": "center",
    "centre": "center",
    "comm": "community",
    "cmty": "community",
    "umc": "united methodist church",
    "ame": "african methodist episcopal",
    "svcs": "services",
    "svc": "service",
    "mt": "mount",
    "ft": "fort",
    "assn": "association",
    "dept": "department",
    "univ": "university",
}
_GENERIC = frozenset({
    "food", "pantry", "pantries", "choice", "prepack", "mobile", "meal", "meals", "market", "site",
    "distribution", "produce", "soup", "kitchen", "location", "main", "office", "program", "bank",
    "community", "center", "church", "the", "of", "and", "popup", "pop", "up", "free", "service",
    "services", "drive", "thru", "through", "senior", "box", "hot", "delivery", "emergency",
    "shelf", "school", "partner", "pick", "pickup", "point", "fresh", "grocery", "organization",
    "headquarters", "address", "primary", "hub", "assistance", "a", "at", "new", "test",
})  # fmt: skip


@lru_cache(maxsize=65536)
def normalized_name(name: str) -> str:
    """Two names that only differ in how they are written are equal in this form. Empty where
    nothing of the name can be compared."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = _APOSTROPHES.sub("", plain).replace("&", " and ")
    words = [_WRITTEN_OUT.get(word, word) for word in _NOT_A_WORD.split(plain) if word]
    if not words:
        return " ".join(plain.split())
    while len(words) > 1 and words[-1] in _LEGAL:
        words.pop()
    while len(words) > 1 and words[0] == "the":
        del words[0]
    return " ".join(words)


def says_only_what_it_is(normalized: str) -> bool:
    """Whether a name is made of words for any pantry, such as "food pantry": it names nobody."""
    return all(word in _GENERIC or word.isdigit() for word in normalized.split())
