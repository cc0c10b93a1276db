"""What a dump must be to be published, and which dumps stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from ppr_assets.errors import SettingsError
from ppr_assets.settings import table
from ppr_assets.settings.database import DatabaseSettings


@dataclass(frozen=True)
class KeepSettings:
    """How many dumps each keep rule leaves in the folder; None: all that it finds."""

    last: int | None
    daily: int | None
    weekly: int | None
    monthly: int | None
    yearly: int | None

    @classmethod
    def read(cls, values: Mapping[str, str]) -> KeepSettings:
        keep = cls(
            last=table.SQL_DUMP_KEEP_LAST.read(values),
            daily=table.SQL_DUMP_KEEP_DAILY.read(values),
            weekly=table.SQL_DUMP_KEEP_WEEKLY.read(values),
            monthly=table.SQL_DUMP_KEEP_MONTHLY.read(values),
            yearly=table.SQL_DUMP_KEEP_YEARLY.read(values),
        )
        if not any(count is None or count for count in vars(keep).values()):
            raise SettingsError(
                "SQL_DUMP_KEEP_LAST, _DAILY, _WEEKLY, _MONTHLY and _YEARLY are all 0, at least one "
                "must keep something",
                hint="To keep every dump in the folder, set SQL_DUMP_KEEP_LAST=all.",
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

    min_records: int
    percentage: Decimal
    ratchet_tables: tuple[str, ...] | None
    allow_empty: bool
    stall_seconds: float
    proof: str
    keep: KeepSettings
    max_file_bytes: int | None
    proof_server: DatabaseSettings | None = None
    proof_without: tuple[str, ...] = ()
    search_path: tuple[str, ...] = ()

    @classmethod
    def read(cls, values: Mapping[str, str]) -> DumpSettings:
        return cls(
            min_records=table.SQL_DUMP_MIN_RECORDS.read(values),
            percentage=table.SQL_DUMP_RATCHET_PERCENTAGE.read(values),
            ratchet_tables=table.SQL_DUMP_RATCHET_TABLES.read(values),
            allow_empty=table.ALLOW_EMPTY_SQL_DUMP.read(values),
            stall_seconds=table.SQL_DUMP_STALL_SECONDS.read(values),
            proof=table.SQL_DUMP_PROOF.read(values),
            keep=KeepSettings.read(values),
            max_file_bytes=_bytes(table.SQL_DUMP_MAX_FILE_MB.read(values)),
            proof_server=DatabaseSettings.read_proof(values),
            proof_without=table.SQL_DUMP_PROOF_WITHOUT.read_if_set(values) or (),
            search_path=table.SQL_DUMP_SEARCH_PATH.read_if_set(values) or (),
        )

    def require_proof_server(self) -> DatabaseSettings:
        """The server of PPR_PROOF_HOST. Raises SettingsError where it is not set."""
        if self.proof_server is None:
            raise SettingsError(
                "PPR_PROOF_HOST is not set, must be the server that dumps are proven on elsewhere",
                hint="set PPR_PROOF_HOST, _USER and _PASSWORD of a server of yours, whose role may "
                "make databases.",
            )
        return self.proof_server


def _bytes(megabytes: float | None) -> int | None:
    return None if megabytes is None else round(megabytes * 1_000_000)
