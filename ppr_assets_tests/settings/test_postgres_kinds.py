from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ppr_assets.rules.naming import table_key
from ppr_assets.settings import postgres_kinds as kinds
from ppr_assets.settings.kinds import UnusableValueError


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("all", None),
        ("ALL", None),
        ("organization", ("organization",)),
        ("organization, location ,service", ("organization", "location", "service")),
        ("phone,phone", ("phone",)),
        ("public.phone", ("phone",)),
        ("staging.raw", ("staging.raw",)),
        ('"My, table",staging."a""b"', ('"My, table"', 'staging."a""b"')),
    ],
)
def test_tables_are_named_as_in_manifests(text: str, tables: tuple[str, ...] | None) -> None:
    assert kinds.table_names(text) == tables


NAMES = st.text(st.characters(exclude_characters="\0"), min_size=1)


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, unique=True))
def test_every_table_can_be_named(tables: list[tuple[str, str]]) -> None:
    keys = [table_key(schema, name) for schema, name in tables]
    if keys != ["all"]:
        assert kinds.table_names(", ".join(keys)) == tuple(keys)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *[(kinds.port, text) for text in ("0", "70000", "-1", "5_432", "+5432", "٥٤٣٢", "5432.0")],
        *[(kinds.host, text) for text in ("postgresql://db/x", "db 1", "db\n", "hostaddr=db")],
        *[(kinds.host, text) for text in ("db:5432", "a,db:5432", "[::1]", "app@db")],
        *[(kinds.database, text) for text in ("host=evil", "postgresql://evil/db", "a\nb")],
        *[(kinds.sslmode, text) for text in ("on", "REQUIRE", "verify")],
        *[(kinds.table_names, text) for text in (",", "a,,b", "a,", "a b", "a.b.c", "Phone", '"')],
        *[(kinds.postgres_url, text) for text in ("mysql://x", "host=x", "postgresql+asyncpg://x")],
    ],
)
def test_what_cannot_be_used_is_not_read_as_something_else(
    kind: Callable[[str], object], text: str
) -> None:
    with pytest.raises(UnusableValueError):
        kind(text)


@pytest.mark.parametrize("text", ["db", "::1", "fe80::1%eth0", "a,b", "/run/a:1=@b", "@abstract"])
def test_names_addresses_and_socket_folders_are_hosts(text: str) -> None:
    assert kinds.host(text) == text


@pytest.mark.parametrize("kind", [kinds.host, kinds.database])
@pytest.mark.parametrize(
    "text", ["postgresql://app:hunter2@db/food", "host=db password=hunter2", "app:hunter2@db ="]
)
def test_a_connection_string_is_not_shown(kind: Callable[[str], object], text: str) -> None:
    with pytest.raises(UnusableValueError) as caught:
        kind(text)
    assert caught.value.hidden


@given(st.text())
def test_no_text_breaks_a_kind(text: str) -> None:
    for kind in (
        kinds.port,
        kinds.host,
        kinds.database,
        kinds.table_names,
        kinds.postgres_url,
    ):
        try:
            kind(text)
        except UnusableValueError:
            continue


def test_a_port_that_kubernetes_set_is_explained() -> None:
    with pytest.raises(UnusableValueError) as caught:
        kinds.port("tcp://10.0.0.7:5432")
    assert "enableServiceLinks: false" in caught.value.hint


@pytest.mark.parametrize("text", ["table", "materialized view kept", "extension, dependents"])
def test_no_proof_goes_without_rows(text: str) -> None:
    assert kinds.left_out("extension cube, view") == ("extension cube", "view")
    with pytest.raises(UnusableValueError):
        kinds.left_out(text)
