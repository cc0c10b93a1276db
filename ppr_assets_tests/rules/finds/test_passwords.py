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
        "X-Auth-Key: your-global-api-key-here",
        "the header x-pantry-api-key holds the api key of the day",
        "Authorization: SSWS ${OKTA_TOKEN}",
        "https://example.org/reset?user=ann",
        "ssh://git@git.example.org/x",
        "ssh://APKAEIBAERJR2EXAMPLE7X@git.example.org/x",
        "https://www@example.org",
        "https://jsmith2020@dev.example.org/pantry",
        "https://JohnSmith2020@dev.example.org/pantry",
        "mailto:s3cr3tToken123@example.org",
        "write to s3cr3tToken123@example.org",
        "http://stjohns2ndstreet@gmail.com",
        "http://www.food4u2day.org,info@food4u2day.org",
        "https://medium.example.org/@s3cr3tToken123@example.org",
        "https://YOUR_TOKEN_HERE@git.example.org/x",
        "https://${TOKEN}@git.example.org/x",
        "user:<password>@tcp(db:3306)/pantry",
        "${USER}:${PASSWORD}@tcp(db:3306)/pantry",
        "mail ann@tcp (the club)",
        "localhost:5432:pantry:ann:****",
        "2001:0db8:1234:0001:abcd:ef01:2345:6789",
        "00:1234:5678:9012:34",
        "census:2020:tract:county:06075",
        "Mon 10:00:00:12:30:4567",
        "open 1000:1600:mon:tue:wednesday",
        "DB_PASSWORD=",
        "DB_PASSWORD=$DB_PASSWORD",
        "DB_PASSWORD=${PASSWORD:-}",
        "DB_PASSWORD=<your password>",
        "DB_PASSWORD=os.environ['OTHER']",
        "DB_PASSWORD=getpass.getpass()",
        "P_PASSWORD=V_PASSWORD",
        "BUS_PASS=free",
        "FOREIGN_KEY=organization_id",
        "OBJECT_KEY=uploads/2026/07/a3f9/menu.pdf",
        "https://example.org/?db_password=hunter22",
        '{"password": null, "token": "", "passwords": "a1b2c3"}',
        '{"password": "required", "secret": "ingredient"}',
        '{"password": "<password>", "token": "${TOKEN}", "pwd": "{{ pwd }}"}',
        '{"next_token": "page-2", "type": "token", "name": "password"}',
        '{"properties": {"password": {"type": "string"}}}',
        "Zoom meeting 123 456 789, password: bread22",
        "Meeting ID: 123\nPassword: bread22\nHost: Mary",
        "password: bread22\nfood: soup",
        "the password 'bread' opens the door, options (ask by 'name')",
        "CREATE ROLE ann PASSWORD NULL; a comment on 'password'",
        "identified by the sign 'open'",
        "the machine at the desk login page password reset",
        "curl -u ann https://example.org/",
        "sort -u names:addresses",
        "X-API-Key: your key",
        "and/or@example.org",
        "soup/bread@example.org:8080/menu",
        "write to: ann@/home, home:work@/",
        "postgresql://db:5432/pantry?mail=ann@example.org",
        "redis://cache:6379,cache2:6379/0@x",
    ],
)
def test_this_is_no_password(text: str) -> None:
    assert _found(text) == set()


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
    assert _found(text) & {"connection string", "URL with a password"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("https://s3cr3tToken123@git.example.org/x", "URL with a token"),
        ("git clone https://a7f3%2Bq9c2e1d8b4a6@git.example.org", "URL with a token"),
        ("redis://0f8fad5b-d9cb-469f-a165-70867728950e:@[2001:db8::1]/0", "URL with a token"),
        ("ann:hunter22@tcp(db:3306)/pantry", "Go MySQL DSN"),
        ("ann:p@ss/w:rd@tcp([2001:db8::1]:3306)/pantry", "Go MySQL DSN"),
        ("ann:hunter22@unix(/run/mysqld.sock)/pantry", "Go MySQL DSN"),
        ("db:5432:pantry:ann:hunter22", "PostgreSQL password file"),
        ("# mine\ndb.example.org:6543:*:ann:hunter22\n", "PostgreSQL password file"),
        ("127.0.0.1:*:pan\\:try:ann:hunter\\:22", "PostgreSQL password file"),
        ("/run/postgresql:5432:pantry:ann:hunter22", "PostgreSQL password file"),
        ("*:*:*:ann:hunter22", "PostgreSQL password file"),
        ("DB_PASS=hunter22", "secret in a variable"),
        ("A=1\nexport SMTP_PASSWORD='four words and more'", "secret in a variable"),
        ("docker run -e PGPASSWORD=hunter22 postgres", "secret in a variable"),
        ("WORDPRESS_DB_PASSWORD=hunter22(", "secret in a variable"),
        ("DJANGO_SECRET_KEY=k3!9x#f7q2@w8z5$v1", "secret in a variable"),
    ],
)
def test_this_one_stands_by_itself(text: str, kind: str) -> None:
    assert _found(text) == {kind}


def _found(text: str) -> set[str]:
    return {kind.name for kind in PASSWORDS if kind.found(text.encode(), "description")}


@pytest.mark.parametrize(
    "piece",
    ["postgres://a:", "machine a ", "curl -u ", "options(password ",
     "password: ",
     "'token':", "CREATE USER a ", "a/bcd@a:1521", "0", "Az+ASt",
     "scrypt$", "pbkdf2_", "password=", "jdbc:oracle:a:a/", "$6$", "://a1b2c3d4e5f6g", ":a@tcp(",
     "a.b:5432:", "*:*:", "A_PASS=", "AB_"],
)  # fmt: skip
def test_a_long_value_made_to_be_looked_at_takes_no_long_time(piece: str) -> None:
    value = (piece * 20_000).encode()
    started = process_time()
    for kind in PASSWORDS:
        kind.found(value, "description")
    assert process_time() - started < 2
