"""Look at each thing that a dump needs, one by one, and go on after one that is missing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from typing import TypeVar

from msgspec import Struct

from ppr_assets.copies.contents import contents, open_place
from ppr_assets.data_repo.checkout.lock import data_repo_lock
from ppr_assets.data_repo.checkout.plain_files import require_same_bytes
from ppr_assets.data_repo.clone.clone import open_data_repo
from ppr_assets.data_repo.git.repository import DataRepo
from ppr_assets.data_repo.git.tree import tip
from ppr_assets.data_repo.history.dump_folder import dump_folder
from ppr_assets.data_repo.history.dump_page import not_ours
from ppr_assets.data_repo.remote.remote import fetch, remote_tip
from ppr_assets.errors import PprError, PushFailed
from ppr_assets.failures import told
from ppr_assets.operations.published.standing_mark import standing_mark
from ppr_assets.operations.publishing.gate import mark_at, override_for, policy, refusal
from ppr_assets.operations.publishing.judged_tip import judged_tip
from ppr_assets.operations.publishing.publication import merged_with_remote, plan_at
from ppr_assets.operations.restoring.own_schema import try_schema
from ppr_assets.postgres.client_tools import find_tool
from ppr_assets.postgres.databases.beside import connect_beside, is_beside, may_create
from ppr_assets.postgres.load.session_limits import login_triggers, require_sessions
from ppr_assets.postgres.sessions.pinned_environment import pinned_environment
from ppr_assets.postgres.snapshot.preflight import require_dumpable, require_room
from ppr_assets.postgres.snapshot.snapshot import Snapshot, open_snapshot
from ppr_assets.rules.gate.ratchet import judge
from ppr_assets.settings import CopyUrl, Settings

_LOCK_SECONDS = 5.0
_PROVEN = {
    "server": "beside the database",
    "embedded": "on an embedded server",
    "elsewhere": "on the server of PPR_PROOF_HOST",
}
_KEPT_IN = {
    True: "; it knows no other database, so a restore needs PPR_DIRECT_HOST",
    False: "; the role may enter neither postgres nor template1, so it restores in place",
}
T = TypeVar("T")


class Precondition(Struct, frozen=True):
    """``error`` None: ``what`` is all right, as ``detail`` says."""

    what: str
    detail: str
    error: PprError | None = None


def preconditions(settings: Settings) -> Iterator[Precondition]:
    """Findings in the order in which a run would meet them. What depends on something that is
    missing is left out."""
    yield from _Examination(settings).run()


class _Examination:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._repo: DataRepo | None = None
        self._snapshot: Snapshot | None = None

    def run(self) -> Iterator[Precondition]:
        with ExitStack() as stack:
            password = self._look("password", self._password)
            yield password
            if password.error is None:
                yield self._look("database", lambda: self._session(stack))
            if self._snapshot is not None:
                yield self._look("sessions", self._sessions)
                yield self._look("tables", self._tables)
                yield self._look("pg_dump", self._pg_dump)
                yield self._look("proof", self._proof)
            yield self._look("data repository", lambda: self._repository(stack))
            if self._repo is not None:
                yield self._look("lock", self._lock)
                yield self._look("ratchet file", self._ratchet)
                yield self._look("page", self._page)
                yield self._look("remote", self._remote)
            for url in self._settings.data_repo.copies.urls:
                yield self._look("copies", partial(_copies, url))
            if self._repo is not None and self._snapshot is not None:
                yield self._look("disk", self._disk)
                yield self._look("gate", self._gate)
                yield self._look("policy", self._policy)

    def _look(self, what: str, look: Callable[[], str]) -> Precondition:
        try:
            with told(self._settings):
                return Precondition(what, look())
        except PprError as error:
            return Precondition(what, error.message, error)

    def _password(self) -> str:
        self._settings.database.require_password()
        return f"given for role {self._settings.database.user}"

    def _session(self, stack: ExitStack) -> str:
        database = self._settings.database
        self._snapshot = stack.enter_context(
            open_snapshot(database, exclusive=False, lock_seconds=_LOCK_SECONDS)
        )
        standby = ", a standby" if self._snapshot.standby else ""
        version = self._snapshot.identity.server_version
        return f"{database.describe()}, PostgreSQL {version}{standby}"

    def _tables(self) -> str:
        snapshot = _present(self._snapshot)
        require_dumpable(snapshot)
        without = ", ".join(snapshot.without_rows)
        lacking = f"; unlogged, so without rows on a standby: {without}" if without else ""
        return f"{len(snapshot.tables)} tables, all readable, no rows hidden{lacking}"

    def _pg_dump(self) -> str:
        major = _present(self._snapshot).server_major
        tool = find_tool("pg_dump", major, sslmode=self._settings.database.sslmode)
        pinned_environment(_present(self._snapshot).settings)  # which a pooler may not pass on
        return f"{tool.version} at {tool.path}"

    def _proof(self) -> str:
        if self._settings.dump.proof == "off":
            return "off: dumps are published unproven, and say so"
        trial = try_schema(self._settings, _present(self._snapshot))
        why = ": this role may not create databases" if trial.instead else ""
        said = f"each dump is restored {_PROVEN[trial.where]} before it is published{why}"
        but = f", but for {', '.join(trial.without.named)}" if trial.without.named else ""
        return f"{said}; tried now: its {trial.objects} objects can be made there{but}"

    def _sessions(self) -> str:
        """Whether they are as a night needs them: with other databases, and without traces."""
        snapshot = _present(self._snapshot)
        own = (
            "of a pooler, each on its own" if snapshot.settings.pooled else "with the server itself"
        )
        with connect_beside(snapshot.settings) as session:
            beside = self._settings.dump.proof == "server" and may_create(session)
            require_sessions(snapshot.connection, beside=beside)
            if not is_beside(session, snapshot.settings.dbname):
                own += _KEPT_IN[snapshot.settings.pooled]
        if triggers := login_triggers(snapshot.connection):
            own += (
                f"; each fires the login trigger {', '.join(triggers)}, which this role may not "
                "turn off for them (GRANT SET ON PARAMETER event_triggers lets it)"
            )
        return own

    def _repository(self, stack: ExitStack) -> str:
        self._repo = stack.enter_context(open_data_repo(self._settings.data_repo))
        require_same_bytes(self._repo)
        head = tip(self._repo)
        state = f"at {head[:10]}" if head else "without a commit yet"
        return f"{self._repo.path}, branch {self._repo.branch} {state}"

    def _lock(self) -> str:
        with data_repo_lock(_present(self._repo)):
            return "free"

    def _ratchet(self) -> str:
        repo = _present(self._repo)
        found = standing_mark(repo, judged_tip(repo))
        if found is None:
            return "no mark yet, the first dump sets it"
        lost = f", {len(found.lost)} of its marks lost and taken from its history"
        return f"mark {found.mark.organization}{lost if found.lost else ''}"

    def _page(self) -> str:
        """What is in its place is no reason not to dump."""
        repo = _present(self._repo)
        if not repo.settings.page:
            return "none is written: SQL_DUMP_PAGE is false"
        remarks = not_ours(dump_folder(repo, judged_tip(repo)))
        return "; ".join(remarks) or "each dump renews it"

    def _remote(self) -> str:
        repo = _present(self._repo)
        if repo.remote is None:
            return "none; commits stay in the clone"
        head = remote_tip(repo)
        pushes = "pushing" if self._settings.data_repo.push_enabled else "not pushing"
        return f"answers, branch at {head[:10] if head else 'no commit yet'}, {pushes}"

    def _disk(self) -> str:
        repo = _present(self._repo)
        latest = dump_folder(repo, tip(repo)).latest_manifest
        require_room(
            _present(self._snapshot), repo.git_dir, previous_bytes=latest.bytes if latest else None
        )
        return f"{shutil.disk_usage(repo.git_dir).free / 2**30:.1f} GiB free"

    def _gate(self) -> str:
        repo = _present(self._repo)
        snapshot = _present(self._snapshot)
        counts = snapshot.undisturbed(snapshot.count)
        override = override_for(self._settings.dump, None)
        verdict = judge(counts, mark_at(repo, tip(repo)), policy(self._settings.dump), override)
        if not verdict.passed:
            raise refusal(verdict)
        least = min(verdict.headroom.items(), key=lambda item: item[1])
        says = "would accept" if verdict.override is None else "would be overridden"
        return f"{says}; least headroom {least[1]} records of {least[0]}"

    def _policy(self) -> str:
        repo, snapshot = _present(self._repo), _present(self._snapshot)
        with suppress(PushFailed):  # what `remote` tells
            fetch(repo)
        commit = judged_tip(repo)
        merged_with_remote(repo, commit)  # raises where a human has to merge them first
        relations = snapshot.relations()
        plan = snapshot.with_checks(plan_at(repo, commit, self._settings.dump, relations))
        plan.require()
        withheld = [one.name for one in plan.withheld({}, {})]
        return f"everything is decided on; withheld: {', '.join(withheld) or 'nothing'}"


def _copies(url: CopyUrl) -> str:
    """Asked as a restore would ask; whether it may be written to, the first copy tells."""
    found = contents(open_place(url)).dumps
    newest = f", the newest {found[-1]}" if found else ""
    return f"`{url.shown}` answers, {len(found)} dumps there{newest}"


def _present(value: T | None) -> T:
    assert value is not None  # looked at before
    return value
