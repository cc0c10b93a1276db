"""The PostgreSQL database, who asks it, and the server that dumps are proven on elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address

from ppr_assets.errors import SettingsError
from ppr_assets.settings import postgres_kinds as kinds
from ppr_assets.settings.secret import Secret
from ppr_assets.settings.variable import (
    NONE,
    REQUIRED,
    optional,
    password_or_file,
    read_fields,
    variable,
    variable_of,
)


@dataclass(frozen=True)
class DirectSettings:
    """The way past a pooler to the server itself; a port alone is one on the host that is named."""

    host: str | None = optional(
        "PPR_DIRECT_HOST",
        kinds.host,
        "where POSTGRES_HOST is a pooler: the server itself; every session of ours goes there",
    )
    port: int | None = optional(
        "PPR_DIRECT_PORT",
        kinds.port,
        "the server's own port, where it is not the pooler's; 5432 if only PPR_DIRECT_HOST is set",
    )


@dataclass(frozen=True)
class DatabaseSettings:
    """Where the database is and who asks; ``host`` may be the folder of a socket.

    ``patience_seconds`` is how long it may be silent before it counts as lost.
    ``named``: host and port that POSTGRES_HOST names, where PPR_DIRECT_HOST or _PORT leads past it.
    ``hostaddr``, ``server`` and ``pooled`` are of a run's first session, which the others have to
    follow: the address that its host had, which server answered there, and whether that was
    through a pooler.
    """

    host: str = variable(
        "POSTGRES_HOST",
        "db",
        kinds.host,
        "the database server; an absolute path is the folder of its socket",
    )
    port: int = variable("POSTGRES_PORT", "5432", kinds.port, "the server's port")
    user: str = variable(
        "POSTGRES_USER", "pantry_pirate_radio", kinds.role, "the role that reads every table"
    )
    dbname: str = variable(
        "POSTGRES_DB", "pantry_pirate_radio", kinds.database, "the database to dump"
    )
    sslmode: str | None = optional(
        "POSTGRES_SSLMODE", kinds.sslmode, "libpq's sslmode, passed through"
    )
    password: Secret | None = password_or_file(
        "POSTGRES_PASSWORD",
        REQUIRED,
        "the role's password; empty only if set so explicitly, for a trusting local server",
        in_file="a file that holds the password, instead of POSTGRES_PASSWORD",
    )
    patience_seconds: float = 300.0
    sslrootcert: str | None = optional(
        "POSTGRES_SSLROOTCERT",
        kinds.root_certificate,
        "whom to trust where POSTGRES_SSLMODE is verify-ca or verify-full; without it libpq looks "
        "into `~/.postgresql/root.crt` by itself",
    )
    sslcert: str | None = optional(
        "POSTGRES_SSLCERT",
        kinds.certificate,
        "the role's own certificate, for a server that asks for one",
    )
    sslkey: str | None = optional(
        "POSTGRES_SSLKEY", kinds.private_key, "the key of POSTGRES_SSLCERT"
    )
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
        own = read_fields(cls, values)
        direct = read_fields(DirectSettings, values)
        host = direct.host or own.host
        port = direct.port or (5432 if direct.host else own.port)
        named = None if (host, port) == (own.host, own.port) else (own.host, own.port)
        return replace(own, host=host, port=port, named=named)

    def require_password(self) -> Secret:
        """The password. Raises SettingsError when none is set, or an empty one for another host."""
        name = f"{self.variables}_PASSWORD"
        if self.password is None:
            raise SettingsError(
                f"{name} is not set, must be the password of role `{self.user}` on `{self.host}`",
                hint=f"Set {name} or {name}_FILE, in the environment or .env.",
            )
        if not self.password and not self.is_local:
            raise SettingsError(
                f"{name} is empty, must be a password for host `{self.host}`",
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


@dataclass(frozen=True)
class ProofServerSettings(DatabaseSettings):
    """The server that dumps are proven on where that is another one."""

    host: str = variable(
        "PPR_PROOF_HOST",
        NONE,
        kinds.host,
        "with SQL_DUMP_PROOF=elsewhere: the server on which dumps are proven",
    )
    port: int = variable("PPR_PROOF_PORT", "5432", kinds.port, "that server's port")
    user: str = variable(
        "PPR_PROOF_USER",
        "postgres",
        kinds.role,
        "the role that makes, fills and drops scratch databases there",
    )
    dbname: str = variable(
        "PPR_PROOF_DB",
        "postgres",
        kinds.database,
        "a database there that the role may enter; nothing is written to it",
    )
    sslmode: str | None = optional(
        "PPR_PROOF_SSLMODE", kinds.sslmode, "libpq's sslmode for that server"
    )
    password: Secret | None = password_or_file(
        "PPR_PROOF_PASSWORD",
        NONE,
        "that role's password; empty only for a trusting local server",
        in_file="a file that holds it, instead of PPR_PROOF_PASSWORD",
    )
    sslrootcert: str | None = None
    sslcert: str | None = None
    sslkey: str | None = None
    variables: str = "PPR_PROOF"

    @classmethod
    def read_if_set(
        cls, values: Mapping[str, str], *, patience_seconds: float
    ) -> ProofServerSettings | None:
        """None where no variable names one."""
        host = variable_of(cls, "host").text(values)
        return read_fields(cls, values, patience_seconds=patience_seconds) if host else None
