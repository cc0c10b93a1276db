"""A database, a clone and its bare remote together, and a picture of all that may not move."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
from msgspec.structs import replace

from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.operations.dumping.dump import DumpOutcome, dump
from ppr_assets.operations.publishing.gate import refusal
from ppr_assets.operations.publishing.publish import PublishOutcome, publish
from ppr_assets.postgres.embedded import EMBEDDED_BIN
from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.naming import dump_name
from ppr_assets.settings import DatabaseSettings, Settings
from ppr_assets_tests.application import administered, connect
from ppr_assets_tests.fix_git import GitWorld, git
from ppr_assets_tests.fix_postgres import Databases

ANN = "Ann Lee"
"""Who decides."""
RATCHET = "sql_dumps/.record_count_ratchet"

REAL_PG_DUMP = EMBEDDED_BIN / "pg_dump"
TELLS_ITS_VERSION = f'[ "$1" = --version ] && exec {REAL_PG_DUMP} --version'
"""The beginning of a fake pg_dump that is to be taken for the real one."""

_WORLD = "PPR_ASSETS_TEST_WORLD"
"""Set for every child of a test, which is how they are found again after their parent has died."""

_SETTLING_SECONDS = 60.0
T = TypeVar("T")


def settled(probe: Callable[[], T]) -> T:
    """The probe's answer once it is empty, or the last one: the kernel and the server need a moment
    to clear up behind what was killed."""
    deadline = time.monotonic() + _SETTLING_SECONDS
    while (answer := probe()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return answer


def wait_for_a_later_name(dump: str) -> None:
    """Until a dump that is made now has a later name: whoever does not know of this one would take
    its name, since a dump is named by its second, or by one of the next if that was taken."""
    while dump_name(datetime.now(UTC)) <= dump:
        time.sleep(0.02)


Night = tuple[DumpOutcome, PublishOutcome]


@dataclass
class FirstNights:
    """What the first night of a sample comes to and leaves, by how it is dumped and what hooks the
    remote has: each is made for the first test that asks for it, and copied for the others, for a
    tenth of the work. A world in which anything has happened before gets none: that test fails, and
    is to call ``night()``."""

    folder: Path
    databases: Databases
    before: GitWorld
    _kept: dict[object, tuple[Night, GitWorld]] = field(default_factory=dict)

    def give(self, pipeline: Pipeline) -> Night:
        self._require_nothing_happened(pipeline)
        template = self.databases.copied_from[pipeline.settings.database.dbname]
        world, hooks = GitWorld(pipeline.clone.parent), _files(pipeline.remote / "hooks")
        sample = template, pipeline.settings.dump, frozenset(hooks.items())
        if sample not in self._kept:
            night, kept = pipeline.night(), GitWorld(self.folder / str(len(self._kept)))
            for name in _REPOSITORIES:
                world.copy(name, kept.folder / name)
            self._kept[sample] = night, kept
            return night
        (dumped, published), kept = self._kept[sample]
        for name in _REPOSITORIES:
            shutil.rmtree(world.folder / name)
            kept.copy(name, world.folder / name)
        return replace(dumped, path=pipeline.staged / published.manifest.dump), published

    def _require_nothing_happened(self, pipeline: Pipeline) -> None:
        database = pipeline.settings.database
        with connect(dataclasses.replace(database, user="postgres")) as session:
            written = session.execute(_WRITTEN).fetchone()
        assert (pipeline.touched, written) == (False, (0,)), "the data have changed: call night()"
        made = Settings.from_environment(pipeline.variables, dotenv=None)
        assert pipeline.settings.data_repo == made.data_repo, "other settings: call night()"
        worlds = (self.before.folder, pipeline.clone.parent)
        for theirs, ours in (("publisher", "data-repo"), ("remote.git", "remote.git")):
            before, now = _files(worlds[0] / theirs, *worlds), _files(worlds[1] / ours, *worlds)
            assert before == now, "the repositories have changed: call night()"


def _files(folder: Path, *worlds: Path) -> dict[str, bytes]:
    """What is in each, wherever it is said to be; but for the hooks of a remote, and the index,
    which is made anew by every look."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "index" and path.parent != folder / "hooks":
            content = path.read_bytes()
            for world in worlds:
                content = content.replace(str(world).encode(), b"")
            found[str(path.relative_to(folder))] = content
    return found


_WRITTEN = """
SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::int
FROM pg_stat_all_tables JOIN pg_class ON pg_class.oid = relid
WHERE NOT relisshared AND schemaname <> 'pg_toast'
  AND pg_class.relname NOT IN ('pg_statistic', 'pg_statistic_ext_data')
"""
"""Since the database was copied, in its catalogs as well; not what the server's ANALYZE writes."""

_REPOSITORIES = ("remote.git", "data-repo")


def decided(reason: str | None) -> Override | None:
    """As somebody writes it into the Launchpad."""
    return Override(reason.strip(), "Launchpad", ANN) if reason and reason.strip() else None


