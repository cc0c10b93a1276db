"""What PostgreSQL and libpq accept: hosts, ports, names, lists of them; no connection strings."""

from __future__ import annotations

import re

from ppr_assets.settings.kinds import (
    UnusableValueError,
    folder,
    line,
    must_be,
    one_of,
    whole_number,
)

_HOLDING_ROWS = (
    "table",
    "table data",
    "materialized view",
    "sequence",
    "schema",
    "blob",
    "dependents",
)
_IDENTIFIER = r'(?:[a-z_][a-z0-9_]*|"(?:[^"]|"")+")'
_TABLE = re.compile(rf"{_IDENTIFIER}(?:\.{_IDENTIFIER})?")
_NEED_QUOTES = "Names with other than small letters, digits and _ need quotes."

role = line.named("a role's name on one line")
sslmode = one_of("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


@must_be("a host name, an address or a socket folder")
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


@must_be("a port from 1 to 65535")
def port(text: str) -> int:
    if text.startswith("tcp://"):
        raise UnusableValueError(
            "Kubernetes sets this for a Service of that name: rename the Service, or give the "
            "pod `enableServiceLinks: false`."
        )
    return whole_number(text, least=1, most=65_535)


@must_be("a database's name, not a connection string")
def database(text: str) -> str:
    """A plain name: libpq would read one with ``=`` or ``://`` as a whole connection string."""
    if "=" in line(text) or "://" in text:
        raise UnusableValueError(
            "Host, port and user have their own variables.", hidden=_may_hold_a_password(text)
        )
    return text


def _may_hold_a_password(connection_string: str) -> bool:
    return "@" in connection_string or "password" in connection_string


@must_be("a file with a certificate")
def certificate(text: str) -> str:
    return str(folder(text))


private_key = certificate.named("a file with a private key")


@must_be("a file with certificates, or `system`")
def root_certificate(text: str) -> str:
    """``system`` is libpq's word for the certificates that the machine trusts anyway."""
    return text if text == "system" else certificate(text)


@must_be("a URL that starts with postgresql:// or postgresql+psycopg2://")
def postgres_url(text: str) -> str:
    if not re.match(r"postgresql(\+psycopg2)?://", line(text)):
        raise UnusableValueError
    return text


@must_be("`all`, or table names separated by commas")
def table_names(text: str) -> tuple[str, ...] | None:
    """``all`` is None; otherwise names as in manifests: ``location``, ``other.t``, ``"My t"``."""
    if text.lower() == "all":
        return None
    names, rest = [], text
    while rest:
        found = _TABLE.match(rest)
        if found is None:
            raise UnusableValueError(_NEED_QUOTES)
        names.append(found.group().removeprefix("public."))
        rest = rest[found.end() :].lstrip()
        if rest and (not rest.startswith(",") or not rest[1:].strip()):
            raise UnusableValueError
        rest = rest[1:].lstrip()
    return tuple(dict.fromkeys(names))


@must_be("names of schemas separated by commas, none that begins with `pg_`")
def schemas(text: str) -> tuple[str, ...]:
    """Names, quoted where they have other than small letters, digits and _."""
    names = [item.strip() for item in line(text).split(",")]
    if not all(re.fullmatch(_IDENTIFIER, name) for name in names):
        raise UnusableValueError(_NEED_QUOTES)
    bare = tuple(name[1:-1].replace('""', '"') if name.startswith('"') else name for name in names)
    if any(name.startswith("pg_") for name in bare):
        raise UnusableValueError("PostgreSQL itself looks into pg_catalog first.")
    return bare


@must_be(
    "kinds of objects, or objects, separated by commas (`event trigger, extension pg_cron`); none "
    "that hold rows"
)
def left_out(text: str) -> tuple[str, ...]:
    """Kinds as pg_dump's comments have them, in small letters, or a kind and a name."""
    items = tuple(" ".join(item.split()) for item in line(text).split(","))
    for item in items:
        kind = item.lower()
        if not item or any(re.match(rf"{word}\b", kind) for word in _HOLDING_ROWS):
            raise UnusableValueError
    return items
