"""A variable that is nearly one of ours is named, without its value."""

from __future__ import annotations

import pytest

from ppr_assets.settings import VARIABLES, Settings


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SQL_DUMP_KEEP_LATS", "SQL_DUMP_KEEP_LAST"),
        ("DATA_REPO_URLS", "DATA_REPO_URL"),
        ("POSTGRES_PASSWRD", "POSTGRES_PASSWORD"),
        ("PPR_OPERATORS", "PPR_OPERATOR"),
        ("PUBLISHER_PUSH_ENABLE", "PUBLISHER_PUSH_ENABLED"),
        ("PPR_SQL_DUMP_DIR", "SQL_DUMP_DIR"),
        ("PPR_POSTGRES_HOST", "POSTGRES_HOST"),
        ("SQL_KEEP_LAST", "SQL_DUMP_KEEP_LAST"),
        ("DUMP_DIR", "SQL_DUMP_DIR"),
        ("SQL_DUMP_ALERT_URLS", "PPR_ALERT_URLS"),
        ("sql_dump_keep_last", "SQL_DUMP_KEEP_LAST"),
        ("SHOP_POSTGRES_HOST", None),
        ("COPY_URLS", None),
        ("Sql_dump_min_records", None),
        ("POSTGRES_HOST_AUTH_METHOD", None),
        ("POSTGRES_INITDB_ARGS", None),
        ("DAGSTER_POSTGRES_DB", None),
        ("GIT_AUTHOR_NAME", None),
        ("PATH", None),
    ],
)
def test_what_is_nearly_a_variable_is_named(name: str, meant: str | None) -> None:
    settings = Settings.from_environment({name: "hunter2"}, dotenv=None)
    said = f"{name} is set and does nothing; did you mean {meant}?"
    assert settings.misspelt == ((said,) if meant else ())


def test_none_of_our_own_variables_is_taken_for_another() -> None:
    from ppr_assets.settings.misspelt import misspelt

    names = [one.name for one in VARIABLES]
    assert misspelt(names, names) == ()
