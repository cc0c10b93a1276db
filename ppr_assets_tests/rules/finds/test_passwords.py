"""Passwords that are told from what only looks like one."""

from __future__ import annotations

from time import process_time

import pytest

from ppr_assets.rules.finds.passwords import PASSWORDS


@pytest.mark.parametrize(
    "text",
    [
        "https://www.google.com/maps/@40.7128,-74.0060,15z",
        "https://example.org/a:b@c",
        "mailto:info@example.org",
        "https://info@example.org",
        "postgresql://user:***@db/pantry",
        "postgresql://user:${PASSWORD}@db/pantry",
        "postgresql://user:<password>@db/pantry",
        "Call 555-1234: ask for Ann @ the desk",
        "The wifi password is free-food",
        "password=",
        "password=x",
        "SELECT * FROM a WHERE password = p_password AND username = p_user",
        "UPDATE a SET password = public.crypt(secret, salt), username = 'x'",
        "host=db user=ann password=$PASSWORD",
        "  password = p_password;\n  username = p_username;\n",
        '<input type="password" name="pwd" value="">',
        "sha256 5f4dcc3b5aa765d61d8327deb882cf99",
        "md5: 5f4dcc3b5aa765d61d8327deb882cf99",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "It costs $2 and $6$ or $1$ a bag",
        "$2b$12$too.short",
        "Authorization: Bearer <token>",
        "Bring an authorization: basic forms are at the desk",
        "https://example.org/reset?user=ann",
    ],
)
def test_this_is_no_password(text: str) -> None:
    assert [kind.name for kind in PASSWORDS if kind.found(text.encode(), "description")] == []


@pytest.mark.parametrize(
    "text",
    [
        "host=db.example.org port=5432 dbname=pantry user=ann password='four words and more'",
        "password=hunter22 host=db",
        "host=db password=hunter(22",
        "Data Source=db;Initial Catalog=pantry;User ID=sa;Pwd=hunter22",
        "jdbc:sqlserver://db:1433;databaseName=pantry;user=sa;password={hunter 22};",
        "postgresql://db/pantry?user=ann&password=hunter22",
        "jdbc:postgresql://db/pantry?password=hunter22",
        "POSTGRES_HOST=db\nPOSTGRES_PASSWORD=hunter22\nPOSTGRES_USER=ann",
        "mysql:host=db;dbname=pantry;password=hunter22",
        "ftp://ann:hunter22@files.example.org/menu.pdf",
        "https://:hunter22@[2001:db8::1]/",
    ],
)
def test_this_is_one(text: str) -> None:
    found = {kind.name for kind in PASSWORDS if kind.found(text.encode(), "description")}
    assert found and found <= {"connection string", "URL with a password"}


@pytest.mark.parametrize("piece", ["scrypt$", "pbkdf2_", "password=", "jdbc:oracle:a:a/", "$6$"])
def test_a_long_value_made_to_be_looked_at_takes_no_long_time(piece: str) -> None:
    value = (piece * 20_000).encode()
    started = process_time()
    for kind in PASSWORDS:
        kind.found(value, "description")
    assert process_time() - started < 2
