"""Values that look like what must not be published, and the places in rows where they hide.

Made at run time from a seed, by what their makers publish and not by the forms that are searched
for: no file of the project holds anything that looks like a secret.
"""

from __future__ import annotations

import base64
import json
import re
import string
from collections.abc import Callable, Mapping
from random import Random

HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits
LETTERS = string.ascii_letters
WORD = LETTERS + string.digits
URL_SAFE = WORD + "_-"
BASE64 = WORD + "+/"
CRYPT = WORD + "./"

Make = Callable[[Random], str]


def _some(random: Random, alphabet: str, length: int) -> str:
    return "".join(random.choices(alphabet, k=length))


def _key(prefix: str, alphabet: str, length: int, ending: str = "") -> Make:
    return lambda random: prefix + _some(random, alphabet, length) + ending


def _pem(title: str) -> Make:
    def make(random: Random) -> str:
        lines = [_some(random, BASE64, 64) for _ in range(4)]
        edges = (f"-----{edge} {title}-----" for edge in ("BEGIN", "END"))
        return "\n".join([next(edges), *lines, next(edges), ""])

    return make


def _json_token(random: Random) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": _some(random, WORD, 8), "iat": 1700000000})
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join([*(text.rstrip("=") for text in texts), _some(random, URL_SAFE, 43)])


def _uuid(random: Random) -> str:
    return "-".join(_some(random, HEX, length) for length in (8, 4, 4, 4, 12))


def _joined(*parts: str | tuple[str, int] | Make) -> Make:
    """Fixed texts, letters of an alphabet by their number, and what others make."""

    def make(random: Random) -> str:
        return "".join(
            part
            if isinstance(part, str)
            else _some(random, *part)
            if isinstance(part, tuple)
            else part(random)
            for part in parts
        )

    return make


def _one_of(*makers: Make) -> Make:
    return lambda random: random.choice(makers)(random)


_MD5 = ("$1$", "$apr1$")
_PASSWORD: Make = _key("", WORD + "!%_.~-", 14)
_NAME: Make = _key("u", string.ascii_lowercase, 7)
_HOST = "db.example.org"
_DIGITS = string.digits
_SCRAM = _joined("4096:", (BASE64, 22), "==$", (BASE64, 43), "=:", (BASE64, 43), "=")

