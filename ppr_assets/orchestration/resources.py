"""What the assets are given: settings, data repository, and a human's decision to pass the gate.

The settings are handed over as one object, read from the environment once; it shows no secret,
and nothing of it enters a run's config. The data repository is opened by the step that first asks
for it, and closed with the run. Assets and checks do not belong here.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

import dagster as dg
from pydantic import Field

from ppr_assets.data_repo.clone.clone import DataRepoOfRun
from ppr_assets.errors import SettingsError
from ppr_assets.operations.last_night import noted
from ppr_assets.operations.night import Night
from ppr_assets.rules.gate import ratchet
from ppr_assets.settings import DataRepoSettings, Settings, kinds

OVERRIDE_TAG = "ppr_assets/override"
"""By which an auditor finds the runs that passed a refused gate."""
OVERRIDE_BY_TAG = "ppr_assets/override_by"
LAUNCHPAD = "Launchpad"
COMMAND_LINE = "command line"
_COMMIT = "data_repo_commit"


class OverrideResource(dg.ConfigurableResource[None]):
    """The recorded decision to publish a dump that the gate refuses, for one run only."""

    source: ClassVar[str] = LAUNCHPAD

    reason: str = Field(
        default="",
        description="Why a refused dump is to be published this once. Who reads the data "
        "repository will read this sentence. Leave empty to respect the gate.",
    )

    by: str = Field(default="", description="Your name, which stands beside the reason.")

    @property
    def given(self) -> ratchet.Override | None:
        """Raises :class:`SettingsError` for a reason without a name."""
        return decided("override", self.reason, self.by, self.source)


class OverrideOfCommandLine(OverrideResource):
    """The same, from `ppr-assets dump --override REASON`."""

    source: ClassVar[str] = COMMAND_LINE


def decided(field: str, reason: str, by: str, source: str = LAUNCHPAD) -> ratchet.Override | None:
    """What a human has written into a run's config, if they said why; ``field`` is where. Raises
    :class:`SettingsError` for a reason without a name, and for what nobody could read."""
    if not reason.strip():
        return None
    if not by.strip():
        raise SettingsError(
            f"`{field}` has a reason and no name, must say who decides",
            hint="give your name as `by`: it stands beside the reason for whoever asks later.",
        )
    return ratchet.Override(
        _readable(kinds.sentence, reason, field), source, _readable(kinds.name, by, "by")
    )


def signed(settings: Settings, by: str) -> Settings:
    """Whoever decides in a run's config, if they gave their name. Raises :class:`SettingsError`
    for one that nobody could read."""
    return settings.signed_by(_readable(kinds.name, by, "by") if by.strip() else None)


def _readable(kind: kinds.Kind[str], text: str, field: str) -> str:
    try:
        return kind(text)
    except kinds.UnusableValueError as error:
        raise SettingsError(f"`{field}` of the run's config must be {kind.must_be}") from error


def record_override(context: dg.AssetExecutionContext, override: ratchet.Override | None) -> None:
    """Tag the run with the reason; the Runs page can filter by it."""
    if override is not None:
        context.instance.add_run_tags(
            context.run.run_id,
            {
                OVERRIDE_TAG: f"{override.source}: {override.reason}",
                OVERRIDE_BY_TAG: override.by or "unknown",
            },
        )
        context.log.warning(f"gate overridden ({override.whence}): {override.reason}")


def _data_repo_of_run(
    settings: DataRepoSettings, opened: DataRepoOfRun | None
) -> dg.ResourceDefinition:
    def of_run(_: dg.InitResourceContext) -> Iterator[DataRepoOfRun]:
        with opened or DataRepoOfRun(settings) as data_repo:
            yield data_repo

    return dg.ResourceDefinition(of_run)


def is_whole(run: dg.DagsterRun) -> bool:
    """Whether the run comes to its dump's commit: not one of some assets of a night, or of checks
    alone."""
    if run.asset_selection:
        return dg.AssetKey(_COMMIT) in run.asset_selection
    return not run.asset_check_selection


def _noted_night(settings: DataRepoSettings, night: Night | None) -> dg.ResourceDefinition:
    def of_run(context: dg.InitResourceContext) -> Iterator[Night]:
        own = night or Night(context.run.run_id if context.run else "")
        if context.run and not is_whole(context.run):
            yield own
            return
        with noted(settings, own):
            yield own

    return dg.ResourceDefinition(
        of_run, description="What the steps of this run come to, for the command line."
    )


def resources(
    settings: Settings,
    night: Night | None = None,
    override: type[OverrideResource] = OverrideResource,
    data_repo: DataRepoOfRun | None = None,
) -> dict[str, Any]:
    """``night`` is where the steps of a run note what they come to, for who runs it in this
    process; without one, each run has its own. ``override`` is where a decision comes from, and
    ``data_repo`` one that was opened already, which the run closes."""
    return {
        "settings": dg.ResourceDefinition.hardcoded_resource(settings),
        "data_repo": _data_repo_of_run(settings.data_repo, data_repo),
        "override": override.configure_at_launch(),
        "night": _noted_night(settings.data_repo, night),
    }
