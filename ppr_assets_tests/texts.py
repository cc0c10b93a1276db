"""What users can read of the product, by its syntax trees: messages, texts of help, labels."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache

from ppr_assets_tests.places import ROOT

PACKAGE = ROOT / "ppr_assets"

OTHERS = (
    "demo/sample/",
    "records/result_text.py",
    "records/spellings.py",
    "rules/finds/keys.py",
    "rules/finds/passwords.py",
    "rules/finds/persons.py",
    "rules/finds/service_keys.py",
    "rules/finds/settings.py",
    "rules/replay/words/",
)
"""Where the words are not ours: made-up records, what scrapers write, makers of keys."""

_QUOTED = re.compile(  # code, marks of rich, tags of HTML
    r"```|`[^`]*`|\[/?[a-z]+\]|</\w+>|(?<![.\w])<[a-z][^<>]*>"
)
_NO_TEXT = re.compile(
    r"\(\?|\\[AbBdDsSwWZ.(\[]|\.\*|\w ?\| ?\w|\[\^"  # a regular expression, or a type
    r"|&&|\|\||\$[(\d]|[a-z]\{[a-z]+:"  # shell, or CSS
    r"|^\W*(?:SELECT|WITH|SET|INSERT|UPDATE|DELETE|DROP TABLE|ANALYZE|PRAGMA|FROM|WHERE|VALUES)\b"
    r"|\bAS \w+ (?:JOIN|WHERE)\b|\) AS \w+ \("
)
_EXAMPLE = re.compile(r"^ +(?:\w+=\w+ )?ppr-assets .*$", re.MULTILINE)
_CODE = re.compile(r"[_/\\<>=@{}|*$#%~^+\d]|\w[.:(]\w|^\W*(?:-|\.)[A-Za-z]")
"""In what is no word: a path, a variable, an option, the end of a name, what is filled in."""


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """As :func:`ast.walk`, parents first, without names and marks that hold nothing; in half the
    time."""
    waiting = [node]
    while waiting:
        yield (node := waiting.pop())
        for field in node._fields:
            below = getattr(node, field, None)
            children = below if isinstance(below, list) else (below,)
            waiting += [
                child
                for child in children
                if isinstance(child, ast.AST) and not isinstance(child, _BARE)
            ]


_BARE = (ast.Name, ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.alias)


def _strings(tree: ast.Module) -> Iterator[str]:
    """Whatever may be shown: with ``{}`` for what is filled in; of docstrings those that are texts
    of help."""
    seen: set[int] = set()  # docstrings, and the pieces of what is filled in
    for node in _nodes(tree):
        match node:
            case ast.Expr(value=ast.Constant() as docstring):
                seen.add(id(docstring))
            case ast.JoinedStr(values=pieces):
                seen.update(map(id, pieces))
                yield "".join(
                    str(piece.value) if isinstance(piece, ast.Constant) else "{}"
                    for piece in pieces
                )
            case ast.Constant(value=str(text)) if id(node) not in seen:
                yield text
            case ast.FunctionDef(decorator_list=marks) if any(map(_is_verb, marks)):
                yield ast.get_docstring(node) or ""
            case ast.ClassDef(bases=[ast.Attribute(attr="Config")]):
                yield ast.get_docstring(node) or ""


def _is_verb(mark: ast.expr) -> bool:
    return isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith((".command", ".group"))


def words(text: str) -> set[str]:
    """Its words in small letters, without paths, keywords in capitals, and single letters."""
    said = " ".join(piece for piece in text.split() if not _CODE.search(piece))
    found = re.findall(r"[A-Za-z]+(?:'t\b)?", said)
    return {word.lower() for word in found if len(word) > 1 and not word.isupper()}


NAMED = {"AssetCheckSpec", "AssetSpec", "TableColumn", "define_asset_job"}
"""What gives its first word to the user interface."""


def _labels(tree: ast.Module) -> Iterator[str]:
    """Words that something is shown under."""
    for node in _nodes(tree):
        for label in _labels_of(node):
            first = label.values[0] if isinstance(label, ast.JoinedStr) else label
            word = first.value if isinstance(first, ast.Constant) else None
            if isinstance(word, str) and re.fullmatch("[a-z][a-z0-9 _/]*", word):
                yield word


def _labels_of(node: ast.AST) -> Sequence[ast.expr | None]:
    """Keys of mappings, the first of two words that make a line, names that Dagster shows, and what
    can be filled in in the Launchpad."""
    match node:
        case ast.Dict(keys=keys):
            return keys
        case ast.Subscript(ctx=ast.Store(), slice=key):
            return [key]
        case ast.Tuple(elts=[label, _]):
            return [label]
        case ast.Call(func=called, args=words, keywords=given):
            named = [word.value for word in given if word.arg in {"name", "group_name"}]
            return named + words[: ast.unparse(called).rpartition(".")[2] in NAMED]
        case ast.FunctionDef(name=name, decorator_list=marks) if any(map(_is_verb, marks)):
            return [ast.Constant(name.strip("_"))]
        case ast.ClassDef(bases=[ast.Attribute(attr="Config")], body=lines):
            fields = [line.target for line in lines if isinstance(line, ast.AnnAssign)]
            return [ast.Constant(ast.unparse(field)) for field in fields]
    return []


Said = list[tuple[str, str]]
"""Each after the path of its module, below ``ppr_assets/``."""


@cache
def said() -> tuple[Said, Said]:
    """Strings of all modules, and labels of what verbs and Dagster show."""
    told: Said = []
    shown: Said = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(OTHERS):
            tree = ast.parse(path.read_bytes())  # not kept: the collector would go through all
            told += [(name, text) for text in _strings(tree)]
            if name.startswith(("cli/", "orchestration/")):
                shown += [(name, label) for label in _labels(tree)]
    return told, shown


@cache
def texts() -> Said:
    """Those strings that have several words and are no code, without what they quote as code."""
    found = ((name, _QUOTED.sub("`…`", _EXAMPLE.sub(" ", text))) for name, text in said()[0])
    return [(name, text) for name, text in found if " " in text and not _NO_TEXT.search(text)]
