"""The PostgreSQL database, and who asks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from ppr_assets.errors import SettingsError
from ppr_assets.settings import table
from ppr_assets.settings.files import read_password
from ppr_assets.settings.secret import Secret
from ppr_assets.settings.variable import Variable


@dataclass(frozen=True)
class DatabaseSettings:
    """Where the database is and who asks; ``host`` may be the folder of a socket.

    ``patience_seconds`` is how long it may be silent before it counts as lost.
    ``named``: host and port that POSTGRES_HOST names, where PPR_DIRECT_HOST or _PORT leads past it.
    The last three fields are of a run's first session, which the others have to follow: the address
    that its host had, which server answered there, and whether that was through a pooler.
    """

    host: str
    port: int
    user: str
    dbname: str
    sslmode: str | None
    password: Secret | None
    patience_seconds: float = 300.0
    sslrootcert: str | None = None
    sslcert: str | None = None
    sslkey: str | None = None
    named: tuple[str, int] | None = None
    hostaddr: str | None = None
    server: str | None = None
    pooled: bool = False
    variables: str = "POSTGRES"
    """What the names of its variables begin with, for messages."""
    search_path: tuple[str, ...] = ()
    """Schemas that functions of the database have to be called with, see SQL_DUMP_SEARCH_PATH."""

    @classmethod
    def read(cls, values: Mapping[str, str]) -> DatabaseSettings:
        named = (table.POSTGRES_HOST.read(values), table.POSTGRES_PORT.read(values))
        host, port = _direct(values, named)
        return cls(
            host=host,
            port=port,
            user=table.POSTGRES_USER.read(values),
            dbname=table.POSTGRES_DB.read(values),
            sslmode=table.POSTGRES_SSLMODE.read_if_set(values),
            password=_password(values, table.POSTGRES_PASSWORD, table.POSTGRES_PASSWORD_FILE),
            patience_seconds=table.SQL_DUMP_STALL_SECONDS.read(values),
            search_path=table.SQL_DUMP_SEARCH_PATH.read_if_set(values) or (),
            sslrootcert=_path(table.POSTGRES_SSLROOTCERT.read_if_set(values)),
            sslcert=_path(table.POSTGRES_SSLCERT.read_if_set(values)),
            sslkey=_path(table.POSTGRES_SSLKEY.read_if_set(values)),
            named=named if (host, port) != named else None,
        )

    @classmethod
    def read_proof(cls, values: Mapping[str, str]) -> DatabaseSettings | None:
        """The server that dumps are proven on, None where no variable names one."""
        host = table.PPR_PROOF_HOST.read_if_set(values)
        if host is None:
            return None
        return cls(
            host=host,
            port=table.PPR_PROOF_PORT.read(values),
            user=table.PPR_PROOF_USER.read(values),
            dbname=table.PPR_PROOF_DB.read(values),
            sslmode=table.PPR_PROOF_SSLMODE.read_if_set(values),
            password=_password(values, table.PPR_PROOF_PASSWORD, table.PPR_PROOF_PASSWORD_FILE),
            patience_seconds=table.SQL_DUMP_STALL_SECONDS.read(values),
            variables="PPR_PROOF",
        )

    def require_password(self) -> Secret:
        """The password. Raises SettingsError when none is set, or an empty one for another host."""
        if self.password is None:
            raise SettingsError(
                f"{self.variables}_PASSWORD is not set, must be the password of role "
                f"`{self.user}` on `{self.host}`",
                hint=f"Set {self.variables}_PASSWORD or {self.variables}_PASSWORD_FILE, in the "
                "environment or .env.",
            )
        if not self.password and not self.is_local:
            raise SettingsError(
                f"{self.variables}_PASSWORD is empty, must be a password for host `{self.host}`",
                hint="Only a server on this machine may be asked without a password.",
            )
        return self.password

    @property
    def is_local(self) -> bool:
        """True for a socket folder, ``localhost`` and loopback addresses; asks no name server."""
        if self.host.startswith("/") or self.host.lower() == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def describe(self) -> str:
        """``user@host:port/dbname``, for messages; without the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{host}:{self.port}/{self.dbname}"


def _direct(values: Mapping[str, str], named: tuple[str, int]) -> tuple[str, int]:
    """Host and port of the server itself; a port alone is one on the host that is named."""
    host = table.PPR_DIRECT_HOST.read_if_set(values)
    port = table.PPR_DIRECT_PORT.read_if_set(values)
    if host is None:
        return (named[0], port or named[1])
    return (host, port or 5432)


def _path(value: Path | str | None) -> str | None:
    return None if value is None else str(value)


def _password(
    values: Mapping[str, str], password: Variable[str], password_file: Variable[Path]
) -> Secret | None:
    """None when not set. An empty password beside a file gives way to the file."""
    text = password.read_if_set(values)
    file = password_file.read_if_set(values)
    if text and file:
        raise SettingsError(
            f"{password.name} and {password_file.name} are both set, must be one of them"
        )
    if file:
        return Secret(read_password(file, password_file.name))
    return Secret(text or "") if password.name in values else None
