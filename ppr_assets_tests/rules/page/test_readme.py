from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from ppr_assets.rules.gate.ratchet import Override
from ppr_assets.rules.naming import dump_name
from ppr_assets.rules.page.past import Past, PastNight
from ppr_assets.rules.page.readme import BEGIN, END, escaped, with_page
from ppr_assets.rules.page.static import is_static_page, static_page
from ppr_assets.rules.page.words import KeptDump, Page, restoring
from ppr_assets.rules.recorded.manifest import Manifest
from ppr_assets.rules.recorded.parts import Proof
from ppr_assets_tests.places import ROOT
from ppr_assets_tests.rules.page.nights import FIRST
from ppr_assets_tests.rules.recorded.test_manifest import MANIFEST

GOLDENS = ROOT / "ppr_assets_tests" / "rules" / "page"
EVIL = "<script>alert(1)</script> | [x](javascript:y) ![](http://e.org/t) `@ann` \x1b[31m\u202e"


def page_of(*manifests: Manifest, in_parts: bool = False) -> Page:
    kept = [KeptDump(one.dump, one, in_parts) for one in reversed(manifests)]
    return Page(kept, kept[0], Past().with_(map(PastNight.of_manifest, manifests)).thinned())


def some(count: int) -> list[Manifest]:
    """Of which the middle one was overridden, and the first not proven."""
    plain = replace(MANIFEST, override=None, bytes=84_000_000)
    made = []
    for number in range(count):
        moment = FIRST + timedelta(days=number)
        proof = Proof("server", moment, "18.6", 2.25)
        made.append(replace(plain, dump=dump_name(moment), snapshot_at=moment, proof=proof))
    made[0] = replace(made[0], proof=Proof("off", FIRST))
    made[count // 2] = replace(made[count // 2], override=MANIFEST.override)
    return made


def test_the_page_reads_as_it_did() -> None:
    page = page_of(*some(3))
    made = {"page.md": (with_page(None, page) or b"").decode(), "page.html": static_page(page)}
    for name, text in made.items():
        assert text == (GOLDENS / name).read_text(encoding="utf-8")


def test_sixty_dumps_and_many_more_are_below_100_kilobytes() -> None:
    assert len(with_page(None, page_of(*some(60))) or b"") < 20_000
    many = with_page(None, page_of(*some(4000))) or b""
    assert len(many) < 40_000
    assert b"3900 older dumps are in this folder as well" in many


def test_what_humans_wrote_is_shown_and_does_nothing() -> None:
    (manifest,) = some(1)
    page = page_of(replace(manifest, override=Override(EVIL, "Launchpad", "Ann|<b>")))
    markdown, html = (with_page(None, page) or b"").decode(), static_page(page)
    for text in (markdown, html):
        assert "<script>" not in text
        assert "<b>" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text
    (row,) = (line for line in markdown.splitlines() if line.startswith("| [2016"))
    assert r"Ann\|&lt;b&gt;\: &lt;script&gt;alert\(1\)" in row, row
    assert r"\!\[\]\(http\:\/\/e\.org\/t\) \`\@ann\`" in row
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_a_reason_is_as_long_as_a_cell() -> None:
    (manifest,) = some(1)
    page = page_of(replace(manifest, override=Override("why " * 9000, "Launchpad")))
    assert len(with_page(None, page) or b"") < 5000


def test_what_a_human_wrote_around_the_page_stays() -> None:
    ours = f"{BEGIN}\nold\n{END}"
    content = f"# Ours\r\n\xe9\r\n{ours}\r\nmore\r\n".encode("latin-1")
    made = with_page(content, page_of(*some(2))) or b""
    before, after = content.split(ours.encode())
    assert made.startswith(before + BEGIN.encode())
    assert made.endswith(END.encode() + after)
    assert with_page(made, page_of(*some(2))) == made


@pytest.mark.parametrize(
    "content", ["", "# Theirs\n", BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"]
)
def test_a_file_without_a_place_for_it_is_left_alone(content: str) -> None:
    assert with_page(content.encode(), page_of(*some(1))) is None


def test_three_lines_restore_it_and_the_first_holds_it_to_its_manifest() -> None:
    for in_parts in (False, True):
        lines = restoring(page_of(*some(1), in_parts=in_parts))
        assert len(lines) == 3
        assert MANIFEST.sha256 in lines[0]


def test_without_a_dump_it_says_so() -> None:
    page = Page((), None, Past())
    assert "No dump was published yet" in (with_page(None, page) or b"").decode()
    assert "No dump was published yet" in static_page(page)
    assert is_static_page(static_page(page))


def test_escaped_letters_are_shown_as_they_are() -> None:
    assert escaped("a_b|c & d") == r"a\_b\|c &amp; d"
