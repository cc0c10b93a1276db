"""What documents say of the variables, in the words of the code.

``make variables`` writes both anew, by ``python -m ppr_assets_tests.variables``.
"""

from __future__ import annotations

import re
from textwrap import wrap

from ppr_assets.settings import VARIABLES
from ppr_assets.settings.variables.variable import NONE, REQUIRED
from ppr_assets_tests.places import ROOT

README = ROOT / "README.md"
ENV_EXAMPLE = ROOT / ".env.example"

_TABLE = re.compile(
    r"(?P<head>^## Variables\n.*?^\| --- \| --- \| --- \|\n)(?:\|[^\n]*\n)*",
    re.MULTILINE | re.DOTALL,
)
_FIRST_LINES = """\
# Every variable of ppr_assets with its default. `install -m 600 .env.example .env` makes a copy for
# your eyes only; take the # from what is to have another value. `make variables` writes this file.
"""


def with_table(readme: str) -> str:
    """README.md with the table of the variables as the code has them."""
    rows = "".join(f"| {one.name} | {one.default} | {one.description} |\n" for one in VARIABLES)
    return _TABLE.sub(lambda found: found["head"] + rows, readme)


def env_example() -> str:
    """Each variable behind a #, below what it means and must be."""
    return _FIRST_LINES + "".join(
        "\n".join(["", *_comment(f"{one.description}; must be {one.kind.must_be}"), ""])
        + f"#{one.name}={_value(one.default)}\n"
        for one in VARIABLES
    )


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in wrap(text, 97)]


def _value(default: str) -> str:
    if default in (NONE, REQUIRED):
        return ""
    return f"'{default}'" if " " in default else default


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
    ENV_EXAMPLE.write_text(env_example(), encoding="utf-8")
