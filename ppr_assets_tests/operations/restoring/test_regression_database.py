"""PostgreSQL's own regression database, with objects of nearly every kind that there is.

Debian's packages of the server lack its sources. ``PPR_REGRESS`` names the folder src/test/regress
of the server's own source package, with ``regress.so`` built there: docs/contributing.md says how.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ppr_assets.deadline import Deadline
from ppr_assets.operations.restoring.restore import restore
from ppr_assets.operations.sources.shelf import found_dump
from ppr_assets.operations.sources.wanted import Wanted
from ppr_assets.postgres.embedded.accounts import account_for
from ppr_assets.settings import DatabaseSettings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_debian import DebianServer, debian_cluster
from ppr_assets_tests.fix_nasty import fill_core
from ppr_assets_tests.fix_pipeline import Pipeline
from ppr_assets_tests.fix_restore import but_for_words

SOURCES = Path(os.environ.get("PPR_REGRESS") or "PPR_REGRESS is not set")

pytestmark = pytest.mark.skipif(
    not (SOURCES / "regress.so").exists(),
    reason=f"no regress.so and tests of PostgreSQL ({SOURCES}): see docs/contributing.md",
)


def _run_tests_of_postgresql(server: DebianServer) -> None:
    """Its own program runs its own tests, which leave their objects in database regression, whose
    locale it sets to C. Some may fail, as on a server of another locale; their objects are there
    all the same."""
    folder = server.socket_dir / "regress"
    shutil.copytree(SOURCES, folder)
    library = server.bin.parent / "lib"
    for name in ("autoinc.so", "refint.so"):
        shutil.copy(library / name, folder)
    argv = [str(library / "pgxs/src/test/regress/pg_regress"), "--schedule=parallel_schedule"]
    argv += ["--inputdir=.", "--outputdir=out", f"--dlpath={folder}", f"--bindir={server.bin}"]
    argv += [f"--host={server.socket_dir}", "--user=postgres", "--max-connections=4"]
    account = account_for(folder / "new")
    if account is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.uid, account.gid)
    subprocess.run(
        account.command(argv) if account else argv,
        cwd=folder,
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **(account.privileges() if account else {}),
    )


@pytest.fixture
def regression(monkeypatch: pytest.MonkeyPatch) -> Iterator[DatabaseSettings]:
    """On a server of its own: the tests leave roles behind."""
    with debian_cluster() as server:
        monkeypatch.setenv("PATH", f"{server.bin}{os.pathsep}{os.environ['PATH']}")
        _run_tests_of_postgresql(server)
        database = server.database_settings("regression")
        fill_core(database)
        yield database


def test_the_regression_database_is_proven_published_and_restored(
    regression: DatabaseSettings, pipeline: Pipeline
) -> None:
    with connect(regression) as session:
        query = "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND oid > 16384"
        tables = session.execute(query).fetchone()
    assert tables is not None and tables[0] > 530
    pipeline.settings = replace(pipeline.settings, database=regression)
    pipeline.gate(proof="server")
    _, published = pipeline.first_night()
    assert published.status == "published"
    assert pipeline.night()[0].status == "unchanged"
    target = replace(regression, dbname="again")
    with found_dump(pipeline.settings.data_repo, Wanted()) as found:
        outcome = restore(target, found, deadline=Deadline(None))
    assert outcome.manifest is not None
    assert outcome.tables == outcome.manifest.tables
    remarks = [one for one in but_for_words(outcome.remarks) if " is set to C " not in one]
    (stale,) = remarks  # which the tests of materialized views leave so
    assert stale.startswith("materialized view mvtest_bb holds other rows")
