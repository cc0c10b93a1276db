"""A password and a token that are easy to recognise, and a search of everything a run leaves."""

from __future__ import annotations

import logging
import shutil
import subprocess
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from ppr_assets.errors import DatabaseUnreachable, PprError, PushFailed
from ppr_assets.postgres.embedded import EmbeddedServer
from ppr_assets.settings import DatabaseSettings, Settings
from ppr_assets_tests.application import connect
from ppr_assets_tests.fix_command_line import wait_until
from ppr_assets_tests.fix_git import git
from ppr_assets_tests.fix_http_remote import HttpRemote, serve
from ppr_assets_tests.fix_pipeline import REAL_PG_DUMP, TELLS_ITS_VERSION, Pipeline
from ppr_assets_tests.fix_tools import FakeTool

PASSWORD = "Pirate-Password-6f1d'\"\\ $x"
TOKEN = "ghp_PirateToken8a2b"


def _reload(server: EmbeddedServer) -> None:
    """Have the server read its files again, and wait until it has: a new session tells when."""

    def ask(question: str) -> object:
        with connect(server.database_settings("postgres")) as session:
            return session.execute(question.encode()).fetchone()

    before = ask("SELECT pg_conf_load_time()")
    ask("SELECT pg_reload_conf()")
    wait_until(lambda: ask("SELECT pg_conf_load_time()") != before)


@pytest.fixture
def password_role(embedded_server: EmbeddedServer, database: DatabaseSettings) -> Iterator[str]:
    """A role that the server lets in with its password alone."""
    role = f"guarded_{database.dbname}"
    rules = embedded_server.data_dir / "pg_hba.conf"
    before = rules.read_text()
    literal = PASSWORD.replace("'", "''")
    with connect(embedded_server.database_settings("postgres"), autocommit=True) as session:
        session.execute(
            f"SET password_encryption = 'scram-sha-256'; CREATE ROLE {role} LOGIN CREATEDB "
            f"PASSWORD '{literal}' IN ROLE {database.user}"
        )
        rules.write_text(f"local all {role} scram-sha-256\n{before}")
        _reload(embedded_server)
        yield role
        rules.write_text(before)
        _reload(embedded_server)
        session.execute(f"DROP ROLE {role}")


@pytest.fixture
def guarded(
    pipeline: Pipeline, password_role: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Pipeline]:
    """The pipeline with a password and a token, given as an operator gives them."""
    with serve(HttpRemote(pipeline.remote.parent, TOKEN)) as http:
        url = f"{http.url}/{pipeline.remote.name}"
        git(pipeline.clone, "remote", "set-url", "origin", url)
        pipeline.variables |= {
            "POSTGRES_USER": password_role,
            "POSTGRES_PASSWORD": PASSWORD,
            "DATA_REPO_URL": url,
            "DATA_REPO_TOKEN": TOKEN,
            "SQL_DUMP_PROOF": "server",  # so that the restore, too, has its chance to tell
        }
        for name, value in pipeline.variables.items():
            monkeypatch.setenv(name, value)
        pipeline.settings = Settings.from_environment(dotenv=None)
        yield pipeline


@contextmanager
def _watched_process_list(markers: Mapping[str, Path]) -> Iterator[set[str]]:
    """Every command line that appears on the machine meanwhile, as ``ps`` would show it; when one
    with such a word was seen, its marker is made."""
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            for process in psutil.process_iter():
                with suppress(psutil.Error):
                    seen.add(" ".join(process.cmdline()))
            for word, marker in markers.items():
                if any(word in line for line in seen):
                    marker.touch()
            over.wait(0.01)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _everything_in_git(repository: Path) -> bytes:
    """Every object, reachable or not."""
    return subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--batch"],
        cwd=repository,
        capture_output=True,
        check=True,
    ).stdout


