"""What a dump must be to be published, and which dumps stay."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Self

from ppr_assets.errors import SettingsError
from ppr_assets.settings import kinds, postgres_kinds
from ppr_assets.settings.database import DatabaseSettings, ProofServerSettings
from ppr_assets.settings.kinds import NAME_LETTERS
from ppr_assets.settings.variable import (
    NONE,
    optional,
    read_fields,
    several,
    variable,
    variables_of,
)


@dataclass(frozen=True)
class KeepSettings:
    """How many dumps each keep rule leaves in the folder; None: all that it finds."""

    last: int | None = variable(
        "SQL_DUMP_KEEP_LAST",
        "7",
        kinds.keep,
        "how many of the last dumps stay in the folder, `all` for every one; what no rule keeps "
        "retires into the history, where it can be restored from",
    )
    daily: int | None = variable(
        "SQL_DUMP_KEEP_DAILY",
        "7",
        kinds.keep,
        "the newest dump of each of so many days (UTC) stays too",
    )
    weekly: int | None = variable(
        "SQL_DUMP_KEEP_WEEKLY",
        "4",
        kinds.keep,
        "the newest dump of each of so many weeks, Monday to Sunday, stays too",
    )
    monthly: int | None = variable(
        "SQL_DUMP_KEEP_MONTHLY",
        "12",
        kinds.keep,
        "the newest dump of each of so many months stays too",
    )
    yearly: int | None = variable(
        "SQL_DUMP_KEEP_YEARLY",
        "0",
        kinds.keep,
        "the newest dump of each of so many years stays too",
    )

    @classmethod
    def read(cls, values: Mapping[str, str]) -> Self:
        keep = read_fields(cls, values)
        if not any(count is None or count for count in vars(keep).values()):
            last, *others = (one.name for one in variables_of(cls))
            *between, end = (f"_{name.rpartition('_')[2]}" for name in others)
            raise SettingsError(
                f"{last}, {', '.join(between)} and {end} are all 0, at least one must keep "
                "something",
                hint=f"To keep every dump in the folder, set {last}=all.",
            )
        return keep


@dataclass(frozen=True)
class DumpSettings:
    """What the gate asks of a dump; ``ratchet_tables`` None stands for every table. ``proof`` is
    where it has to restore before it is published: ``server``, ``embedded``, ``elsewhere`` (on
    ``proof_server``) or ``off``. ``keep`` says which dumps stay beside it.
    ``max_file_bytes``: the largest file of it, None without a limit. ``proof_without``: kinds of
    objects, or objects, that a proof may go without where they cannot be made. ``search_path``: the
    schemas of the dump's own, none for pg_dump's empty one."""

    min_records: int = variable(
        "SQL_DUMP_MIN_RECORDS",
        "100",
        kinds.count_of_records,
        "the floor: a dump with fewer organizations is refused",
    )
    percentage: Decimal = variable(
        "SQL_DUMP_RATCHET_PERCENTAGE",
        "0.9",
        kinds.share,
        "the ratchet: a table with fewer than this share of its mark is refused",
    )
    ratchet_tables: tuple[str, ...] | None = variable(
        "SQL_DUMP_RATCHET_TABLES",
        "organization,location,service",
        postgres_kinds.table_names,
        "the tables that the ratchet judges; organization is always one",
    )
    core_share: Decimal = variable(
        "SQL_DUMP_MIN_CORE_SHARE",
        "0.1",
        kinds.share_or_none,
        "where no mark holds them: a dump with fewer locations or services than this share of its "
        "organizations is refused, 0 for no such rule",
    )
    point_share: Decimal = variable(
        "SQL_DUMP_MAX_POINT_SHARE",
        "0.25",
        kinds.share,
        "a dump with more than this share of its locations on one point is refused",
    )
    allow_empty: bool = variable(
        "ALLOW_EMPTY_SQL_DUMP",
        "false",
        kinds.boolean,
        "the override from outside: publishes what floor or ratchet refused, and records that",
    )
    named_operator: str | None = optional(
        "PPR_OPERATOR",
        kinds.name,
        "the name of who decides, where --by or the Launchpad give none (not set: the account, "
        "USER@HOST); it is committed with what was decided, for everybody to read",
    )
    stall_seconds: float = variable(
        "SQL_DUMP_STALL_SECONDS",
        "300",
        kinds.seconds,
        "how long pg_dump may write nothing, a table stay locked, or the server not answer, before "
        "the run is given up",
    )
    proof: str = variable(
        "SQL_DUMP_PROOF",
        "server",
        kinds.one_of("server", "embedded", "elsewhere", "off"),
        "where each dump is restored before it is published: beside the database (an embedded "
        "server steps in where the role may not create databases), on an embedded server, on the "
        "server of PPR_PROOF_HOST, or nowhere",
    )
    keep: KeepSettings = field(default_factory=KeepSettings)
    max_file_bytes: int | None = variable(
        "SQL_DUMP_MAX_FILE_MB",
        "95",
        kinds.megabytes,
        "the largest file that is committed; a larger dump is cut into parts (GitHub refuses files "
        "over 100 MB)",
    )
    proof_server: DatabaseSettings | None = None
    proof_without: tuple[str, ...] = several(
        "SQL_DUMP_PROOF_WITHOUT",
        postgres_kinds.left_out,
        "what a proof or a restore may go without where its role or server cannot make it; "
        "manifest and commit name what it was",
    )
    policy_file: Path | None = variable(
        "SQL_DUMP_POLICY_FILE",
        NONE,
        kinds.absolute_file,
        "a file that says what is published, read in the place of `.publication.toml` in the dump "
        "folder; its decisions are then in nobody's history",
    )
    search_path: tuple[str, ...] = several(
        "SQL_DUMP_SEARCH_PATH",
        postgres_kinds.schemas,
        "written into dumps in the place of pg_dump's empty search path, for functions that call "
        "others without their schema and cannot be changed",
    )

    @classmethod
    def read(cls, values: Mapping[str, str]) -> DumpSettings:
        found = read_fields(cls, values)
        keep = KeepSettings.read(values)
        server = ProofServerSettings.read_if_set(values, patience_seconds=found.stall_seconds)
        return replace(found, keep=keep, proof_server=server)

    @property
    def operator(self) -> str:
        """Who decides: by name, or the account that this process runs as, told as one."""
        return self.named_operator or account()

    def require_proof_server(self) -> DatabaseSettings:
        """The server of PPR_PROOF_HOST. Raises SettingsError where it is not set."""
        if self.proof_server is None:
            raise SettingsError(
                "PPR_PROOF_HOST is not set, must be the server that dumps are proven on elsewhere",
                hint="set PPR_PROOF_HOST, _USER and _PASSWORD of a server of yours, whose role may "
                "make databases.",
            )
        return self.proof_server


def account() -> str:
    """``account USER@HOST``, so that nobody takes it for a person's name; of a long one what a
    name has room for."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user needs no entry in any list
        user = str(os.getuid())
    return f"account {user}@{socket.gethostname()}"[:NAME_LETTERS]
