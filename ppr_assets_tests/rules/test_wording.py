"""The first few of many words, and words for a shell."""

import subprocess

import pytest

from ppr_assets.rules.wording import few, plural, shell_word, visible


def test_the_first_few_and_how_many_there_are_beside() -> None:
    assert few([], 2) == ""
    assert few(["a", "b"], 2) == "a, b"
    assert few(["a", "b", "c"], 2) == "a, b and 1 more"
    assert few([1, 2, 3, 4], 2, between="; ", rest="; {} more tables") == "1; 2; 2 more tables"


@pytest.mark.parametrize(
    "text", ["a", "-a.B", '$HOME `id` "it\'s" \\', "é\n1", "\r\x1b[2J'\\n é\t7"]
)
def test_a_shell_reads_a_word_as_it_is(text: str) -> None:
    word = shell_word(text)
    assert word.isprintable()
    command = ["bash", "-c", f"printf %s {word}"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == text.encode()


def test_what_a_terminal_would_obey_is_written_out() -> None:
    assert visible("a\tb\nc é “ü”") == "a\tb\nc é “ü”"
    assert visible("\x1b[31m\r\x9b1\u202e\u2028\0") == r"\x1b[31m\r\x9b1\u202e\u2028\x00"


@pytest.mark.parametrize(("count", "said"), [(0, "0 dumps"), (1, "1 dump"), (2, "2 dumps")])
def test_one_is_no_several(count: int, said: str) -> None:
    assert plural(count, "dump") == said
