"""What a variable's text may be: one function for each kind, from text to typed value.

Pure text in, value out, so that every rule can be tested without an environment. Each raises
:class:`UnusableValueError`; naming the variable and its value is the business of ``variable.py``.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})
_DAY_SECONDS = 86_400.0
_PROOFS = ("server", "embedded", "elsewhere", "off")
_HOLDING_ROWS = ("table", "table data", "materialized view", "sequence", "schema", "blob")
_SSLMODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_IDENTIFIER = r'(?:[a-z_][a-z0-9_]*|"(?:[^"]|"")+")'
_TABLE = re.compile(rf"{_IDENTIFIER}(?:\.{_IDENTIFIER})?")


class UnusableValueError(Exception):
    """The text is not of this kind; ``hint`` is the way out, where there is one to give.

    ``hidden`` says that the text may hold a secret and must not be shown.
    """

    def __init__(self, hint: str = "", *, hidden: bool = False) -> None:
        super().__init__(hint)
        self.hint = hint
        self.hidden = hidden


def boolean(text: str) -> bool:
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise UnusableValueError
    return word in _TRUE


def whole_number(text: str, *, least: int, most: int) -> int:
    """Digits only: no sign, no ``1_000``, no digits of other scripts."""
    if not re.fullmatch(r"[0-9]{1,18}", text) or not least <= int(text) <= most:
        raise UnusableValueError
    return int(text)


def port(text: str) -> int:
    if text.startswith("tcp://"):
        raise UnusableValueError(
            "Kubernetes sets this for a Service of that name: rename the Service, or give the "
            "pod `enableServiceLinks: false`."
        )
    return whole_number(text, least=1, most=65_535)


def count_of_records(text: str) -> int:
    if re.fullmatch(r"0+", text):
        raise UnusableValueError(
            "The floor cannot be taken away for good. To publish once whatever was counted, set "
            "ALLOW_EMPTY_SQL_DUMP=true."
        )
    return whole_number(text, least=1, most=10**15)


def days(text: str) -> int:
    return whole_number(text, least=1, most=36_500)


def keep(text: str) -> int | None:
    """How many dumps a keep rule keeps; ``all`` is None."""
    return None if text.lower() == "all" else whole_number(text, least=0, most=100_000)


def share(text: str) -> Decimal:
    """A share of one, kept as the decimal that was written: 0.9 as a float is not nine tenths."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]*)?|\.[0-9]+", text):
        raise UnusableValueError
    number = Decimal(text)
    if 1 < number <= 100:
        raise UnusableValueError(f"For {text} % write {(number / 100).normalize():f}.")
    if not 0 < number <= 1:
        raise UnusableValueError
    return number


def seconds(text: str) -> float:
    """A time limit; at most a day, since a longer one is none."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]*)?|\.[0-9]+", text):
        raise UnusableValueError
    number = float(text)
    if not 0 < number <= _DAY_SECONDS:
        raise UnusableValueError
    return number


def gigabytes(text: str) -> float:
    if not 0 < (number := _decimal(text)) < 1e6:
        raise UnusableValueError
    return number


def megabytes(text: str) -> float | None:
    """None for 0, which stands for no limit."""
    if not (number := _decimal(text)) < 1e9:
        raise UnusableValueError
    return number or None


def _decimal(text: str) -> float:
    """A number in the form in which everybody writes one: no sign, no exponent."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]*)?|\.[0-9]+", text):
        raise UnusableValueError
    return float(text)


def line(text: str) -> str:
    """Anything on one line."""
    if _CONTROL.search(text):
        raise UnusableValueError
    return text


def host(text: str) -> str:
    """No URL and no connection string, which may hold a password, and no port."""
    foreign = r"\s|://"
    if not text.startswith("/"):
        foreign += r"|[=\[\]]|.@|(?:^|,)[^:,]*:[^:,]*(?:,|$)"
    if re.search(foreign, line(text)):
        raise UnusableValueError(
            "Give the host alone; port, user and database have their variables.",
            hidden=_may_hold_a_password(text),
        )
    return text


def database(text: str) -> str:
    """A plain name: libpq would read one with ``=`` or ``://`` as a whole connection string."""
    if "=" in line(text) or "://" in text:
        raise UnusableValueError(
            "Host, port and user have their own variables.", hidden=_may_hold_a_password(text)
        )
    return text


def _may_hold_a_password(connection_string: str) -> bool:
    return "@" in connection_string or "password" in connection_string


def sslmode(text: str) -> str:
    if text not in _SSLMODES:
        raise UnusableValueError
    return text


def root_certificate(text: str) -> Path | str:
    """``system`` is libpq's word for the certificates that the machine trusts anyway."""
    return text if text == "system" else folder(text)


def proof(text: str) -> str:
    if text not in _PROOFS:
        raise UnusableValueError
    return text


def left_out(text: str) -> tuple[str, ...]:
    """Kinds as pg_dump's comments have them, in small letters, or a kind and a name."""
    items = tuple(" ".join(item.split()) for item in line(text).split(","))
    for item in items:
        kind = item.lower()
        if not item or any(re.match(rf"{word}\b", kind) for word in _HOLDING_ROWS):
            raise UnusableValueError
    return items


def schemas(text: str) -> tuple[str, ...]:
    """Names, quoted where they have other than small letters, digits and _."""
    names = []
    for item in line(text).split(","):
        if not re.fullmatch(_IDENTIFIER, item.strip()):
            raise UnusableValueError(
                "Names with other than small letters, digits and _ need quotes."
            )
        name = item.strip()
        names.append(name[1:-1].replace('""', '"') if name.startswith('"') else name)
    if any(name.startswith("pg_") for name in names):
        raise UnusableValueError("PostgreSQL itself looks into pg_catalog first.")
    return tuple(names)


def token(text: str) -> str:
    """One word: a blank or a line break is what a careless copy leaves behind."""
    if re.search(r"\s", line(text)):
        raise UnusableValueError("Was a line break or a blank copied with it?")
    return text


def folder(text: str) -> Path:
    """A folder, with ``~`` read as a shell would (a ``.env`` file is read by no shell)."""
    try:
        return Path(line(text)).expanduser().absolute()
    except RuntimeError as error:
        raise UnusableValueError("There is no home folder here: write the whole path.") from error


def absolute_folder(text: str) -> Path:
    if not text.startswith(("/", "~")):
        raise UnusableValueError
    return folder(text)


def table_names(text: str) -> tuple[str, ...] | None:
    """``all`` is None; otherwise names as in manifests: ``location``, ``other.t``, ``"My t"``."""
    if text.lower() == "all":
        return None
    names, rest = [], text
    while rest:
        found = _TABLE.match(rest)
        if found is None:
            raise UnusableValueError(
                "Names with other than small letters, digits and _ need quotes."
            )
        names.append(found.group().removeprefix("public."))
        rest = rest[found.end() :].lstrip()
        if rest and (not rest.startswith(",") or not rest[1:].strip()):
            raise UnusableValueError
        rest = rest[1:].lstrip()
    return tuple(dict.fromkeys(names))


def postgres_url(text: str) -> str:
    if not re.match(r"postgresql(\+psycopg2)?://", line(text)):
        raise UnusableValueError
    return text
