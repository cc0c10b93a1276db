"""The JSON in a job's result: a text with or without a code fence, an object with ``text``, or no
JSON at all where a model refused. Nothing is mended: what was cut off stays unread."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from ppr_assets.records.json_text import NotJson, decoded, repeated_keys, with_nul

_FENCE = re.compile(r"```[ \t]*(?:json[c5]?|JSON)?[ \t]*\r?\n?")
_REFUSAL = re.compile(
    r"\b(?:cannot|can ?not|can'?t|unable|could not|couldn'?t|sorry|apologi[sz]e|i do(?:n'?t| not)"
    r"|invalid json|no (?:valid )?(?:data|json|information)|not? (?:enough|sufficient)"
    r"|unfortunately|test response)\b",
    re.IGNORECASE,
)


class ToldResult(Struct, frozen=True):
    """The value that a result holds."""

    value: Any
    path: str
    was_truncated: bool = False
    repeated: tuple[str, ...] = ()


class RefusedResult(ValueError):
    """The result holds no JSON, and says in prose why not, or nothing."""


class Unreadable(ValueError):
    """The result should hold JSON, and cannot be read."""

    def __init__(self, reason: str, json_path: str) -> None:
        super().__init__(reason)
        self.json_path = json_path


def read_result(result: Any) -> ToldResult:
    """What a result holds. Raises ``Refused`` and ``Unreadable``."""
    if isinstance(result, dict) and isinstance(result.get("text"), str):
        told = _from_text(result["text"], "$.result.text")
        cut = result.get("was_truncated") is True
        return ToldResult(told.value, told.path, cut, told.repeated)
    if isinstance(result, str):
        return _from_text(result, "$.result")
    if result in (None, {}, []):
        raise RefusedResult("an empty result")
    if isinstance(result, (dict, list)):
        return ToldResult(_without_nul(result, "$.result"), "$.result")
    raise Unreadable("a result that is not a text", "$.result")


def _from_text(text: str, path: str) -> ToldResult:
    text = text.strip().removeprefix("\ufeff")
    if not text:
        raise RefusedResult("an empty result")
    body = _json_part(text, path)
    try:
        value = decoded(body)
    except NotJson as error:
        raise Unreadable(str(error), path) from error
    if value in (None, "", {}, []):
        raise RefusedResult("an empty result")
    if "\\u0000" in body:
        _without_nul(value, path)
    return ToldResult(value, path, repeated=tuple(repeated_keys(value, body)))


def _json_part(text: str, path: str) -> str:
    """The text of a whole fence, or all of it where it begins as JSON does."""
    if text[0] in "{[":
        return text
    opening = _FENCE.search(text)
    if opening:
        body = text[opening.end() :]
        closing = body.rfind("```")
        if closing >= 0:
            return body[:closing]
        if body.lstrip()[:1] in ("{", "["):
            raise Unreadable("a code fence that was cut off", path)
    if text[0] == '"' or _is_number(text):
        raise RefusedResult("a result without an object")
    if _REFUSAL.search(text[:2000]):
        raise RefusedResult("a refusal in prose")
    raise RefusedResult("prose instead of JSON")


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"-?\d[\d.eE+-]*|true|false|null", text))


def _without_nul(value: Any, path: str) -> Any:
    where = with_nul(value, path)
    if where:
        raise Unreadable("a NUL character", where)
    return value
