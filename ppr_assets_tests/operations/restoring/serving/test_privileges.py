"""What roles may do with a restored database: said, and by wish as before."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.operations.restoring.in_place import restore_in_place
from ppr_assets.operations.restoring.replacing import Terms
from ppr_assets.operations.restoring.restore import RestoreOutcome, restore
from ppr_assets.postgres.client_tools import find_tool
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.settings import DatabaseSettings, child_environment
from ppr_assets_tests.fix_postgres import Databases
from ppr_assets_tests.fix_restore import NAMES, MadeDump, MakeTarget, Target, make_dump

GRANTS = """
GRANT SELECT, INSERT ON public.organization TO web;
GRANT SELECT ON public.location TO web WITH GRANT OPTION;
GRANT SELECT (id), UPDATE (name) ON public.service TO "Web Report";
GRANT SELECT ON public.service TO PUBLIC;
CREATE SEQUENCE public.ticket; GRANT USAGE ON SEQUENCE public.ticket TO web;
CREATE TYPE public.colour AS ENUM ('red'); REVOKE USAGE ON TYPE public.colour FROM PUBLIC;
CREATE FUNCTION public.twice(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2';
REVOKE EXECUTE ON FUNCTION public.twice FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.twice TO web;
CREATE SCHEMA private; GRANT USAGE ON SCHEMA private TO web;
CREATE VIEW private.names AS SELECT name FROM public.organization;
GRANT SELECT ON private.names TO web;
ALTER DEFAULT PRIVILEGES IN SCHEMA private GRANT SELECT ON TABLES TO web;
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO "Web Report";
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC;
SELECT pg_catalog.lo_create(4711); GRANT SELECT ON LARGE OBJECT 4711 TO web;
"""


@pytest.fixture
def roles(databases: Databases) -> Iterator[None]:
    """After those that have been granted something, so that they go when their databases have."""
    server = Target(databases.server.database_settings("postgres"))
    for role in ("web", '"Web Report"'):
        server.execute(f"CREATE ROLE {role} LOGIN")
    yield
    for role in ("web", '"Web Report"'):
        server.execute(f"DROP ROLE {role}")


@pytest.fixture
def granted(roles: None, make_target: MakeTarget, tmp_path: Path) -> Iterator[MakeTarget]:
    """Makes targets that are dropped before the roles are."""
    yield make_target
    for target in make_target.made:
        for name in [*target.beside(), target.settings.dbname]:
            target.execute(f"DROP DATABASE IF EXISTS {name}")


def given(database: DatabaseSettings) -> list[str]:
    """As pg_dump says it."""
    done = subprocess.run(
        [find_tool("pg_dump", 18).path, "--schema-only"],
        env=child_environment(client_environment(replace(database, user="postgres"))),
        check=True,
        capture_output=True,
        text=True,
    )
    return sorted(
        re.findall(r"^(?:GRANT|REVOKE|ALTER DEFAULT PRIVILEGES).*", done.stdout, re.MULTILINE)
    )


def run(target: Target, dump: MadeDump, folder: Path, **options: bool) -> RestoreOutcome:
    found = dump.found(folder)
    return restore(target.settings, found, Terms(**options), deadline=Deadline(60))  # type: ignore[arg-type]


def said(outcome: RestoreOutcome) -> list[str]:
    return [remark for remark in outcome.remarks if "privileges" in remark]


def test_lost_privileges_are_said_and_given_again_by_wish_also_afterwards(
    granted: MakeTarget, old_dump: MadeDump, tmp_path: Path
) -> None:
    target = granted(seed=None)
    run(target, old_dump, tmp_path)
    with connect(target.settings, autocommit=True) as owner:
        owner.execute(GRANTS.encode())
    wanted = given(target.settings)
    assert len(wanted) > 12

    first = run(target, old_dump, tmp_path)
    (lost,) = said(first)
    assert lost.startswith("privileges are not in a dump, so some are missing now: ")
    assert "web (" in lost and "--grants-from-former gives them again" in lost
    assert given(target.settings) == []

    second = run(target, old_dump, tmp_path, grants=True)
    (again,) = said(second)
    assert again.startswith("privileges given again: ")
    # of the objects that the dump has
    own = "ticket|colour|twice|private|4711"
    assert given(target.settings) == [one for one in wanted if not re.search(own, one)]
    target.execute("SET ROLE web; SELECT name FROM organization", target.settings.dbname)
    assert said(run(target, old_dump, tmp_path, grants=True))[0] == again, "from what serves now"


def test_every_kind_of_object_is_accessible_again_in_place(
    roles: None, owned: Target, tmp_path: Path, databases: Databases
) -> None:
    with connect(owned.settings, autocommit=True) as owner:
        owner.execute(GRANTS.encode())
    dump = make_dump(owned.settings, tmp_path / NAMES[0])
    wanted = given(owned.settings)

    found = dump.found(tmp_path)
    outcome = restore_in_place(owned.settings, found, Terms(grants=True), deadline=Deadline(60))
    assert given(owned.settings) == wanted
    assert said(outcome)[0].startswith("privileges given again: ")
    assert len(said(outcome)) == 1
    (lost,) = said(restore_in_place(owned.settings, found, deadline=Deadline(60)))
    assert lost.startswith("privileges are not in a dump")
    assert lost.endswith("no former database has them, --grants-from-former keeps them")
    databases.drop(owned.settings)


def test_what_cannot_be_given_is_named_and_no_reason_to_fail(
    granted: MakeTarget, new_dump: MadeDump, tmp_path: Path
) -> None:
    """Defaults of a role that the restoring one is no member of."""
    target = granted()
    name = target.settings.dbname
    target.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO web", name)
    target.execute("ALTER TABLE service OWNER TO web", name)
    outcome = run(target, new_dump, tmp_path, grants=True)
    given_again, refused = said(outcome)
    assert re.fullmatch(r"privileges given again: web \(.*DELETE.* of 1.*\)", given_again)
    assert refused == (
        "privileges that could not be given: SELECT on later tables of postgres for web: "
        "permission denied to change default privileges"
    )
