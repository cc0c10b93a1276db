"""Config of one asset as the Launchpad of a job takes it: flat, with a sentence for each field.

Which fields an asset has stands beside the asset, and its defaults may hurt nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from ppr_assets.orchestration.resources import OverrideResource


def flat_config(asset: str, config: type[dg.Config], *, word: str) -> dg.ConfigMapping:
    """Let the Launchpad take ``word: {…}`` for ``asset`` without Dagster's nesting.

    The scaffolded config shows every field of ``config`` with its default.
    """
    fields = {
        name: dg.Field(
            field.annotation,
            is_required=False,
            default_value=field.default,
            description=field.description,
        )
        for name, field in config.model_fields.items()
    }

    def mapped(value: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"ops": {asset: {"config": dict(value.get(word, {}))}}}

    return dg.ConfigMapping(
        config_fn=mapped,
        config_schema={word: dg.Field(fields, is_required=False, description=config.__doc__)},
    )


def launchpad_config(console_level: str | None = None) -> dg.ConfigMapping:
    """Let the Launchpad of a job take ``override: {reason: …, by: …}`` without Dagster's nesting.

    ``console_level`` is how much of Dagster's log goes to the console (None: Dagster's default).
    """
    console = {"console": {"config": {"log_level": console_level}}} if console_level else {}

    def mapped(value: Mapping[str, Any]) -> Mapping[str, Any]:
        given = dict(value.get("override", {}))
        return {"resources": {"override": {"config": given}}, "loggers": console}

    return dg.ConfigMapping(
        config_fn=mapped,
        config_schema={
            "override": dg.Field(
                {
                    name: dg.Field(
                        str,
                        default_value="",
                        description=OverrideResource.model_fields[name].description,
                    )
                    for name in ("reason", "by")
                },
                is_required=False,
                description="Pass a refused gate once. Reason and name are recorded for everybody.",
            )
        },
    )
