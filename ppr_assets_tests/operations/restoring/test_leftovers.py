"""Which databases a clean-up drops, and which it must not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ppr_assets.errors import Busy
from ppr_assets.operations.restoring.leftovers import Cleaned, cleanup
from ppr_assets.postgres.databases.maintenance import maintenance
from ppr_assets.postgres.databases.names import former_name, restoring_name
from ppr_assets_tests.fix_restore import Target

NOW = datetime.now(UTC)


def _make(target: Target, *names: str) -> None:
    for name in names:
        target.execute(f'CREATE DATABASE "{name}" OWNER {target.settings.user}')


def _told(cleaned: list[Cleaned]) -> list[tuple[str, str]]:
    return [(one.what, one.leftover.name) for one in cleaned]


def test_former_and_half_made_databases_go_and_whatever_only_looks_like_them_stays(
    target: Target,
) -> None:
    name = target.settings.dbname
    old, young = (former_name(name, NOW - timedelta(days=days)) for days in (8, 2))
    half, drilled = restoring_name(name, NOW), restoring_name(f"{name}_drill", NOW)
    others = [f"{name}_before_noon", f"{name}_before_20261341000000", f"{name}_copy"]
    _make(target, old, young, half, drilled, *others)
    everything = target.databases()

    looked = list(cleanup(target.settings, older_than=timedelta(days=7), dry_run=True))
    assert _told(looked) == [
        ("would drop", old),
        ("kept", young),
        ("would drop", half),
        ("would drop", drilled),
    ]
    assert looked[1].why == "younger than 7 days (see --older-than)"
    assert {one.leftover.bytes is None for one in looked} == {False}
    assert target.databases() == everything

    done = list(cleanup(target.settings, older_than=timedelta(days=7)))
    assert [one.what for one in done] == ["dropped", "kept", "dropped", "dropped"]
    assert target.beside() == sorted([young, *others])

    assert _told(list(cleanup(target.settings))) == [("dropped", young)]
    assert target.beside() == sorted(others)
    assert list(cleanup(target.settings)) == []
    assert name in dict(target.databases())


def test_a_former_database_that_somebody_uses_is_kept_and_the_others_go(target: Target) -> None:
    name = target.settings.dbname
    used, unused = (former_name(name, NOW - timedelta(days=days)) for days in (2, 1))
    _make(target, used, unused)
    with target.administered(used) as session:
        done = list(cleanup(target.settings))
        assert _told(done) == [("kept", used), ("dropped", unused)]
        assert done[0].why.startswith(f"in use: session {session.info.backend_pid} of postgres ")
        session.execute("SELECT")
    assert target.beside() == [used]


def test_who_comes_in_between_the_look_and_the_drop_is_not_thrown_out(target: Target) -> None:
    former = former_name(target.settings.dbname, NOW)
    _make(target, former)
    with maintenance(target.settings) as session, target.administered(former) as client:
        with pytest.raises(Busy, match=f"database {former} is in use: session "):
            session.drop_unused(former)
        client.execute("SELECT")


def test_a_subscription_that_keeps_a_former_database_is_told(target: Target) -> None:
    former = former_name(target.settings.dbname, NOW)
    _make(target, former)
    target.execute(
        "CREATE SUBSCRIPTION follows CONNECTION 'dbname=nowhere' PUBLICATION p "
        "WITH (connect = false, slot_name = NONE)",
        former,
    )
    (kept,) = cleanup(target.settings)
    target.execute("DROP SUBSCRIPTION follows", former)
    assert (kept.what, kept.in_use) == ("kept", True)
    assert "is being used by logical replication subscription; There is 1 sub" in kept.why


def test_while_a_restore_or_a_drill_is_at_work_nothing_is_dropped(target: Target) -> None:
    half = restoring_name(target.settings.dbname, NOW)
    _make(target, half)
    for suffix in ("", "_drill", "_proof"):
        name = target.settings.dbname + suffix
        working = replace(target.settings, dbname=name)
        with maintenance(working), pytest.raises(Busy, match=f"is restoring database {name}$"):
            list(cleanup(target.settings))
    assert target.beside() == [half]
