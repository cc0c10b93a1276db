"""Passwords, hashed or as they are, in what programs read."""

from __future__ import annotations

from collections.abc import Mapping

from ppr_assets_tests.planted.making import (
    BASE64,
    CRYPT,
    HEX,
    HOST,
    MD5,
    NAME,
    PASSWORD,
    SCRAM,
    URL_SAFE,
    WORD,
    Make,
    joined,
    key,
    one_of,
)

PASSWORDS: Mapping[str, Make] = {
    "bcrypt hash": one_of(
        key("$2b$12$", CRYPT, 53),
        key("$wp$2y$10$", CRYPT, 53),
        key("bcrypt_sha256$$2b$12$", CRYPT, 53),
        joined("$bcrypt-sha256$v=2,t=2b,r=12$", (CRYPT, 22), "$", (CRYPT, 31)),
    ),
    "Argon2 hash": one_of(
        *(
            joined(f"{one}$argon2id$v=19$m=65536,t=3,p=4$", (BASE64, 22), "$", (BASE64, 43))
            for one in ("", "argon2")
        )
    ),
    "scrypt hash": one_of(
        joined("scrypt:32768:8:1$", (WORD, 16), "$", (HEX, 128)),
        joined("$scrypt$ln=16,r=8,p=1$", (BASE64, 22), "$", (BASE64, 43)),
        joined("scrypt$", (WORD, 12), "$16384$8$1$", (BASE64, 86), "=="),
    ),
    "PBKDF2 hash": one_of(
        joined("pbkdf2_sha256$600000$", (WORD, 22), "$", (BASE64, 43), "="),
        joined("$pbkdf2-sha512$25000$", (CRYPT, 22), "$", (CRYPT, 86)),
        joined("pbkdf2:sha256:260000$", (WORD, 16), "$", (HEX, 64)),
        joined("grub.pbkdf2.sha512.10000.", (HEX.upper(), 128), ".", (HEX.upper(), 128)),
    ),
    "SHA-512 crypt hash": one_of(
        joined("$6$", (CRYPT, 16), "$", (CRYPT, 86)),
        joined("$6$rounds=656000$", (CRYPT, 16), "$", (CRYPT, 86)),
    ),
    "SHA-256 crypt hash": joined("$5$", (CRYPT, 16), "$", (CRYPT, 43)),
    "MD5 crypt hash": one_of(*(joined(one, (CRYPT, 8), "$", (CRYPT, 22)) for one in MD5)),
    "yescrypt hash": joined("$y$j9T$", (CRYPT, 22), "$", (CRYPT, 43)),
    "phpass hash": one_of(key("$P$B", CRYPT, 30), key("$S$E", CRYPT, 51)),
    "PostgreSQL SCRAM verifier": one_of(
        joined("SCRAM-SHA-256$", SCRAM), joined("SCRAM-SHA-512$", SCRAM)
    ),
    "PostgreSQL MD5 verifier": key("md5", HEX, 32),
    "LDAP password hash": one_of(
        *(key(one, BASE64, 40) for one in ("{SSHA}", "{ssha}", "{PKCS5S2}", "{PBKDF2_SHA256}")),
        key("{SHA}", BASE64, 27, "="),
        joined("{ARGON2}$argon2i$v=19$m=4096,t=3,p=1$", (BASE64, 22), "$", (BASE64, 43)),
    ),
    "MySQL password hash": key("*", HEX.upper(), 40),
    "MySQL SHA-2 password hash": joined("$A$005$", (WORD, 20), (CRYPT, 43)),
    "SQL Server password hash": key("0x0200", HEX.upper(), 136),
    "Oracle password verifier": key("S:", HEX.upper(), 60),
    "SHA-1 crypt hash": joined("$sha1$40000$", (CRYPT, 8), "$", (CRYPT, 28)),
    "Cisco password hash": joined("$9$", (CRYPT, 14), "$", (CRYPT, 43)),
    "salted digest": one_of(
        joined("sha1$", (WORD, 12), "$", (HEX, 40)), joined("sha256$", (WORD, 8), "$", (HEX, 64))
    ),
    "ASP.NET Identity hash": key("AQAAAAIAAYagAAAAE", BASE64, 67),
    "URL with a password": one_of(
        *(
            joined(f"{scheme}://", NAME, ":", PASSWORD, f"@{HOST}/pantry")
            for scheme in ("postgresql", "https", "amqp", "mongodb+srv")
        ),
        joined("redis://:", PASSWORD, f"@{HOST}:6379/0"),
        joined("postgresql+psycopg://", NAME, ":a/", (WORD, 8), f"?#@{HOST}/pantry"),
    ),
    "URL with a token": one_of(
        joined("https://a7", (WORD, 12), f"3@{HOST}/x"),
        joined("http://x0", (HEX, 38), f"a1:@{HOST}"),
    ),
    "connection string": one_of(
        joined(f"host={HOST} dbname=pantry user=", NAME, " password=", PASSWORD),
        joined("password = ", (WORD, 12), f" host = {HOST}"),
        joined(f"jdbc:postgresql://{HOST}/pantry?user=", NAME, "&password=", (WORD, 12)),
        joined(f"Server={HOST};Database=pantry;User Id=", NAME, ";Password=", (WORD, 12), ";"),
        joined("DRIVER={ODBC};UID=", NAME, ";PWD=", (WORD, 12)),
        joined("connect(host=x, user=", NAME, ", password=", (WORD, 12), ")"),
        joined("[client]\nuser = ", NAME, "\npassword = ", (WORD, 12), f"\nhost = {HOST}"),
    ),
    "Go MySQL DSN": one_of(
        joined(NAME, ":", PASSWORD, f"@tcp({HOST}:3306)/pantry?parseTime=true"),
        joined(NAME, ":", PASSWORD, "@unix(/run/mysqld/mysqld.sock)/pantry"),
        joined(NAME, ":", PASSWORD, "@/pantry"),
    ),
    "PostgreSQL password file": one_of(
        joined(f"{HOST}:5432:pantry:", NAME, ":", PASSWORD),
        joined("*:*:*:", NAME, ":", PASSWORD),
        joined("db:5432:*:", NAME, ":", PASSWORD),
    ),
    "secret in a variable": one_of(
        joined("DB_PASS=", PASSWORD),
        joined("SMTP_PASSWORD=", PASSWORD),
        joined("PGPASSWORD=", (WORD, 12)),
        joined("PANTRY_API_KEY=q1", (WORD, 30)),
        joined("DB_PASSWORD: q1", (WORD, 12)),
        joined('"SMTP_PASSWORD": "q1', (WORD, 12), '"'),
    ),
    "secret in JSON": one_of(
        joined('{"user": "ann", "password": "q1', (WORD, 8), '"}'),
        joined('{"db_passwd":"q1', (WORD, 8), '"}'),
        joined("{'clientSecret': 'q1", (WORD, 30), "'}"),
        joined('{"access_token" : "q1', (WORD, 30), '"}'),
    ),
    "password in YAML": joined("db:\n  host: db\n  password: ", (WORD, 12), "\n"),
    "password in SQL": one_of(
        joined("ALTER ROLE ann WITH LOGIN PASSWORD '", (WORD, 12), "'"),
        joined("CREATE USER 'ann'@'%' IDENTIFIED BY '", (WORD, 12), "'"),
        joined("CREATE USER MAPPING FOR a SERVER b OPTIONS (password '", (WORD, 12), "')"),
    ),
    "netrc password": one_of(
        joined("machine db.example.org login ann password ", (WORD, 12)),
        joined("machine db.example.org\n  login ann\n  password ", (WORD, 12)),
    ),
    "password for curl": joined("curl -s -u ann:", (WORD, 12), f" https://{HOST}/"),
    "Docker login": joined('{"auths": {"https://x.example/": {"auth": "', (WORD, 24), '"}}}'),
    "Oracle connect string": joined(NAME, "/", (WORD, 12), f"@{HOST}:1521/pantry"),
    "Oracle JDBC password": joined("jdbc:oracle:thin:", NAME, "/", (WORD, 12), f"@//{HOST}/x"),
    "Authorization header": one_of(
        key("Authorization: Basic ", BASE64, 30, "=="),
        key("Authorization: Bearer ", WORD, 40),
        key("X-API-Key: q1", WORD, 30),
        key("Authorization: SSWS 00", URL_SAFE, 40),
        key("X-Auth-Key: 7c", HEX, 35),
        key("X-Algolia-API-Key: 3b", HEX, 30),
        key("Ocp-Apim-Subscription-Key: 9f", HEX, 30),
    ),
}  # fmt: skip
