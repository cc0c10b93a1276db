"""The page as one HTML file that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from ppr_assets.rules.page.picture import described, picture
from ppr_assets.rules.page.words import (
    HEADING,
    MOST_ROWS,
    NUMBERS,
    KeptDump,
    Page,
    left_out,
    newest,
    remarks,
    restoring,
    row,
    warning,
)

_TITLE = "Dumps of Pantry Pirate Radio's database"
_STYLE = """\
:root{color-scheme:light dark;
--paper:#fff;--ink:#1f2328;--dim:#59636e;--rule:#d1d9e0;--shade:#eef1f4}
@media(prefers-color-scheme:dark){
:root{--paper:#0d1117;--ink:#f0f6fc;--dim:#9198a1;--rule:#3d444d;--shade:#151b23}}
body{margin:2rem auto;padding:0 1rem;max-width:64rem;font:1rem/1.5 system-ui,sans-serif;
background:var(--paper);color:var(--ink)}
svg{max-width:100%;height:auto}pre{background:var(--shade);padding:1rem;overflow-x:auto}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
caption{text-align:left;color:var(--dim)}th,td{border-bottom:1px solid var(--rule);
padding:.3rem .8rem .3rem 0;text-align:left;vertical-align:top}
.t{white-space:nowrap;font-weight:normal}.n{text-align:right;white-space:nowrap}
td:last-child{overflow-wrap:anywhere;min-width:12rem}"""
_MARKER = '<meta name="generator" content="ppr-assets page">'
_HEAD = f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
{_MARKER}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{_TITLE}</title>
<style>
{_STYLE}
</style>
</head>
<body>
<main>
<h1>{_TITLE}</h1>"""


def static_page(page: Page) -> str:
    """The whole file."""
    return "\n".join(_lines(page)) + "\n"


def is_static_page(text: str) -> bool:
    """Whether :func:`static_page` made this, whatever somebody has changed since."""
    return _MARKER in text


def _lines(page: Page) -> Iterator[str]:
    yield _HEAD
    if page.latest is None:
        yield "<p>No dump was published yet.</p>"
    else:
        yield f"<p>The newest dump is <strong>{escape(page.latest.name)}</strong>."
        yield f"{escape(' '.join([*newest(page), *remarks(page)]))}</p>"
        yield from _restoring(page)
        yield f"<h2>All nights</h2>\n{picture(page.past)}<p>{escape(described(page.past))}</p>"
        yield from _table(page)
    yield "</main>\n</body>\n</html>"


def _restoring(page: Page) -> Iterator[str]:
    if commands := restoring(page):
        yield "<h2>Restore it</h2>\n<p>In the folder of the dumps:</p>"
        yield f'<pre tabindex="0"><code>{escape(chr(10).join(commands))}</code></pre>'
        yield f"<p>{escape(warning(page).replace('`', ''))}</p>"


def _table(page: Page) -> Iterator[str]:
    yield "<h2>Dumps in the folder</h2>"
    yield '<div class="wide" tabindex="0" role="region" aria-label="Dumps">\n<table>'
    yield f"<caption>{left_out(page)}Proven: restored before it was published.</caption>"
    heads = (f'<th scope="col"{_class(n)}>{name}</th>' for n, name in enumerate(HEADING))
    yield f"<thead><tr>{''.join(heads)}</tr></thead>\n<tbody>"
    for dump in page.kept[:MOST_ROWS]:
        yield _row(dump)
    yield "</tbody>\n</table>\n</div>"


def _row(dump: KeptDump) -> str:
    time, *cells = map(escape, row(dump))
    told = (f"<td{_class(n)}>{cell}</td>" for n, cell in enumerate(cells, start=1))
    return f'<tr><th scope="row" class="t">{time}</th>{"".join(told)}</tr>'


def _class(column: int) -> str:
    return ' class="n"' if column in NUMBERS else ""
