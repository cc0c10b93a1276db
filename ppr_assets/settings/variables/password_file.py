"""A file with a password on its only line, and why a file cannot be read."""

from __future__ import annotations

from pathlib import Path

from ppr_assets.errors import SettingsError


def read_password(path: Path, variable: str) -> str:
    """The only line of the password file that ``variable`` names. Raises SettingsError, which
    never shows its content."""
    name = f"{variable} `{path}`"
    try:
        # Bytes, since reading text would turn every line ending into \n before we look at them.
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise SettingsError(f"{name} cannot be read: {why_unreadable(error)}") from error
    except UnicodeDecodeError:
        raise SettingsError(f"{name} is not UTF-8, must hold the password on one line") from None
    password = text.removesuffix("\n").removesuffix("\r")
    if not password:
        raise SettingsError(
            f"{name} is empty, must hold the password on one line",
            hint="For a local server that asks for none, set "
            f"{variable.removesuffix('_FILE')} to an empty text.",
        )
    if not password.isprintable():
        raise SettingsError(f"{name} has more than one printable line, must hold the password only")
    return password


def why_unreadable(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return (error.strerror or type(error).__name__).lower()
