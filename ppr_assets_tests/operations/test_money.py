"""How money is written is a setting; dumps and restores have one of their own."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.demo.sample import fill
from ppr_assets.errors import PreconditionFailed
from ppr_assets.postgres import embedded
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.postgres.sessions.connection import connect
from ppr_assets.postgres.sessions.libpq import client_environment
from ppr_assets.settings import DatabaseSettings, child_environment
from ppr_assets_tests.fix_debian import missing
from ppr_assets_tests.fix_pgbouncer import Pooled
from ppr_assets_tests.fix_postgres import passable_folder
from ppr_assets_tests.fix_restore import NAMES, RestoreBy, Target, make_dump
from ppr_assets_tests.places import ROOT

GERMAN = "de_DE.UTF-8"
DONATIONS = """
CREATE DOMAIN public.euro AS money;
CREATE TABLE public.donation (id int PRIMARY KEY, amount money, paid public.euro[],
  CHECK (amount > '-1000.5'::money));
INSERT INTO public.donation VALUES (1, '1234.56', '{1.5,-2.25}'), (2, '-7', NULL);
CREATE VIEW public.large AS SELECT id FROM public.donation WHERE amount > '1000.25'::money;
"""


@pytest.fixture(scope="module")
def german_server() -> Iterator[embedded.EmbeddedServer]:
    """A server with a locale that writes 1234.56 as ``1.234,56 €``."""
    folder = passable_folder()
    locales = folder / "locales"
    locales.mkdir()
    if shutil.which("localedef") is None or not Path("/usr/share/i18n/locales/de_DE").exists():
        missing("no definitions of locales", "locales")
    subprocess.run(
        ["localedef", "--no-archive", "-i", "de_DE", "-f", "UTF-8", str(locales / GERMAN)],
        check=True,
        capture_output=True,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCPATH", str(locales))
        server = embedded.start(folder / "postgres")
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def donations(german_server: embedded.EmbeddedServer) -> Iterator[DatabaseSettings]:
    german_server.create_database("donations")
    database = german_server.database_settings("donations")
    fill(database, organizations=5, published_only=True)
    with connect(database, autocommit=True) as session:
        session.execute(DONATIONS.encode())
    yield database
    with connect(replace(database, dbname="postgres"), autocommit=True) as session:
        session.execute("DROP DATABASE donations WITH (FORCE)")


def _make_german(database: DatabaseSettings) -> None:
    with connect(database, autocommit=True) as session:
        session.execute(f"ALTER DATABASE donations SET lc_monetary TO '{GERMAN}'".encode())


@pytest.mark.parametrize("way", ["aside", "with psql", "in place"])
def test_a_dump_of_money_has_the_same_bytes_and_restores_whatever_is_set(
    way: str, donations: DatabaseSettings, tmp_path: Path, restore_by: RestoreBy
) -> None:
    plain = make_dump(donations, tmp_path / NAMES[0])
    _make_german(donations)
    german = make_dump(donations, tmp_path / NAMES[1])
    assert german.sql == plain.sql
    assert b"1\t$1,234.56\t{$1.50,-$2.25}" in german.sql

    with connect(donations, autocommit=True) as session:
        session.execute("UPDATE public.donation SET amount = amount * 2")
    outcome = restore_by(way, donations, german.found(tmp_path))
    assert outcome.tables == german.manifest.tables
    with connect(donations) as session:
        rows = session.execute("SELECT amount::numeric FROM public.donation ORDER BY id").fetchall()
        assert [float(amount) for (amount,) in rows] == [1234.56, -7]
    Target(donations).drop_formers()


def test_psql_by_hand_needs_what_the_guide_says(
    donations: DatabaseSettings, tmp_path: Path
) -> None:
    dump = make_dump(donations, tmp_path / NAMES[0])
    said = (ROOT / "docs" / "restore.md").read_text()
    options = re.search(r'`PGOPTIONS="([^"]+)" psql -v ON_ERROR_STOP=1', said)
    assert options is not None
    _make_german(donations)
    with connect(donations, autocommit=True) as session:
        session.execute("DROP TABLE public.donation CASCADE; DROP DOMAIN public.euro")
    argv = [str(EMBEDDED_BIN / "psql"), "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f"]
    codes = [
        subprocess.run(
            [*argv, str(dump.path)],
            env=child_environment(client_environment(donations) | given),
            capture_output=True,
            check=False,
        ).returncode
        for given in ({}, {"PGOPTIONS": options.group(1)})
    ]
    assert codes == [3, 0]


def test_a_pooler_that_cannot_pass_that_on_is_told_where_there_is_money(
    donations: DatabaseSettings, pooled: Pooled, tmp_path: Path
) -> None:
    settings = pooled(donations)
    plain = make_dump(settings, tmp_path / NAMES[0])
    _make_german(donations)
    with pytest.raises(PreconditionFailed, match="lc_monetary would change what") as caught:
        make_dump(pooled(donations), tmp_path / NAMES[1])
    assert "PPR_DIRECT_HOST" in caught.value.hint
    with connect(donations, autocommit=True) as session:
        session.execute("DROP TABLE public.donation CASCADE")
        session.execute("DROP DOMAIN public.euro")
    without = make_dump(pooled(donations), tmp_path / NAMES[1])
    assert without.sql != plain.sql
