"""The whole definitions as a text to read and to compare; ``definitions.txt`` holds the last one.

Run as a module, it prints that text.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from textwrap import indent
from typing import Any

import dagster as dg

from ppr_assets.definitions import build_defs
from ppr_assets.settings import Settings


def definitions_text(definitions: dg.Definitions) -> str:
    """Assets with their checks, jobs, schedules, sensors and resources; no path of a machine."""
    return "\n".join(
        [*_assets(definitions), *_jobs(definitions), *_ticks(definitions), *_resources(definitions)]
    )


def built() -> dg.Definitions:
    """As they are where no variable is set."""
    return build_defs(settings=Settings.from_environment({}, dotenv=None))


def _entry(title: str, facts: Mapping[str, Any], *below: str) -> str:
    lines = [f"{name}: {_plain(value)}" for name, value in facts.items() if value]
    return title + "\n" + indent("\n".join([*lines, *below]), "  ") + "\n"


def _plain(value: Any) -> str:
    return ", ".join(sorted(map(str, value))) if isinstance(value, list | set) else str(value)


def _assets(definitions: dg.Definitions) -> Iterator[str]:
    graph = definitions.resolve_asset_graph()
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        facts = {
            "description": node.description,
            "group": node.group_name,
            "kinds": node.kinds,
            "owners": node.owners,
            "deps": {parent.to_user_string() for parent in node.parent_keys},
            "pool": node.pools,
            "freshness": _freshness(node.freshness_policy),
            **{name: _metadata(value) for name, value in node.metadata.items()},
        }
        checks = [
            _check(graph.get_check_spec(check))
            for check in sorted(graph.asset_check_keys)
            if check.asset_key == key
        ]
        kind = "asset" if node.is_materializable else "external asset"
        yield _entry(f"{kind} {key.to_user_string()}", facts, *checks)


def _check(spec: dg.AssetCheckSpec) -> str:
    blocking = " (blocking)" if spec.blocking else ""
    return f"check {spec.name}{blocking}: {spec.description}"


def _freshness(policy: Any) -> str:
    if policy is None:
        return ""
    warn, fail = policy.warn_window.to_timedelta(), policy.fail_window.to_timedelta()
    return f"warns after {warn}, fails after {fail}"


def _metadata(value: Any) -> str:
    """The value; of code the file only, as any line above it moves it."""
    if not isinstance(value, dg.CodeReferencesMetadataValue):
        return str(getattr(value, "value", value))
    sources = (reference.source for reference in value.code_references)
    return ", ".join(re.sub(r".*/(ppr_assets/.*\.py)\W.*", r"\1", source) for source in sources)


def _jobs(definitions: dg.Definitions) -> Iterator[str]:
    for job in sorted(definitions.resolve_all_job_defs(), key=lambda one: one.name):
        if job.name.startswith("__"):  # Dagster's own, of all assets
            continue
        mapping: Any = job.config_mapping
        facts = {
            "description": job.description,
            "selection": {node.name for node in job.nodes},
            "executor": job.executor_def.name,
        }
        fields = _fields(mapping.config_schema.config_type) if mapping else ()
        yield _entry(f"job {job.name}", facts, *fields)


def _fields(config_type: Any, prefix: str = "config ") -> Iterator[str]:
    for name, field in sorted(config_type.fields.items()):
        if hasattr(field.config_type, "fields"):
            yield from _fields(field.config_type, f"{prefix}{name}.")
        else:
            default = f" = {field.default_value!r}" if field.default_provided else ""
            kind = field.config_type.given_name or field.config_type.key
            yield f"{prefix}{name}: {kind}{default}"


def _ticks(definitions: dg.Definitions) -> Iterator[str]:
    repository = definitions.get_repository_def()
    for schedule in sorted(repository.schedule_defs, key=lambda one: one.name):
        facts = {
            "description": schedule.description,
            "job": schedule.job_name,
            "cron": f"{schedule.cron_schedule} {schedule.execution_timezone}",
            "status": schedule.default_status.value,
        }
        yield _entry(f"schedule {schedule.name}", facts)
    for sensor in sorted(repository.sensor_defs, key=lambda one: one.name):
        facts = {
            "description": sensor.description,
            "job": sensor.job_name,
            "every": f"{sensor.minimum_interval_seconds} s",
            "status": sensor.default_status.value,
        }
        yield _entry(f"sensor {sensor.name}", facts)


def _resources(definitions: dg.Definitions) -> Iterator[str]:
    yield f"executor {definitions.executor.name if definitions.executor else 'none'}\n"  # type: ignore[union-attr]
    for name, resource in sorted((definitions.resources or {}).items()):
        yield f"resource {name}: {type(resource).__name__}\n"


if __name__ == "__main__":
    sys.stdout.write(definitions_text(built()))
