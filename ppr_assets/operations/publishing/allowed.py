"""Does the publication policy allow a dump that was made before it became what it is?

Others decide meanwhile. A dump that was made by the policy as it is now has been held to it row by
row, and is not read again; any other is judged by what it holds, and by nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ppr_assets.errors import PolicyRefused
from ppr_assets.rules.publication.policy import Policy
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.wording import few

_SHOWN = 10


def require_allowed(
    manifest: Manifest, policy: Policy, read: Callable[[], Iterable[bytes]], *, hint: str
) -> None:
    """Raise :class:`PolicyRefused` for a dump that holds what ``policy`` does not allow: rows,
    values, or what looks like a secret. ``read`` gives its bytes from the beginning each time."""
    if manifest.policy == policy.fingerprint:
        return
    # Late: the engine takes its time to load, and most dumps are not read again.
    from ppr_assets.plain_sql.disallowed import disallowed
    from ppr_assets.plain_sql.searched_values import searched

    if found := disallowed(read(), {manifest.dump: policy})[manifest.dump]:
        raise PolicyRefused(
            f"{manifest.dump} holds what the publication policy does not allow any more: "
            f"{few(found, _SHOWN)}",
            hint=hint,
        )
    policy.finds.judge(searched(read())).require()
