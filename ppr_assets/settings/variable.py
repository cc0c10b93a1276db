"""A variable, declared beside the field that it fills: name, default, rule and meaning.

``read_fields`` fills a frozen dataclass of such fields; nothing here knows which ones there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, field, fields
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar, cast

from msgspec import Struct

from ppr_assets.errors import SettingsError
from ppr_assets.settings.kinds import Kind, UnusableValueError, folder, line
from ppr_assets.settings.secret import Secret

NONE = "none"
REQUIRED = "required"
_LONGEST_SHOWN = 80
_KEY = "variable"


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T")
Group = TypeVar("Group", bound=_Dataclass)


class Variable(Struct, Generic[T], frozen=True):
    """A row of the README's table, and how a text becomes the value.

    ``default`` is text as a person would write it; for a variable without one it says ``none`` or
    ``required``, and ``unset`` is the value. The value of a ``secret`` is never shown.
    """

    name: str
    default: str
    kind: Kind[T]
    description: str
    unset: Any = None
    secret: bool = False

    def text(self, values: Mapping[str, str]) -> str | None:
        """The text given, None when there is none or it is blank.

        Compose files pass an unset variable on as an empty one, so an empty text means "unset".
        """
        text = values.get(self.name, "")
        return (text if self.secret else text.strip()) or None

    def read(self, values: Mapping[str, str]) -> T:
        """The value given, or the default. Raises SettingsError."""
        text = self.text(values)
        if text is None:
            if self.default in (NONE, REQUIRED):
                return cast(T, self.unset)
            text = self.default
        try:
            return self.kind(text)
        except UnusableValueError as error:
            raise self.unusable(text, error) from None

    def unusable(self, text: str, why: UnusableValueError) -> SettingsError:
        """The error that says what ``text`` is and what it must be."""
        shown = "set to a value not shown here" if self.secret or why.hidden else _shown(text)
        return SettingsError(f"{self.name} is {shown}, must be {self.kind.must_be}", hint=why.hint)

    @property
    def rows(self) -> tuple[Variable[Any], ...]:
        """This one, and those that stand in for it."""
        return (self,)


class Password(Variable[Secret | None], frozen=True):
    """A password, which a file may hold instead.

    The one kind of variable whose explicit empty text counts: it is that of a trusting local
    server, and gives way to a file.
    """

    in_file: str = ""
    """What the variable of the file means, whose name ends in ``_FILE``."""

    @property
    def file(self) -> Variable[Path | None]:
        kind = folder.named("a readable file with the password on its only line")
        return Variable(f"{self.name}_FILE", NONE, kind, self.in_file)

    @property
    def rows(self) -> tuple[Variable[Any], ...]:
        return (self, self.file)

    def read(self, values: Mapping[str, str]) -> Secret | None:
        text, file = super().read(values), self.file.read(values)
        if text and file:
            raise SettingsError(
                f"{self.name} and {self.file.name} are both set, must be one of them"
            )
        if file:
            return Secret(read_password(file, self.file.name))
        return text or (Secret("") if self.name in values else None)


def variable(
    name: str,
    default: str,
    kind: Kind[T],
    description: str,
) -> T:
    """A field that the variable ``name`` fills."""
    return _filled_by(Variable(name, default, kind, description))


def optional(name: str, kind: Kind[T], description: str) -> T | None:
    """A field that is None where the variable is not set."""
    return _filled_by(Variable[T | None](name, NONE, kind, description))


def several(
    name: str, kind: Kind[tuple[T, ...]], description: str, *, secret: bool = False
) -> tuple[T, ...]:
    """A field of several, of none where the variable is not set; ``secret``: its text may hold what
    must not be shown, and its values show none of that."""
    return _filled_by(Variable(name, NONE, kind, description, (), secret))


def secret(name: str, kind: Kind[str], description: str) -> Secret | None:
    """A field for what must not be shown."""
    return _filled_by(Variable[Secret | None](name, NONE, _held(kind), description, secret=True))


def password_or_file(name: str, default: str, description: str, *, in_file: str) -> Secret | None:
    """A field for a password; ``in_file`` describes the variable that names a file with it."""
    kind = _held(line.named("a password on one line"))
    return _filled_by(Password(name, default, kind, description, secret=True, in_file=in_file))


def read_fields(group: type[Group], values: Mapping[str, str], **given: object) -> Group:
    """A ``group`` of what ``values`` say; what is ``given`` is for fields without a variable."""
    found = {name: variable.read(values) for name, variable in _declared(group).items()}
    return group(**found, **given)


def variable_of(group: type[_Dataclass], field_name: str) -> Variable[Any]:
    """The variable that fills the field."""
    return _declared(group)[field_name]


def variables_of(group: type[_Dataclass]) -> tuple[Variable[Any], ...]:
    """Every variable of the group, in the order of its fields."""
    return tuple(row for variable in _declared(group).values() for row in variable.rows)


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


def _declared(group: type[_Dataclass]) -> dict[str, Variable[Any]]:
    return {one.name: one.metadata[_KEY] for one in fields(group) if _KEY in one.metadata}


def _filled_by(variable: Variable[T]) -> T:
    return field(default_factory=partial(variable.read, {}), metadata={_KEY: variable})


def _held(kind: Kind[str]) -> Kind[Secret | None]:
    return Kind(lambda text: Secret(kind(text)), kind.must_be)


def _shown(text: str) -> str:
    printed = text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
    return f"`{printed[:_LONGEST_SHOWN]}…`" if len(printed) > _LONGEST_SHOWN else f"`{printed}`"
