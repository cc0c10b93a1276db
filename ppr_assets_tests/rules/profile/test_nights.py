"""Sixty quiet nights, and fifty that are not."""

from __future__ import annotations

from decimal import Decimal

from ppr_assets.rules.policy import GatePolicy
from ppr_assets.rules.profile.columns import Profile
from ppr_assets.rules.profile.guard import hollow_tables, judge_profile
from ppr_assets.rules.profile.movements import EarlierNight, movements, warnings
from ppr_assets.rules.profile.schema import Schema, schema_changes
from ppr_assets_tests.fix_campaign import Campaign
from ppr_assets_tests.incidents import incidents
from ppr_assets_tests.nights import Database, Rows, profile_of

QUIET_NIGHTS = 60
POLICY = GatePolicy(100, Decimal("0.9"), core_share=Decimal("0.1"), point_share=Decimal("0.25"))


def test_incidents_are_named_and_quiet_nights_are_not(campaign: Campaign) -> None:
    dice = campaign.dice
    for number in campaign.rounds(1):
        organizations = 150 if number == 0 else dice.choice([250, 400, 1500])
        seed = dice.randrange(10**6)
        nights, rows, alarms = _quiet_nights(organizations, seed)
        assert len(alarms) <= 1, (seed, organizations, alarms)
        missed = _unnamed(nights, rows, seed)
        assert len(missed) <= 2, (seed, organizations, missed)


def _quiet_nights(organizations: int, seed: int) -> tuple[list[EarlierNight], Rows, list[str]]:
    """The nights, the rows of the next, and what was said in vain; that none is refused."""
    database = Database(organizations, seed)
    nights: list[EarlierNight] = []
    alarms: list[str] = []
    for _ in range(QUIET_NIGHTS):
        profile = profile_of(database.rows())
        counts = {table: found.rows for table, found in profile.items()}
        assert hollow_tables(counts, None, POLICY) == []
        assert judge_profile(profile, nights, POLICY) == []
        alarms += _said(profile, nights)
        nights.append(EarlierNight(profile))
        database.pass_a_night()
    return nights, database.rows(), alarms


def _unnamed(nights: list[EarlierNight], rows: Rows, seed: int) -> list[str]:
    quiet = profile_of(rows)
    staged = incidents(seed)
    assert len(staged) == 50
    return [
        one.named
        for one in staged
        if not any(
            said.startswith(one.named) for said in _said(one.profile(rows, quiet, seed), nights)
        )
    ]


def _said(profile: Profile, nights: list[EarlierNight]) -> list[str]:
    before = Schema.of_profile(nights[-1].profile if nights else profile)
    return [
        *warnings(movements(profile, nights)),
        *schema_changes(before, Schema.of_profile(profile)),
    ]
