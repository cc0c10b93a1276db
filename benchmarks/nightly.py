"""A night, whole process: ours against bare pg_dump + git, and against upstream's gzip way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.measure import Sample, middle, run
from benchmarks.world import PG_DUMP, PPR_ASSETS, Arena
from ppr_assets.data_repo.remote.push import SentBytes

FLAGS = "--no-owner --no-privileges --if-exists --clean"
COMMIT = (
    "git add -A && git -c user.name=peer -c user.email=peer@example.com commit -qm dump "
    "&& git push -q --progress origin HEAD"
)


def nights(arena: Arena, rounds: int) -> dict[str, Sample]:
    """Medians of ``rounds`` nights; each night a hundredth changes, and the order rotates. After
    each comes one of ours without changes."""
    bare, upstream = arena.peer_clone("bare"), arena.peer_clone("upstream")
    env = arena.environment()

    def proven(night: int) -> Sample:
        """The same with the restore that proves the dump, which the peers do not do."""
        arena.change_one_percent(50 + night)
        return run([PPR_ASSETS, "dump"], env | {"SQL_DUMP_PROOF": "server"})

    contestants: list[tuple[str, Callable[[int], Sample]]] = [
        ("ours", lambda _: run([PPR_ASSETS, "dump"], env | {"SQL_DUMP_PROOF": "off"})),
        ("proven", proven),
        (
            "bare",
            lambda _: _shell(f"{PG_DUMP} {FLAGS} > sql_dumps/dump.sql && {COMMIT}", env, bare),
        ),
        (
            "upstream",
            lambda night: _shell(
                f"{PG_DUMP} {FLAGS} | gzip -9 > sql_dumps/dump_{night}.sql.gz && {COMMIT}",
                env,
                upstream,
            ),
        ),
    ]
    samples: dict[str, list[Sample]] = {name: [] for name, _ in contestants}
    samples["unchanged"] = []
    for night in range(rounds + 1):  # the first one warms up: storage, caches, the first full push
        arena.change_one_percent(night)
        for turn in range(len(contestants)):
            name, contest = contestants[(turn + night) % len(contestants)]
            sample = contest(night)
            if night:
                samples[name].append(sample)
        if night:
            samples["unchanged"].append(run([PPR_ASSETS, "dump"], env))
    return {name: middle(found) for name, found in samples.items()}


def _shell(script: str, env: dict[str, str], cwd: Path) -> Sample:
    with SentBytes() as sent:
        sample = run(["bash", "-o", "pipefail", "-c", script], env | sent.environment, cwd)
        return replace(sample, pushed=sent.total())
