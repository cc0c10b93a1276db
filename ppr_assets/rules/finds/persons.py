"""What leads to a person: an address at a free-mail provider, an IP address, a US social security
number. A few may well be meant to be read, so they are counted and compared, and stop nothing."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address, IPv6Network

from ppr_assets.rules.finds.kind import FindKind

_IN_MANY_COUNTRIES = (
    rb"(?:g(?:oogle)?mail|y(?:ahoo|mail)|rocketmail|hotmail|outlook|live|msn|aol|aim|icloud|gmx|"
    rb"proton(?:mail)?|zoho(?:mail)?|yandex|fastmail|hushmail|tuta(?:nota|mail)?)\."
)
_ENDS = (
    rb"(?:com|net|org|me|us|de|fr|it|es|nl|be|at|ch|pl|ru|in|jp|ca|cn|mx|br|eu|io|fm|"
    rb"co\.(?:uk|jp|in|nz|za|kr)|com\.(?:au|br|mx|ar|cn|tw))"
)
_IN_ONE = (
    rb"(?:(?:me|mac|mail|email|inbox|hey|duck|juno|netzero|frontier|roadrunner|btinternet|naver|"
    rb"rediffmail|qq|163|126)\.com|(?:comcast|verizon|att|sbcglobal|bellsouth|cox|charter|earthlink|"
    rb"optonline|optimum|frontiernet|windstream|centurylink|laposte)\.net|pm\.me|mail\.ru|"
    rb"(?:web|freenet|t-online)\.de|(?:orange|free|wanadoo)\.fr|libero\.it)"
)
_MAIL = re.compile(
    rb"(?<=[0-9A-Za-z_%+'-])@(?i:" + _IN_MANY_COUNTRIES + _ENDS + rb"|" + _IN_ONE + rb")"
    rb"(?![0-9A-Za-z-]|\.[0-9A-Za-z])"
)

_OCTET = rb"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(
    rb"(?<![0-9A-Za-z_.-])(?<![A-Za-z]/)" + _OCTET + rb"(?:\." + _OCTET + rb"){3}"
    rb"(?![0-9A-Za-z_-]|\.[0-9A-Za-z])"
)
_VERSION = re.compile(
    rb"(?:\bv|ver|version|release|rel|build|revision|rev|section|sec|chapter|part|paragraph|rule|"
    rb"\xc2\xa7)[\s.:=\"'#]*\Z",
    re.IGNORECASE,
)
_NOBODY = re.compile(rb"(?:0|127)\.|255\.255\.")
"""This machine, no machine, all machines, a mask."""

_IPV6 = re.compile(
    rb"(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:\.[0-9.]{5,11})?"
    rb"(?![0-9A-Za-z:])"
)
_OF_MACHINES = tuple(map(IPv6Network, ("2000::/3", "fc00::/7", "fe80::/10", "::ffff:0:0/96")))

_SSN = re.compile(
    rb"(?<![0-9.-])(?!000|666|9)[0-9]{3}([- ]?)(?!00)[0-9]{2}\1(?!0000)[0-9]{4}(?![0-9-])"
)
_SAYS_SSN = rb"(?i:s\.?s\.?n|ss ?#|social.{0,3}sec|soc\.? ?sec)"
_WORDS = re.compile(rb"(?<![A-Za-z])" + _SAYS_SSN + rb"(?![a-z])|" + _SAYS_SSN + rb"urity")
_COLUMNS = re.compile(r"(?:^|_)ssn(?:_|$)|social_?sec", re.IGNORECASE)


def _is_machine(match: re.Match[bytes], column: str) -> bool:
    """Neither a version nor the number of a paragraph, nor an address that leads to nobody."""
    if _NOBODY.match(match.group()) or "version" in column.lower():
        return False
    return _VERSION.search(match.string[max(0, match.start() - 16) : match.start()]) is None


def _is_machine_v6(match: re.Match[bytes], _column: str) -> bool:
    try:
        address = IPv6Address(match.group().decode())
    except AddressValueError:
        return False
    return any(address in network for network in _OF_MACHINES)


def _is_number_of_person(match: re.Match[bytes], column: str) -> bool:
    """Its column or the words around it say so; nine digits alone are anything."""
    around = match.string[max(0, match.start() - 40) : match.end() + 25]
    return _COLUMNS.search(column) is not None or _WORDS.search(around) is not None


PERSONS: tuple[FindKind, ...] = (
    FindKind(
        "free-mail address", "the providers' own sign-up pages; RFC 5322",
        trigger=rb"@(?i:" + _IN_MANY_COUNTRIES + rb"|" + _IN_ONE + rb")",
        form=_MAIL,
        person=True,
    ),
    FindKind(
        "IPv4 address", "RFC 791, RFC 6890",
        trigger=rb"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",
        form=_IPV4,
        person=True,
        holds=_is_machine,
    ),
    FindKind(
        "IPv6 address", "RFC 4291, RFC 6890",
        # With zeros left out, or whole.
        trigger=rb"::[0-9A-Fa-f]|[0-9A-Fa-f]::",
        form=_IPV6,
        person=True,
        holds=_is_machine_v6,
        in_run=rb"[0-9A-Fa-f]{4}(?::[0-9A-Fa-f]{1,4}){5}:[0-9A-Fa-f]",
    ),
    FindKind(
        "US social security number", "ssa.gov, randomization FAQ",
        trigger=_SAYS_SSN,
        form=_SSN,
        person=True,
        holds=_is_number_of_person,
        columns=_COLUMNS,
    ),
)  # fmt: skip
