"""What documents say of the variables, in the words of the code.

``make variables`` writes all anew, by ``python -m ppr_assets_tests.variables``.
"""

from __future__ import annotations

import re
from textwrap import wrap

from ppr_assets.settings import VARIABLES
from ppr_assets.settings.variable import NONE, REQUIRED
from ppr_assets_tests.places import ROOT

README = ROOT / "README.md"
ENV_EXAMPLE = ROOT / ".env.example"
COMPOSE_EXAMPLE = ROOT / "deploy" / ".env.example"

_TABLE = re.compile(
    r"(?P<head>^## Variables\n.*?^\| --- \| --- \| --- \|\n)(?:\|[^\n]*\n)*",
    re.MULTILINE | re.DOTALL,
)
_FIRST_LINES = """\
# Every variable of ppr_assets with its default. `install -m 600 .env.example .env` makes a copy for
# your eyes only; take the # from what is to have another value. `make variables` writes this file.
"""

_COMPOSE = """\
# For compose.yaml beside it: copy this file with `install -m 600 .env.example .env`, put a value
# where there is none, and take the # from what is to have another value. `make variables` writes it
# from the code.

# the password of the database of the records
POSTGRES_PASSWORD=

# the password of the server in which Dagster keeps its runs; letters and digits alone, since it
# becomes part of a URL
DAGSTER_PASSWORD=

# whom the containers run as; any number will do
#CONTAINER_USER=10001:10001
"""
_OF_COMPOSE = frozenset(
    {"POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE", "DATA_REPO_PATH", "DAGSTER_POSTGRES_URL"}
)
"""What stands in compose.yaml itself, or above."""


def with_table(readme: str) -> str:
    """README.md with the table of the variables as the code has them."""
    rows = "".join(f"| {one.name} | {one.default} | {one.description} |\n" for one in VARIABLES)
    return _TABLE.sub(lambda found: found["head"] + rows, readme)


def env_example() -> str:
    """Each variable behind a #, below what it means and must be."""
    return _FIRST_LINES + _each(frozenset())


def compose_example() -> str:
    """What compose.yaml needs, and each variable that may be given to its containers."""
    return _COMPOSE + _each(_OF_COMPOSE)


def _each(without: frozenset[str]) -> str:
    return "".join(
        "\n".join(["", *_comment(f"{one.description}; must be {one.kind.must_be}"), ""])
        + f"#{one.name}={_value(one.default)}\n"
        for one in VARIABLES
        if one.name not in without
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
    COMPOSE_EXAMPLE.write_text(compose_example(), encoding="utf-8")
