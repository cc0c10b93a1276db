"""Run tags by which an auditor finds runs: which were overridden, and what they followed."""

from __future__ import annotations

import dagster as dg

from ppr_assets.rules.ratchet import Override

OVERRIDE = "ppr_assets/override"
PUBLICATION = "ppr_assets/publication"


def record_override(context: dg.AssetExecutionContext, override: Override | None) -> None:
    """Tag the run with the reason; the Runs page can filter by it."""
    if override is not None:
        context.instance.add_run_tags(
            context.run.run_id, {OVERRIDE: f"{override.source}: {override.reason}"}
        )
        context.log.warning(f"gate overridden ({override.source}): {override.reason}")
