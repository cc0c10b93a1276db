from __future__ import annotations

from pathlib import Path

import pytest

from ppr_assets.errors import SettingsError
from ppr_assets.settings.environment import read_dotenv

BOM = b"\xef\xbb\xbf"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a-file"


def test_a_dotenv_file_is_read_as_written(file: Path) -> None:
    file.write_bytes(
        BOM
        + b"PLAIN=a b # note\n# a note\nexport QUOTED='a # b'\nREFERS=${HOME}/$X\nEMPTY=\nBARE\n"
    )
    assert read_dotenv(file) == {
        "PLAIN": "a b",
        "QUOTED": "a # b",
        "REFERS": "${HOME}/$X",
        "EMPTY": "",
    }


def test_a_dotenv_file_that_is_not_there_says_nothing(file: Path) -> None:
    assert read_dotenv(file) == {}


def test_a_dotenv_line_that_cannot_be_read_is_not_passed_over(file: Path) -> None:
    file.write_text('POSTGRES_HOST=db\nSQL_DUMP_MIN_RECORDS="5000\n')
    with pytest.raises(SettingsError) as caught:
        read_dotenv(file)
    assert caught.value.render() == (
        f"`{file}` line 2 cannot be read, must be `NAME=value`\n"
        "HINT: A value with quotes has to close them."
    )


def test_a_broken_dotenv_line_does_not_show_its_secret(file: Path) -> None:
    file.write_text('POSTGRES_PASSWORD="hunter2\n')
    with pytest.raises(SettingsError) as caught:
        read_dotenv(file)
    assert "hunter2" not in caught.value.render()


def test_a_dotenv_file_that_cannot_be_read_is_named(file: Path) -> None:
    file.mkdir()
    with pytest.raises(SettingsError, match=f"`{file}` cannot be read: is a directory"):
        read_dotenv(file)


def test_a_dotenv_file_of_another_encoding_is_named(file: Path) -> None:
    file.write_bytes("GIT_USER_NAME=Zoë\n".encode("utf-16"))
    with pytest.raises(SettingsError, match=f"`{file}` cannot be read: it is not UTF-8"):
        read_dotenv(file)
