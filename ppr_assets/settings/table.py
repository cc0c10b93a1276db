"""Every variable the project reads, in the order in which the README shows them.

The one place for a name and its default. Nothing here reads the environment: ``settings`` does.
"""

from __future__ import annotations

from typing import Any

from ppr_assets.settings import git_kinds, kinds, schedule_kinds
from ppr_assets.settings.variable import Variable

NONE = "none"
REQUIRED = "required"
_YES_OR_NO = "one of true, false, 1, 0, yes, no, on, off"
_KEEP = "`all`, or a whole number from 0"
_SECONDS = "a number of seconds above 0 and at most 86400"

POSTGRES_HOST = Variable(
    "POSTGRES_HOST",
    "db",
    kinds.host,
    "a host name, an address or a socket folder",
    "the database server; an absolute path is the folder of its socket",
)
POSTGRES_PORT = Variable(
    "POSTGRES_PORT", "5432", kinds.port, "a port from 1 to 65535", "the server's port"
)
POSTGRES_USER = Variable(
    "POSTGRES_USER",
    "pantry_pirate_radio",
    kinds.line,
    "a role's name on one line",
    "the role that reads every table",
)
POSTGRES_DB = Variable(
    "POSTGRES_DB",
    "pantry_pirate_radio",
    kinds.database,
    "a database's name, not a connection string",
    "the database to dump",
)
POSTGRES_SSLMODE = Variable(
    "POSTGRES_SSLMODE",
    NONE,
    kinds.sslmode,
    "one of disable, allow, prefer, require, verify-ca, verify-full",
    "libpq's sslmode, passed through",
)
POSTGRES_SSLROOTCERT = Variable(
    "POSTGRES_SSLROOTCERT",
    NONE,
    kinds.root_certificate,
    "a file with certificates, or `system`",
    "whom to trust where POSTGRES_SSLMODE is verify-ca or verify-full; without it libpq looks "
    "into `~/.postgresql/root.crt` by itself",
)
POSTGRES_SSLCERT = Variable(
    "POSTGRES_SSLCERT",
    NONE,
    kinds.folder,
    "a file with a certificate",
    "the role's own certificate, for a server that asks for one",
)
POSTGRES_SSLKEY = Variable(
    "POSTGRES_SSLKEY",
    NONE,
    kinds.folder,
    "a file with a private key",
    "the key of POSTGRES_SSLCERT",
)
POSTGRES_PASSWORD = Variable(
    "POSTGRES_PASSWORD",
    REQUIRED,
    kinds.line,
    "a password on one line",
    "the role's password; empty only if set so explicitly, for a trusting local server",
    secret=True,
)
POSTGRES_PASSWORD_FILE = Variable(
    "POSTGRES_PASSWORD_FILE",
    NONE,
    kinds.folder,
    "a readable file with the password on its only line",
    "a file that holds the password, instead of POSTGRES_PASSWORD",
)
PPR_DIRECT_HOST = Variable(
    "PPR_DIRECT_HOST",
    NONE,
    kinds.host,
    "a host name, an address or a socket folder",
    "where POSTGRES_HOST is a pooler: the server itself; every session of ours goes there",
)
PPR_DIRECT_PORT = Variable(
    "PPR_DIRECT_PORT",
    NONE,
    kinds.port,
    "a port from 1 to 65535",
    "the server's own port, where it is another one than the pooler's; 5432 if only "
    "PPR_DIRECT_HOST is set",
)
DATA_REPO_PATH = Variable(
    "DATA_REPO_PATH", "/data-repo", kinds.folder, "a folder", "the clone of the data repository"
)
DATA_REPO_URL = Variable(
    "DATA_REPO_URL",
    NONE,
    git_kinds.git_url,
    "a URL or path git can clone, without credentials",
    "where a missing clone is made from",
)
DATA_REPO_BRANCH = Variable(
    "DATA_REPO_BRANCH",
    "main",
    git_kinds.branch,
    "a branch name that git accepts",
    "the branch that dumps are committed to",
)
DATA_REPO_TOKEN = Variable(
    "DATA_REPO_TOKEN",
    NONE,
    kinds.token,
    "one word",
    "the token to fetch and push with; goes only through git's credential mechanism",
    secret=True,
)
DATA_REPO_TIMEOUT_SECONDS = Variable(
    "DATA_REPO_TIMEOUT_SECONDS", "600", kinds.seconds, _SECONDS, "the time limit of one git call"
)
DATA_REPO_WARN_GB = Variable(
    "DATA_REPO_WARN_GB",
    "5",
    kinds.gigabytes,
    "a number of gigabytes above 0",
    "the check `repo_size` warns from this size of the clone on",
)
DATA_REPO_MAX_GB = Variable(
    "DATA_REPO_MAX_GB",
    "10",
    kinds.gigabytes,
    "a number of gigabytes above 0",
    "the check `repo_size` fails from this size of the clone on",
)
SQL_DUMP_DIR = Variable(
    "SQL_DUMP_DIR",
    "./sql_dumps",
    kinds.line,
    "a folder inside DATA_REPO_PATH, other than its root and `.git`, without `..`",
    "where the dumps lie, relative to DATA_REPO_PATH",
)
SQL_DUMP_MIN_RECORDS = Variable(
    "SQL_DUMP_MIN_RECORDS",
    "100",
    kinds.count_of_records,
    "a whole number of at least 1",
    "the floor: a dump with fewer organizations is refused",
)
SQL_DUMP_RATCHET_PERCENTAGE = Variable(
    "SQL_DUMP_RATCHET_PERCENTAGE",
    "0.9",
    kinds.share,
    "a number above 0 and at most 1",
    "the ratchet: a table with fewer than this share of its mark is refused",
)
SQL_DUMP_RATCHET_TABLES = Variable(
    "SQL_DUMP_RATCHET_TABLES",
    "organization,location,service",
    kinds.table_names,
    "`all`, or table names separated by commas",
    "the tables that the ratchet judges; organization always is one",
)
SQL_DUMP_STALL_SECONDS = Variable(
    "SQL_DUMP_STALL_SECONDS",
    "300",
    kinds.seconds,
    _SECONDS,
    "how long pg_dump may write nothing, a table stay locked, or the server not answer, before the "
    "run is given up",
)
SQL_DUMP_PROOF = Variable(
    "SQL_DUMP_PROOF",
    "server",
    kinds.proof,
    "one of server, embedded, elsewhere, off",
    "where each dump is restored before it is published: beside the database (an embedded server "
    "steps in where the role may not create databases), on an embedded server, on the server of "
    "PPR_PROOF_HOST, or nowhere",
)
SQL_DUMP_PROOF_WITHOUT = Variable(
    "SQL_DUMP_PROOF_WITHOUT",
    NONE,
    kinds.left_out,
    "kinds of objects, or objects, separated by commas (`event trigger, extension pg_cron`); none "
    "that hold rows",
    "what a proof or a restore may go without where its role or server cannot make it; manifest "
    "and commit name what it was",
)
SQL_DUMP_SEARCH_PATH = Variable(
    "SQL_DUMP_SEARCH_PATH",
    NONE,
    kinds.schemas,
    "names of schemas separated by commas, none that begins with `pg_`",
    "written into dumps in the place of pg_dump's empty search path, for functions that call "
    "others without their schema and cannot be changed",
)
PPR_PROOF_HOST = Variable(
    "PPR_PROOF_HOST",
    NONE,
    kinds.host,
    "a host name, an address or a socket folder",
    "with SQL_DUMP_PROOF=elsewhere: the server on which dumps are proven",
)
PPR_PROOF_PORT = Variable(
    "PPR_PROOF_PORT", "5432", kinds.port, "a port from 1 to 65535", "that server's port"
)
PPR_PROOF_USER = Variable(
    "PPR_PROOF_USER",
    "postgres",
    kinds.line,
    "a role's name on one line",
    "the role that makes, fills and drops scratch databases there",
)
PPR_PROOF_DB = Variable(
    "PPR_PROOF_DB",
    "postgres",
    kinds.database,
    "a database's name, not a connection string",
    "a database there that the role may enter; nothing is written to it",
)
PPR_PROOF_SSLMODE = Variable(
    "PPR_PROOF_SSLMODE",
    NONE,
    kinds.sslmode,
    "one of disable, allow, prefer, require, verify-ca, verify-full",
    "libpq's sslmode for that server",
)
PPR_PROOF_PASSWORD = Variable(
    "PPR_PROOF_PASSWORD",
    NONE,
    kinds.line,
    "a password on one line",
    "that role's password; empty only for a trusting local server",
    secret=True,
)
PPR_PROOF_PASSWORD_FILE = Variable(
    "PPR_PROOF_PASSWORD_FILE",
    NONE,
    kinds.folder,
    "a readable file with the password on its only line",
    "a file that holds it, instead of PPR_PROOF_PASSWORD",
)
SQL_DUMP_MAX_FILE_MB = Variable(
    "SQL_DUMP_MAX_FILE_MB",
    "95",
    kinds.megabytes,
    "a number of megabytes, or 0 for no limit",
    "the largest file that is committed; a larger dump is cut into parts (GitHub refuses files "
    "over 100 MB)",
)
SQL_DUMP_KEEP_LAST = Variable(
    "SQL_DUMP_KEEP_LAST",
    "7",
    kinds.keep,
    _KEEP,
    "how many of the last dumps stay in the folder, `all` for every one; what no rule keeps "
    "retires into the history, where it can be restored from",
)
SQL_DUMP_KEEP_DAILY = Variable(
    "SQL_DUMP_KEEP_DAILY",
    "7",
    kinds.keep,
    _KEEP,
    "the newest dump of each of so many days (UTC) stays too",
)
SQL_DUMP_KEEP_WEEKLY = Variable(
    "SQL_DUMP_KEEP_WEEKLY",
    "4",
    kinds.keep,
    _KEEP,
    "the newest dump of each of so many weeks, Monday to Sunday, stays too",
)
SQL_DUMP_KEEP_MONTHLY = Variable(
    "SQL_DUMP_KEEP_MONTHLY",
    "12",
    kinds.keep,
    _KEEP,
    "the newest dump of each of so many months stays too",
)
SQL_DUMP_KEEP_YEARLY = Variable(
    "SQL_DUMP_KEEP_YEARLY",
    "0",
    kinds.keep,
    _KEEP,
    "the newest dump of each of so many years stays too",
)
ALLOW_EMPTY_SQL_DUMP = Variable(
    "ALLOW_EMPTY_SQL_DUMP",
    "false",
    kinds.boolean,
    _YES_OR_NO,
    "the override from outside: publishes what floor or ratchet refused, and records that",
)
SQL_DUMP_CRON = Variable(
    "SQL_DUMP_CRON",
    "0 2 * * *",
    schedule_kinds.cron,
    "five cron fields: minute, hour, day, month, weekday",
    "when the nightly run starts",
)
SQL_DUMP_TIMEZONE = Variable(
    "SQL_DUMP_TIMEZONE",
    "UTC",
    schedule_kinds.timezone,
    "a time zone such as `UTC` or `America/New_York`",
    "the time zone of SQL_DUMP_CRON; names of dumps are in UTC always",
)
PUBLISHER_PUSH_ENABLED = Variable(
    "PUBLISHER_PUSH_ENABLED",
    "false",
    kinds.boolean,
    _YES_OR_NO,
    "commit always, push only when true",
)
GIT_USER_NAME = Variable(
    "GIT_USER_NAME",
    "Pantry Pirate Radio Publisher",
    git_kinds.person,
    "a name on one line without `<` and `>`",
    "the author of the commits",
)
GIT_USER_EMAIL = Variable(
    "GIT_USER_EMAIL",
    "pantry-pirate-radio@example.com",
    git_kinds.person,
    "an address on one line without `<` and `>`",
    "the author's address",
)
SKIP_DB_INIT = Variable(
    "SKIP_DB_INIT", "false", kinds.boolean, _YES_OR_NO, "leave the database as it is at the start"
)
DB_INIT_DAYS_TO_SYNC = Variable(
    "DB_INIT_DAYS_TO_SYNC",
    "90",
    kinds.days,
    "a whole number of days from 1 to 36500",
    "days that a replay reads",
)
TESTING = Variable(
    "TESTING",
    "false",
    kinds.boolean,
    _YES_OR_NO,
    "restores go to an isolated test database, never to POSTGRES_DB",
)
DAGSTER_HOME = Variable(
    "DAGSTER_HOME",
    NONE,
    kinds.absolute_folder,
    "an absolute folder",
    "Dagster's own folder: dagster.yaml, and its storage unless that is PostgreSQL",
)
DAGSTER_POSTGRES_URL = Variable(
    "DAGSTER_POSTGRES_URL",
    NONE,
    kinds.postgres_url,
    "a URL that starts with postgresql:// or postgresql+psycopg2://",
    "the database of Dagster's own storage",
    secret=True,
)

PPR_ASSETS_ENV_FILE = Variable(
    "PPR_ASSETS_ENV_FILE",
    ".env",
    kinds.folder,
    "a file of NAME=value lines",
    "the file that these variables are read from besides the environment; --env-file goes first",
)

VARIABLES: tuple[Variable[Any], ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Variable)
)
