"""A machine that dumps each night without a database, its remote by HTTP that anybody may read, and
a stranger who looks at that; all of them on a clock that is set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ppr_assets.alerts.reporting import report
from ppr_assets.alerts.state import read_state
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.errors import PprError
from ppr_assets.operations.attention import look_around
from ppr_assets.operations.outside import branch
from ppr_assets.operations.outside.look import Looked, look
from ppr_assets.operations.publishing.publish import publish
from ppr_assets.plain_sql.parsing.layout import read_layout
from ppr_assets.rules.incidents import LOOK, NIGHTLY, failed, news, succeeded
from ppr_assets.rules.naming import dump_name
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import DatabaseIdentity, Proof, TableRecord
from ppr_assets.settings import Secret, Settings
from ppr_assets_tests.fix_git import GitWorld, Somebody, stage_dump
from ppr_assets_tests.fix_http_remote import HttpRemote, serve
from ppr_assets_tests.fix_sinks import WebSink, told_to

TOKEN = "tokenOfThePublisher"
START = datetime(2026, 11, 1, 2, tzinfo=UTC)


def sql_of(organizations: int) -> str:
    """A whole dump of so many organizations."""
    rows = "".join(f"{number:05}\n" for number in range(organizations))
    return (
        "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n\n"
        "--\n-- Name: organization; Type: TABLE; Schema: public; Owner: -\n--\n\n"
        "CREATE TABLE public.organization (\n    id text NOT NULL\n);\n\n\n"
        "--\n-- Data for Name: organization; Type: TABLE DATA; Schema: public; Owner: -\n--\n\n"
        f"COPY public.organization (id) FROM stdin;\n{rows}\\.\n\n\n"
        "--\n-- PostgreSQL database dump complete\n--\n\n"
    )


def manifest_of(name: str, sql: str, at: datetime) -> Manifest:
    layout = read_layout(iter([sql.encode()]), sorted_rows=True, spill_folder=Path("/nowhere"))
    return Manifest(
        dump=name,
        bytes=len(sql.encode()),
        sha256=hashlib.sha256(sql.encode()).hexdigest(),
        tables={
            one.copy.key: TableRecord(one.copy.rows, one.copy.sha256)
            for one in layout.entries
            if one.copy
        },
        snapshot_at=at,
        database=DatabaseIdentity("7", "hsds", "18.0"),
        tools={},
        verdict={},
        proof=Proof("server", at, "18.0", 1.0),
    )


@dataclass
class Outside:
    """``settings`` are those of the machine that dumps; ``now`` is what its clocks say."""

    settings: Settings
    remote: HttpRemote
    bare: Path
    sink: WebSink
    now: datetime = START
    organizations: int = 200

    @property
    def clone(self) -> Path:
        return self.settings.data_repo.path

    def set(self, **data_repo: object) -> None:
        changed = replace(self.settings.data_repo, **data_repo)  # type: ignore[arg-type]
        self.settings = replace(self.settings, data_repo=changed)

    def night(self, *, changed: bool = True) -> None:
        """As a run of the job ends, and is told of."""
        try:
            if changed:
                self._publish()
        except PprError as error:
            report(self.settings, failed(NIGHTLY, error, self.now))
        else:
            report(self.settings, succeeded(NIGHTLY, self.now))

    def _publish(self) -> None:
        self.organizations += 1
        name, sql = dump_name(self.now), sql_of(self.organizations)
        with open_data_repo(self.settings.data_repo) as repo:
            staged = stage_dump(repo, name, sql)
            staged.manifest_path.write_text(manifest_of(name, sql, self.now).to_json())
            outcome = publish(self.settings.dump, repo, run_id="a-run")
        if (failure := outcome.error()) is not None:
            raise failure

    def after(self, **time: float) -> Outside:
        self.now += timedelta(**time)
        return self

    def look(self) -> Looked:
        """What the scheduled look does, in the settings of this machine."""
        return look_told(self.settings, self.now)

    def sensor(self) -> None:
        """What Dagster's sensor looks at each minute."""
        known = read_state(self.settings.data_repo).known
        with suppress(PprError):  # which it shows beside its tick
            found = look_around(self.settings, known.good.get(NIGHTLY), self.now)
            report(self.settings, news(known, found))

    def elsewhere(self, folder: Path) -> Settings:
        """Settings of a machine that only looks, with the URL alone."""
        variables = {
            "DATA_REPO_PATH": str(folder / "none"),
            "DATA_REPO_URL": self.settings.data_repo.url or "",
        }
        return told_to(Settings.from_environment(variables, dotenv=None), self.sink.url)

    @property
    def said(self) -> list[str]:
        return self.sink.said

    def somebody(self, folder: Path) -> Somebody:
        """Who commits to the remote by hand."""
        Somebody(folder).git("clone", "-q", str(self.bare), str(folder / "theirs"))
        return Somebody(folder / "theirs")


def look_told(settings: Settings, at: datetime) -> Looked:
    good = read_state(settings.data_repo).known.good.get(NIGHTLY)
    looked = look(settings, good=good, at=at)
    report(settings, [*(one.report(at) for one in looked.findings), *succeeded(LOOK, at)])
    return looked


@pytest.fixture
def outside(
    git_world: GitWorld,
    bare_remote: Path,
    web_sink: WebSink,
    tmp_path: Path,
    nobody_else: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Outside]:
    """After one night that was published."""
    monkeypatch.setattr(branch, "PAUSE_SECONDS", 0.01)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    Somebody(bare_remote).git("config", "http.receivepack", "true")
    Somebody(bare_remote).git("config", "uploadpack.allowFilter", "true")
    Somebody(bare_remote).git("config", "uploadpack.allowAnySHA1InWant", "true")
    with serve(HttpRemote(bare_remote.parent, TOKEN, public=True)) as remote:
        url = f"{remote.url}/remote.git"
        clone = git_world.copy("data-repo", tmp_path / "data-repo")
        Somebody(clone).git("remote", "set-url", "origin", url)
        variables = {
            "DATA_REPO_PATH": str(clone),
            "DATA_REPO_URL": url,
            "PUBLISHER_PUSH_ENABLED": "true",
            "SQL_DUMP_MIN_CORE_SHARE": "0",
        }
        settings = told_to(Settings.from_environment(variables, dotenv=None), web_sink.url)
        alerts = replace(settings.alerts, disk_free_percent=0.0)
        data_repo = replace(settings.data_repo, token=Secret(TOKEN))
        settings = replace(settings, alerts=alerts, data_repo=data_repo)
        world = Outside(settings, remote, bare_remote, web_sink)
        world.night()
        assert world.said == []
        yield world
