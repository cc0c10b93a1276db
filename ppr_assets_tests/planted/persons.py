"""What leads to persons."""

from __future__ import annotations

from collections.abc import Mapping

from ppr_assets_tests.planted.making import (
    HEX,
    NAME,
    Make,
    joined,
    one_of,
)

PERSONS: Mapping[str, Make] = {
    "free-mail address": one_of(
        *(joined(NAME, "@", one) for one in ("gmail.com", "Yahoo.com", "yahoo.co.uk", "aol.com"))
    ),
    "IPv4 address": lambda random: f"203.0.113.{random.randrange(256)}",
    "IPv6 address": one_of(
        joined("2001:db8::", (HEX, 4)),
        joined("2a02:908:1234:1:2:3:4:", (HEX, 4)),
        joined("fe80::1:", (HEX, 4)),
        joined("::ffff:198.51.100.7"),
    ),
    "US social security number": lambda random: (
        f"SSN: {random.randrange(100, 600)}-{random.randrange(10, 99)}-"
        f"{random.randrange(1000, 9999)}"
    ),
}