KEYS: Mapping[str, Make] = {
    "private key": _one_of(
        *map(_pem, ("PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY")),
        *map(_pem, ("EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK")),
    ),
    "PuTTY private key": _joined("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n"),
    "age private key": _key("AGE-SECRET-KEY-1", UPPER, 58),
    "JSON web token": _json_token,
    "AWS access key": _one_of(_key("AKIA", UPPER, 16), _key("ASIA", UPPER, 16)),
    "AWS secret access key": _one_of(
        _key("aws_secret_access_key = ", BASE64, 40), _key('"SecretAccessKey": "', BASE64, 40)
    ),
    "Amazon Bedrock key": _key("ABSK", BASE64.replace("/", ""), 128),
    "Amazon MWS token": _joined("amzn.mws.", _uuid),
    "Google API key": _key("AIza", URL_SAFE[:-1], 35),
    "Google OAuth client secret": _key("GOCSPX-", URL_SAFE, 28),
    "Google OAuth token": _key("ya29.", URL_SAFE, 120),
    "Google service account": _joined(
        '{"type": "service_account", "private_key_id": "', (HEX, 40), '"}'
    ),
    "Azure storage key": _joined(
        "DefaultEndpointsProtocol=https;AccountName=pantry;AccountKey=", (BASE64, 86), "=="
    ),
    "Azure shared access signature": _joined(
        "https://pantry.blob.core.windows.net/a?sv=2022-11-02&sp=r&sig=", (WORD, 43), "%3D"
    ),
    "Azure client secret": _joined((WORD, 3), "8Q~", (URL_SAFE + "~.", 34)),
    "Alibaba Cloud key": _key("LTAI", WORD, 20),
    "DigitalOcean token": _one_of(_key("dop_v1_", HEX, 64), _key("doo_v1_", HEX, 64)),
    "Heroku key": _key("HRKU-", URL_SAFE, 60),
    "Fly.io token": _key("fm2_", BASE64.replace("/", ""), 80),
    "Netlify token": _key("nfp_", WORD, 36),
    "Supabase key": _one_of(_key("sbp_", HEX, 40), _key("sb_secret_", WORD, 31)),
    "PlanetScale token": _key("pscale_tkn_", URL_SAFE, 43),
    "Pulumi token": _key("pul-", HEX, 40),
    "Doppler token": _one_of(_key("dp.pt.", WORD, 43), _key("dp.st.prd.", WORD, 43)),
    "HashiCorp Vault token": _key("hvs.", URL_SAFE, 95),
    "Databricks token": _key("dapi", HEX, 32),
    "Tailscale key": _joined("tskey-auth-", (WORD, 16), "-", (WORD, 32)),
    "1Password token": _key("ops_eyJ", WORD, 300),
    "GitHub token": _one_of(*(_key(f"gh{one}_", WORD, 36) for one in "pousr")),
    "GitHub fine-grained token": _joined("github_pat_", (WORD, 22), "_", (WORD, 59)),
    "GitLab token": _one_of(*(_key(f"gl{one}-", URL_SAFE, 20) for one in ("pat", "dt", "rt"))),
    "Atlassian token": _key("ATATT3", URL_SAFE, 186),
    "Bitbucket app password": _key("ATBB", WORD, 32),
    "npm token": _key("npm_", WORD, 36),
    "PyPI token": _key("pypi-AgEIcHlwaS5vcmc", URL_SAFE, 90),
    "RubyGems key": _key("rubygems_", HEX, 48),
    "crates.io token": _key("cio", WORD, 32),
    "Docker Hub token": _key("dckr_pat_", URL_SAFE, 27),
    "Artifactory key": _key("AKCp", WORD, 69),
    "Slack token": _one_of(
        _joined("xoxb-", (_DIGITS, 12), "-", (_DIGITS, 12), "-", (WORD, 24)),
        _joined("xapp-1-A", (UPPER, 10), "-", (_DIGITS, 13), "-", (HEX, 64)),
    ),
    "Slack webhook": _joined(
        "https://hooks.slack.com/services/T", (UPPER, 8), "/B", (UPPER, 8), "/", (WORD, 24)
    ),
    "Discord webhook": _joined(
        "https://discord.com/api/webhooks/", (_DIGITS, 18), "/", (URL_SAFE, 68)
    ),
    "Discord bot token": _joined("M", (WORD, 23), ".", (URL_SAFE, 6), ".", (URL_SAFE, 38)),
    "Teams webhook": _joined(
        "https://pantry.webhook.office.com/webhookb2/", _uuid, "@", _uuid, "/IncomingWebhook/",
        (HEX, 32), "/", _uuid,
    ),
    "SendGrid key": _joined("SG.", (URL_SAFE, 22), ".", (URL_SAFE, 43)),
    "Twilio key": _key("SK", HEX, 32),
    "Mailgun key": _key("key-", HEX, 32),
    "Mailchimp key": _joined((HEX, 32), "-us14"),
    "Brevo key": _joined("xkeysib-", (HEX, 64), "-", (WORD, 16)),
    "Telegram bot token": _joined((_DIGITS[1:], 10), ":AA", (URL_SAFE, 32), "x"),
    "Stripe key": _one_of(*(_key(one, WORD, 24) for one in ("sk_live_", "rk_live_", "sk_test_"))),
    "Square token": _one_of(_joined("sq0atp-", (URL_SAFE, 21), "x"), _key("EAAA", WORD, 60)),
    "PayPal Braintree token": _joined(
        "access_token$production$", (string.ascii_lowercase, 16), "$", (HEX, 32)
    ),
    "Shopify token": _one_of(_key("shpat_", HEX, 32), _key("shpss_", HEX, 32)),
    "OpenAI key": _one_of(
        _joined("sk-", (WORD, 20), "T3BlbkFJ", (WORD, 20)),
        _key("sk-proj-", URL_SAFE, 120),
        _key("sk-", WORD, 48),
    ),
    "Anthropic key": _key("sk-ant-api03-", URL_SAFE, 93, "AA"),
    "OpenRouter key": _key("sk-or-v1-", HEX, 64),
    "Groq key": _key("gsk_", WORD, 52),
    "xAI key": _key("xai-", WORD, 80),
    "Replicate token": _key("r8_", WORD, 37),
    "Hugging Face token": _key("hf_", LETTERS, 34),
    "Airtable token": _joined("pat", (WORD, 14), ".", (HEX, 64)),
    "Notion token": _one_of(_key("secret_", WORD, 43), _key("ntn_", WORD, 46)),
    "Linear key": _key("lin_api_", WORD, 40),
    "Figma token": _key("figd_", URL_SAFE, 40),
    "Postman key": _joined("PMAK-", (HEX, 24), "-", (HEX, 34)),
    "New Relic key": _key("NRAK-", UPPER, 27),
    "Grafana token": _joined("glsa_", (WORD, 32), "_", (HEX, 8)),
    "Sentry token": _key("sntryu_", HEX, 64),
    "Mapbox secret token": _joined("sk.eyJ", (WORD, 60), ".", (URL_SAFE, 22)),
    "Terraform Cloud token": _joined((WORD, 14), ".atlasv1.", (WORD, 67)),
}  # fmt: skip

