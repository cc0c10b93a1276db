"""How far the current stage is, in one line of at most sixty columns or so: what counts first."""

from __future__ import annotations

from time import monotonic

from ppr_assets.progress import Stage
from ppr_assets.rules.wording import size

_SETTLED_SECONDS = 2.0
"""Before that nobody knows how fast it goes."""


def stage_line(stage: Stage) -> str:
    """``loading rows  53 %  412.0 MiB of 780.3 MiB  21 s left``."""
    done, total = stage.done, stage.total
    if total and done >= total and stage.then:
        return stage.then
    parts = [stage.what]
    guess = total is not None and stage.about
    if total and (done < total or (done == total and not guess)):
        parts += [f"{100 * done // total} %", _of(stage, total), _left(stage, total)]
    elif done:
        parts.append(f"{done:,} {stage.unit}" if stage.unit else size(done))
    return "  ".join(filter(None, [*parts, stage.beside]))


def _of(stage: Stage, total: int) -> str:
    about = "about " if stage.about else ""
    if stage.unit:
        return f"{stage.done:,} of {about}{total:,} {stage.unit}"
    return f"{size(stage.done)} of {about}{size(total)}"


def _left(stage: Stage, total: int) -> str:
    """At the speed that it has had so far."""
    gone = monotonic() - stage.began
    if not stage.done or gone < _SETTLED_SECONDS:
        return ""
    seconds = max(1, round(gone / stage.done * (total - stage.done)))
    if seconds < 100:
        return f"{seconds} s left"
    minutes = round(seconds / 60)
    return f"{minutes} min left" if minutes < 100 else f"{round(minutes / 60)} h left"