@dataclass
class Pipeline:
    """One pipeline's world. ``settings`` may be replaced by a test."""

    settings: Settings
    clone: Path
    remote: Path
    variables: dict[str, str] = field(default_factory=dict)
    first_nights: FirstNights | None = None
    touched: bool = False
    """Whether its data have been changed."""

    @property
    def dumps(self) -> Path:
        return self.clone / "sql_dumps"

    @property
    def staged(self) -> Path:
        return self.clone / ".git" / "ppr_assets" / "staged"

    def night(self, override_reason: str | None = None) -> Night:
        """Dump and publish, as the job does: with one opening of the data repository. A refusal is
        raised."""
        given = decided(override_reason)
        with open_data_repo(self.settings.data_repo) as repo:
            dumped = dump(self.settings, repo, run_id="test-run", given=given)
            if dumped.status == "refused":
                raise refusal(dumped.verdict)
            published = publish(self.settings.dump, repo, run_id="test-run", given=given)
        if published.status == "refused" and published.verdict is not None:
            raise refusal(published.verdict)
        return dumped, published

    def first_night(self) -> Night:
        """:meth:`night` where nothing has happened yet, in less time: see :class:`FirstNights`."""
        assert self.first_nights is not None
        return self.first_nights.give(self)

    def picture(self) -> dict[str, object]:
        """Heads, the branch's files with their content, the folders' listings, git's status, and
        the processes and locks that are left."""
        return {
            "head": git(self.clone, "rev-parse", "--verify", "-q", "main"),
            "checked out": (self.clone / ".git" / "HEAD").read_text(),
            "remote": self.remote_head(),
            "tree": git(self.clone, "ls-tree", "-r", "main"),
            "listing": listing(self.dumps),
            "staged": listing(self.staged),
            "status": git(self.clone, "status", "--porcelain"),
            "children": settled(self.children),
            "locks": settled(self.advisory_locks),
        }

    def head(self) -> str:
        return git(self.clone, "rev-parse", "--verify", "-q", "main")

    def remote_head(self) -> str:
        return git(self.remote, "rev-parse", "--verify", "-q", "main")

    def mark(self, revision: str = "main") -> dict[str, Any]:
        """The ratchet file in the clone, parsed."""
        mark: dict[str, Any] = json.loads(git(self.clone, "show", f"{revision}:{RATCHET}"))
        return mark

    def latest(self, revision: str = "main") -> str:
        """The dump that latest.sql names."""
        return git(self.clone, "show", f"{revision}:sql_dumps/latest.sql")

    def clone_again(self, name: str) -> Path:
        """Another clone of the remote: somebody else's."""
        other = self.clone.parent / name
        git(self.remote.parent, "clone", "-q", str(self.remote), str(other))
        return other

    def elsewhere(self, path: Path) -> Pipeline:
        """The same database published from another clone, as on another machine."""
        other = dataclasses.replace(
            self, clone=path, variables=self.variables | {"DATA_REPO_PATH": str(path)}
        )
        other.repo(path=path)
        return other

    def execute(self, statement: str, *arguments: object) -> None:
        self.touched = True
        with connect(self.settings.database, autocommit=True) as session:
            session.execute(statement, arguments or None)

    def administer(self, statement: str) -> None:
        """As the server's superuser, in the pipeline's database."""
        database = self.settings.database
        with administered(database, database.dbname) as session:
            session.execute(statement)

    def count(self, table: str) -> int:
        with connect(self.settings.database) as session:
            row = session.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert row is not None
            return int(row[0])

    def change(self) -> None:
        """Change the data without changing any count."""
        self.execute("UPDATE language SET note = coalesce(note, '') || '+'")

    def lose_a_third(self) -> int:
        """What a scraper run gone wrong does; returns how many organizations are left."""
        self.execute(
            "DELETE FROM organization WHERE id IN (SELECT id FROM organization ORDER BY id LIMIT "
            "(SELECT count(*) / 3 FROM organization))"
        )
        return self.count("organization")

    def gate(self, **changes: object) -> None:
        """Change the dump's settings: ``min_records``, ``percentage``, ``stall_seconds`` …"""
        changed = dataclasses.replace(self.settings.dump, **changes)  # type: ignore[arg-type]
        self.settings = dataclasses.replace(self.settings, dump=changed)

    def repo(self, **changes: object) -> None:
        """Change the data repository's settings: ``push_enabled``, ``timeout_seconds`` …"""
        changed = dataclasses.replace(self.settings.data_repo, **changes)  # type: ignore[arg-type]
        self.settings = dataclasses.replace(self.settings, data_repo=changed)

    def children(self) -> list[str]:
        """Processes that this test's runs have started and that still live, orphans included."""
        world = str(self.clone.parent)
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(_WORLD) == world and process.pid != os.getpid():
                    found.append(process.name())
        return found

    def advisory_locks(self) -> int:
        with administered(self.settings.database) as session:
            row = session.execute(
                "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
                "WHERE locktype = 'advisory' AND datname = %s",
                [self.settings.database.dbname],
            ).fetchone()
            assert row is not None
            return int(row[0])


def listing(folder: Path) -> list[str]:
    """Everything in a folder, hidden files included; nothing where there is no folder."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture(scope="session")
def first_nights(
    tmp_path_factory: pytest.TempPathFactory, databases: Databases, git_world: GitWorld
) -> FirstNights:
    """See :class:`FirstNights`."""
    return FirstNights(tmp_path_factory.mktemp("first-nights"), databases, git_world)


@pytest.fixture
def pipeline(
    database: DatabaseSettings,
    first_nights: FirstNights,
    tmp_path: Path,
    bare_remote: Path,
    git_world: GitWorld,
    nobody_else: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Pipeline:
    """A sample database (200 organizations) and an empty data repository with one publication."""
    monkeypatch.setenv(_WORLD, str(tmp_path))
    clone = git_world.copy("publisher", tmp_path / "data-repo")
    variables = {
        "POSTGRES_HOST": database.host,
        "POSTGRES_PORT": str(database.port),
        "POSTGRES_USER": database.user,
        "POSTGRES_DB": database.dbname,
        "POSTGRES_PASSWORD": "",
        "DATA_REPO_PATH": str(clone),
        "DATA_REPO_URL": str(bare_remote),
        "PUBLISHER_PUSH_ENABLED": "true",
        "SQL_DUMP_PROOF": "off",  # proofs have tests of their own; here they would only take time
    }
    settings = Settings.from_environment(variables, dotenv=None)
    return Pipeline(settings, clone, bare_remote, variables, first_nights)
