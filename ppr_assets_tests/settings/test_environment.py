from __future__ import annotations

from pathlib import Path

import pytest

from ppr_assets.errors import SettingsError
from ppr_assets.settings.environment import read_dotenv
from ppr_assets.settings.variables.password_file import read_password

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


@pytest.mark.parametrize("content", ["pass w0rd", "pass w0rd\n", "pass w0rd\r\n"])
def test_one_line_ending_is_not_part_of_the_password(file: Path, content: str) -> None:
    file.write_bytes(content.encode())
    assert read_password(file, "POSTGRES_PASSWORD_FILE") == "pass w0rd"


@pytest.mark.parametrize("content", [" a ", "Zoë", "# a"])
def test_everything_else_on_the_line_is_part_of_the_password(file: Path, content: str) -> None:
    file.write_text(content + "\n")
    assert read_password(file, "POSTGRES_PASSWORD_FILE") == content


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"hunter2\nhunter3\n", "has more than one printable line"),
        (b"hunter2\n\n", "has more than one printable line"),
        (b"hunter2\0", "has more than one printable line"),
        (b"hunter2\xff", "is not UTF-8"),
    ],
)
def test_a_file_that_holds_no_password_is_named_unseen(
    file: Path, content: bytes, why: str
) -> None:
    file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        read_password(file, "POSTGRES_PASSWORD_FILE")
    assert f"POSTGRES_PASSWORD_FILE `{file}` {why}" in caught.value.message
    assert "hunter" not in caught.value.render()
    assert caught.value.__cause__ is None  # a decoding error carries the bytes


def test_a_missing_password_file_is_named(file: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_password(file, "POSTGRES_PASSWORD_FILE")
    assert caught.value.message == (
        f"POSTGRES_PASSWORD_FILE `{file}` cannot be read: no such file or directory"
    )


def test_a_password_file_that_is_a_folder_is_named(file: Path) -> None:
    file.mkdir()
    with pytest.raises(SettingsError, match="cannot be read: is a directory"):
        read_password(file, "POSTGRES_PASSWORD_FILE")