PASSWORDS: Mapping[str, Make] = {
    "bcrypt hash": _key("$2b$12$", CRYPT, 53),
    "Argon2 hash": _joined("$argon2id$v=19$m=65536,t=3,p=4$", (BASE64, 22), "$", (BASE64, 43)),
    "scrypt hash": _one_of(
        _joined("scrypt:32768:8:1$", (WORD, 16), "$", (HEX, 128)),
        _joined("$scrypt$ln=16,r=8,p=1$", (BASE64, 22), "$", (BASE64, 43)),
        _joined("scrypt$", (WORD, 12), "$16384$8$1$", (BASE64, 86), "=="),
    ),
    "PBKDF2 hash": _one_of(
        _joined("pbkdf2_sha256$600000$", (WORD, 22), "$", (BASE64, 43), "="),
        _joined("$pbkdf2-sha512$25000$", (CRYPT, 22), "$", (CRYPT, 86)),
        _joined("pbkdf2:sha256:260000$", (WORD, 16), "$", (HEX, 64)),
    ),
    "SHA-512 crypt hash": _one_of(
        _joined("$6$", (CRYPT, 16), "$", (CRYPT, 86)),
        _joined("$6$rounds=656000$", (CRYPT, 16), "$", (CRYPT, 86)),
    ),
    "SHA-256 crypt hash": _joined("$5$", (CRYPT, 16), "$", (CRYPT, 43)),
    "MD5 crypt hash": _one_of(*(_joined(one, (CRYPT, 8), "$", (CRYPT, 22)) for one in _MD5)),
    "yescrypt hash": _joined("$y$j9T$", (CRYPT, 22), "$", (CRYPT, 43)),
    "phpass hash": _one_of(_key("$P$B", CRYPT, 30), _key("$S$D", CRYPT, 51)),
    "PostgreSQL SCRAM verifier": _joined("SCRAM-SHA-256$", _SCRAM),
    "PostgreSQL MD5 verifier": _key("md5", HEX, 32),
    "LDAP password hash": _one_of(_key("{SSHA}", BASE64, 40), _key("{SHA}", BASE64, 27, "=")),
    "MySQL password hash": _key("*", "0123456789ABCDEF", 40),
    "URL with a password": _one_of(
        *(
            _joined(f"{scheme}://", _NAME, ":", _PASSWORD, f"@{_HOST}/pantry")
            for scheme in ("postgresql", "https", "amqp", "mongodb+srv")
        ),
        _joined("redis://:", _PASSWORD, f"@{_HOST}:6379/0"),
    ),
    "URL with a token": _one_of(
        _joined("https://a7", (WORD, 12), f"3@{_HOST}/x"),
        _joined("http://x0", (HEX, 38), f"a1:@{_HOST}"),
    ),
    "connection string": _one_of(
        _joined(f"host={_HOST} dbname=pantry user=", _NAME, " password=", _PASSWORD),
        _joined("password = ", (WORD, 12), f" host = {_HOST}"),
        _joined(f"jdbc:postgresql://{_HOST}/pantry?user=", _NAME, "&password=", (WORD, 12)),
        _joined(f"Server={_HOST};Database=pantry;User Id=", _NAME, ";Password=", (WORD, 12), ";"),
        _joined("DRIVER={ODBC};UID=", _NAME, ";PWD=", (WORD, 12)),
    ),
    "Go MySQL DSN": _one_of(
        _joined(_NAME, ":", _PASSWORD, f"@tcp({_HOST}:3306)/pantry?parseTime=true"),
        _joined(_NAME, ":", _PASSWORD, "@unix(/run/mysqld/mysqld.sock)/pantry"),
    ),
    "PostgreSQL password file": _one_of(
        _joined(f"{_HOST}:5432:pantry:", _NAME, ":", _PASSWORD),
        _joined("*:*:*:", _NAME, ":", _PASSWORD),
        _joined("db:5432:*:", _NAME, ":", _PASSWORD),
    ),
    "secret in a variable": _one_of(
        _joined("DB_PASS=", _PASSWORD),
        _joined("SMTP_PASSWORD=", _PASSWORD),
        _joined("PGPASSWORD=", (WORD, 12)),
        _joined("PANTRY_API_KEY=q1", (WORD, 30)),
    ),
    "Oracle JDBC password": _joined("jdbc:oracle:thin:", _NAME, "/", (WORD, 12), f"@//{_HOST}/x"),
    "Authorization header": _one_of(
        _key("Authorization: Basic ", BASE64, 30, "=="), _key("Authorization: Bearer ", WORD, 40)
    ),
}  # fmt: skip

