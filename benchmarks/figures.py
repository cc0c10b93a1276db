"""``make figures``: how large the house is, and how far a night and the verbs reach into it.

Sizes are counted in the source; what a night runs is watched from inside its process. Figures to
know the way by, and no gate: fewer is better only where the code reads better for it.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.world import Arena

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ppr_assets"
LONG_FUNCTION, MANY_PARAMETERS, SMALL_MODULE = 40, 5, 60
ORGANIZATIONS = 500

FIRST = {
    "files that an unchanged night runs": 70,
    "files that a published night runs": 121,
    "child processes of an unchanged night": 70,
    "child processes of a published night": 92,
    "modules that `list` loads": 53,
    "modules that `cleanup` loads": 123,
    "modules that `verify` loads": 112,
    "lines of the product": 23_400,
    "files of the product": 252,
    "public classes": 181,
    "names of classes with two meanings": 22,
    "most files in a folder": 47,
    "circles between folders": 1,
    "modules under 60 lines with one user": 19,
}
"""What was counted before the rooms were made."""

PROBE = """
import atexit, json, os, sys, threading
files, children = set(), []
def note(frame, event, _):
    code = frame.f_code  # that of a function, and not of a module or a class that is made
    if event == "call" and code.co_flags & 1 and "/ppr_assets/" in code.co_filename:
        files.add(code.co_filename)
def tell():
    loaded = [name for name in sys.modules if name.split(".")[0] == "ppr_assets"]
    with open(os.environ["FIGURES"], "w") as file:
        json.dump({"ran": sorted(files), "children": children, "loaded": loaded}, file)
sys.addaudithook(
    lambda name, facts: children.append(str(facts[0])) if name == "subprocess.Popen" else None
)
atexit.register(tell)
if os.environ.get("WATCH"):
    sys.setprofile(note)
    threading.setprofile(note)
from ppr_assets.cli import main
main()
"""


@dataclass(frozen=True)
class Module:
    """A module of the product: its dotted name, its lines, and what it imports of the product."""

    name: str
    lines: int
    tree: ast.Module
    imports: frozenset[str]


def read_modules() -> Mapping[str, Module]:
    paths = {_dotted(path): path for path in sorted(PACKAGE.rglob("*.py"))}
    found = {}
    for name, path in paths.items():
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        imports = frozenset(_imports(tree, set(paths)))
        found[name] = Module(name, text.count("\n"), tree, imports)
    return found


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(tree: ast.Module, known: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ppr_assets"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in known else str(node.module)


def sizes(modules: Mapping[str, Module]) -> Iterator[tuple[str, int]]:
    yield "lines of the product", sum(module.lines for module in modules.values())
    yield "files of the product", len(modules)
    yield "public classes", sum(len(_public_classes(module)) for module in modules.values())
    names = Counter(name for module in modules.values() for name in _public_classes(module))
    yield "names of classes with two meanings", sum(number > 1 for number in names.values())
    yield "most files in a folder", max(Counter(p.parent for p in PACKAGE.rglob("*.py")).values())
    yield "circles between folders", circles(modules)
    users = Counter(name for module in modules.values() for name in module.imports)
    alone = [m for m in modules.values() if m.lines < SMALL_MODULE and users[m.name] == 1]
    yield "modules under 60 lines with one user", len(alone)
    functions = [f for module in modules.values() for f in _functions(module.tree)]
    yield "functions over 40 lines", sum(_length(f) > LONG_FUNCTION for f in functions)
    yield (
        "functions of more than 5 parameters",
        sum(_parameters(function) > MANY_PARAMETERS for function in functions),
    )


def _public_classes(module: Module) -> list[str]:
    classes = (node for node in module.tree.body if isinstance(node, ast.ClassDef))
    return [node.name for node in classes if not node.name.startswith("_")]


def _functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([name for name in names if name not in {"self", "cls"}])


def circles(modules: Mapping[str, Module]) -> int:
    """How many groups of folders reach each other. What lies in the package itself, from its errors
    to its definitions, is no room."""
    reach: dict[str, set[str]] = defaultdict(set)
    folders = {name: _folder(name, set(modules)) for name in modules}
    for module in modules.values():
        for other in module.imports:
            if "ppr_assets" not in (one := {folders[module.name], folders[other]}) and len(one) > 1:
                reach[folders[module.name]].add(folders[other])
    for _ in reach:  # until it is closed under one step more
        for folder in reach:
            reach[folder] |= {far for near in set(reach[folder]) for far in reach.get(near, ())}
    rings = {frozenset(o for o in reach[f] if f in reach.get(o, ())) for f in reach}
    return len(rings - {frozenset()})


def _folder(name: str, known: set[str]) -> str:
    package = (PACKAGE.parent / name.replace(".", "/")).is_dir()
    return name if package and name in known else name.rpartition(".")[0]


def _watched(
    environment: Mapping[str, str], folder: Path, *words: str, watch: bool
) -> dict[str, list[str]]:
    told = folder / "figures.json"
    variables = {**environment, "FIGURES": str(told), **({"WATCH": "1"} if watch else {})}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words], env=variables, capture_output=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"ppr-assets {' '.join(words)} failed: {done.stderr.decode()}")
    facts: dict[str, list[str]] = json.loads(told.read_text())
    return facts


def reaches() -> Iterator[tuple[str, int]]:
    with tempfile.TemporaryDirectory(prefix="ppr_assets_figures_") as name:
        folder = Path(name)
        folder.chmod(0o755)
        arena = Arena(folder, ORGANIZATIONS)
        try:
            environment = arena.environment()
            _watched(environment, folder, "dump", watch=False)
            for night in ("unchanged", "published"):
                if night == "published":
                    arena.change_one_percent(1)
                facts = _watched(environment, folder, "dump", watch=True)
                yield f"files that {_a(night)} night runs", len(facts["ran"])
                yield f"child processes of {_a(night)} night", len(facts["children"])
            for verb in ("list", "cleanup", "verify"):
                facts = _watched(environment, folder, verb, watch=False)
                yield f"modules that `{verb}` loads", len(facts["loaded"])
        finally:
            arena.stop()


def _a(night: str) -> str:
    return f"an {night}" if night == "unchanged" else f"a {night}"


def main() -> None:
    print("| figure | first | now |\n| --- | --- | --- |")
    for figure, number in (*reaches(), *sizes(read_modules())):
        first = FIRST.get(figure)
        print(
            f"| {figure} | {f'{first:,}' if first is not None else ''} | {number:,} |", flush=True
        )


if __name__ == "__main__":
    main()
