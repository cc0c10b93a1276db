"""What leads to a person is told from versions, coordinates, times and other numbers."""

from __future__ import annotations

import pytest

from ppr_assets.rules.finds.persons import PERSONS


def _found(text: str, column: str = "description") -> list[str]:
    return [kind.name for kind in PERSONS if kind.found(text.encode(), column)]


@pytest.mark.parametrize(
    "text",
    [
        "info@gmail.com.example.org",
        "info@notgmail.com",
        "info@charter.org, info@free.org, info@web.com",
        "@gmail.com",
        "Version 1.2.3.4",
        "v10.0.19045.3",
        "Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36",
        "see section 4.1.2.3 of the rules",
        "1.3.6.1.4.1.311.21",
        "40.7128, -74.0060",
        "-74.0060.12.1",
        "300.1.2.3",
        "01.02.03.04",
        "255.255.255.0 is the mask, 127.0.0.1 and 0.0.0.0 are nobody",
        "Mon 12:30:45, 2024-01-15T10:30:00+00:00",
        "00:1b:44:11:3a:b7",
        "std::string, a::b, ::1, dead::beef",
        "2001:db8",
        "Call 555-12-3456",
        "EIN 12-3456789, 123456789",
        "SSN 000-12-3456, SSN 666-12-3456, SSN 900-12-3456, SSN 123-00-4567, SSN 123-45-0000",
        "lessns 123-45-6789",
        "123-45-6789",
    ],
)
def test_this_leads_to_nobody(text: str) -> None:
    assert _found(text) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Write to ann.b+food@gmail.com.", "free-mail address"),
        ("ANN@HOTMAIL.CO.UK", "free-mail address"),
        ("mailto:ann@protonmail.com?subject=x", "free-mail address"),
        ("ann@comcast.net, bob", "free-mail address"),
        ("from 203.0.113.7:443", "IPv4 address"),
        ("http://198.51.100.20/", "IPv4 address"),
        ('{"ip": "10.0.0.12"}', "IPv4 address"),
        ("203.0.113.7.", "IPv4 address"),
        ("[2001:db8::7]:443", "IPv6 address"),
        ("2a02:908:4f1:1b20:a1:b2:c3:d4", "IPv6 address"),
        ("fe80::1ff:fe23:4567:890a%eth0", "IPv6 address"),
        ("::ffff:203.0.113.7", "IPv6 address"),
        ("Social Security number 123-45-6789", "US social security number"),
        ("ssn=123456789", "US social security number"),
        ('{"social_security_no": "123 45 6789"}', "US social security number"),
        ("123-45-6789 (SSN)", "US social security number"),
    ],
)
def test_this_leads_to_a_person(text: str, kind: str) -> None:
    assert kind in _found(text)


def test_a_column_says_what_its_numbers_are() -> None:
    assert _found("123456789", "applicant_ssn") == ["US social security number"]
    assert _found("1.2.3.4", "address") == ["IPv4 address"]
    assert _found("1.2.3.4", "app_version") == []