PERSONS: Mapping[str, Make] = {
    "free-mail address": _one_of(
        *(_joined(_NAME, "@", one) for one in ("gmail.com", "Yahoo.com", "yahoo.co.uk", "aol.com"))
    ),
    "IPv4 address": lambda random: f"203.0.113.{random.randrange(256)}",
    "IPv6 address": _one_of(
        _joined("2001:db8::", (HEX, 4)),
        _joined("2a02:908:1234:1:2:3:4:", (HEX, 4)),
        _joined("fe80::1:", (HEX, 4)),
        _joined("::ffff:198.51.100.7"),
    ),
    "US social security number": lambda random: (
        f"SSN: {random.randrange(100, 600)}-{random.randrange(10, 99)}-"
        f"{random.randrange(1000, 9999)}"
    ),
}


def _in_json(value: str) -> str:
    return json.dumps({"id": 7, "note": value})


def _escaped(text: str, which: str) -> str:
    """In JSON, whatever may be written as it is."""
    return re.sub(which, lambda one: f"\\u{ord(one[0]):04x}", text, flags=re.DOTALL)


PLACES: Mapping[str, Callable[[str], str]] = {
    "alone": lambda value: value,
    "at the beginning": lambda value: f"{value} is what they use",
    "in the middle": lambda value: f"we write {value} here",
    "at the end": lambda value: f"Ask for it:\n{value}",
    "between escapes": lambda value: f"C:\\new\\\t\\\\\n{value}\n\t\\.\r\n",
    "in quotes": lambda value: f"it's \"{value}\", '{value}' or `{value}`",
    "in brackets": lambda value: f"<b>({value})</b>",
    "in JSON": _in_json,
    "in JSON behind a newline": lambda value: json.dumps(["first\n" + value + "\nlast\t"]),
    "in a URL": lambda value: f"https://example.org/?to=pantry&key={value}&id=1",
    "in JSON in JSON": lambda value: json.dumps({"body": _in_json(f"a\n{value}\n")}),
    "in JSON with escaped slashes": lambda value: _in_json(value).replace("/", "\\/"),
    "in JSON with all escaped": lambda value: f'{{"a": "{_escaped(value, ".")}"}}',
    "in JSON with signs escaped": lambda value: f'{{"a": "{_escaped(value, "[^0-9A-Za-z]")}"}}',
    "in a very long text": lambda value: "Food, on Friday. " * 1_500 + value + " free" * 1_500,
    "after other letters": lambda value: f"Żywność 食物🥫 {value} 開放時間",
    "of many lines": lambda value: "\n".join(f"line {n}" for n in range(99)) + f"\n{value}\n",
}
"""What a text may be that has a value in it."""


def copied(value: str | None) -> bytes:
    """As COPY writes it."""
    if value is None:
        return b"\\N"
    return value.translate(_COPY_ESCAPES).encode()


_COPY_ESCAPES = {
    ord(one): f"\\{way}" for one, way in zip("\\\b\f\n\r\t\v", "\\bfnrtv", strict=True)
}