def _every_file(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def _require_no_secret(text: str | bytes, where: str) -> None:
    data = text.encode() if isinstance(text, str) else text
    for secret in (PASSWORD, TOKEN):
        assert secret.encode() not in data, where


def _require_no_secret_in(error: PprError) -> None:
    _require_no_secret(error.render(), "message")
    _require_no_secret("".join(traceback.format_exception(error)), "traceback")


def test_no_secret_is_left_anywhere_by_a_night(
    guarded: Pipeline, fake_tool: FakeTool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    arguments, environments = tmp_path / "arguments", tmp_path / "environments"
    arguments.mkdir()
    environments.mkdir()
    note = f'printf "%s\\n" "$0" "$@" > {arguments}/$$; env > {environments}/${{0##*/}}.$$'
    real_git = shutil.which("git")
    markers = {"/pg_dump --no-": tmp_path / "seen-pg_dump", " push ": tmp_path / "seen-push"}
    until_seen = "until [ -e {} ]; do sleep 0.01; done"
    dumping, pushing = map(until_seen.format, markers.values())
    fake_tool("pg_dump", f'{TELLS_ITS_VERSION}; {note}; {dumping}; exec {REAL_PG_DUMP} "$@"')
    noting_git = fake_tool(
        "git", f'{note}; case " $* " in *" push "*) {pushing} ;; esac; exec {real_git} "$@"'
    )
    with _watched_process_list(markers) as processes:
        dumped, published = guarded.night()
    noting_git.unlink()
    assert dumped.status == "staged"
    assert published.error() is None and published.delivery.pushed
    assert guarded.remote_head() == published.commit
    assert published.manifest.proof is not None and published.manifest.proof.where == "server"
    _require_no_secret(_everything_in_git(guarded.clone), "objects of the clone")
    _require_no_secret(_everything_in_git(guarded.remote), "objects of the remote")
    _require_no_secret(_every_file(guarded.clone), "files of the clone")
    _require_no_secret(_every_file(guarded.remote), "files of the remote")
    _require_no_secret(_every_file(arguments), "arguments of git and pg_dump")
    _require_no_secret("\n".join(processes), "process list")
    _require_no_secret(caplog.text, "log")
    _require_no_secret(published.manifest.to_json(), "manifest")
    for shown in (guarded.settings, asdict(guarded.settings), dumped, published):
        _require_no_secret(repr(shown) + str(shown), type(shown).__name__)
    assert all(marker.exists() for marker in markers.values())
    for file in environments.iterdir():
        tool, _, number = file.name.rpartition(".")
        if (arguments / number).read_text().endswith("/git\nversion\n"):
            continue  # runs no hook
        text = file.read_text()
        assert tool == "git" or TOKEN not in text, "pg_dump knows the token"
        assert tool == "pg_dump" or PASSWORD not in text, "git knows the password"
        assert "\nDATA_REPO_TOKEN=" not in text and "\nPOSTGRES_PASSWORD=" not in text
    assert TOKEN in _every_file(environments).decode()
    assert PASSWORD in _every_file(environments).decode()


def test_a_password_that_the_server_refuses_is_not_repeated(
    guarded: Pipeline,
) -> None:
    with connect(guarded.settings.database, autocommit=True) as session:
        session.execute(f"ALTER ROLE {guarded.settings.database.user} PASSWORD 'another'")
    with pytest.raises(DatabaseUnreachable, match="password authentication failed") as failed:
        guarded.night()
    _require_no_secret_in(failed.value)


def test_a_token_that_the_remote_refuses_is_not_repeated(guarded: Pipeline) -> None:
    with serve(HttpRemote(guarded.remote.parent, "another token")) as http:
        url = f"{http.url}/{guarded.remote.name}"
        guarded.repo(url=url)
        git(guarded.clone, "remote", "set-url", "origin", url)
        _, published = guarded.night()
    error = published.error()
    assert isinstance(error, PushFailed)
    assert "DATA_REPO_TOKEN" in error.hint
    _require_no_secret_in(error)
