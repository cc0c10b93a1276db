"""How a value of a form is made up from a seed."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable
from random import Random

HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits
LETTERS = string.ascii_letters
WORD = LETTERS + string.digits
LOWER = string.ascii_lowercase + string.digits
URL_SAFE = WORD + "_-"
BASE64 = WORD + "+/"
CRYPT = WORD + "./"

Make = Callable[[Random], str]


def some(random: Random, alphabet: str, length: int) -> str:
    return "".join(random.choices(alphabet, k=length))


def key(prefix: str, alphabet: str, length: int, ending: str = "") -> Make:
    return lambda random: prefix + some(random, alphabet, length) + ending


def pem(title: str) -> Make:
    def make(random: Random) -> str:
        lines = [some(random, BASE64, 64) for _ in range(4)]
        edges = (f"-----{edge} {title}-----" for edge in ("BEGIN", "END"))
        return "\n".join([next(edges), *lines, next(edges), ""])

    return make


def json_token(random: Random) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": some(random, WORD, 8), "iat": 1700000000})
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join([*(text.rstrip("=") for text in texts), some(random, URL_SAFE, 43)])


def uuid(random: Random) -> str:
    return "-".join(some(random, HEX, length) for length in (8, 4, 4, 4, 12))


def joined(*parts: str | tuple[str, int] | Make) -> Make:
    """Fixed texts, letters of an alphabet by their number, and what others make."""

    def make(random: Random) -> str:
        return "".join(
            part
            if isinstance(part, str)
            else some(random, *part)
            if isinstance(part, tuple)
            else part(random)
            for part in parts
        )

    return make


def one_of(*makers: Make) -> Make:
    return lambda random: random.choice(makers)(random)


MD5 = ("$1$", "$apr1$")
PASSWORD: Make = key("", WORD + "!%_.~-", 14)
NAME: Make = key("u", string.ascii_lowercase, 7)
HOST = "db.example.org"
DIGITS = string.digits
SCRAM = joined("4096:", (BASE64, 22), "==$", (BASE64, 43), "=:", (BASE64, 43), "=")
