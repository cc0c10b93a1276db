"""Words of the sample: names and places drawn from Faker once, phrases of food pantries by hand,
and texts that a dump must carry unharmed.

Faker takes about 30 µs for a word and the sample needs millions, so that its names are drawn into
pools and combined. Domains and telephone numbers are those that are reserved for fiction.
"""

from __future__ import annotations

from faker import Faker
from msgspec import Struct

from ppr_assets.demo.sample.draw import Draw

AWKWARD: tuple[str, ...] = (
    "",
    "\\N",
    "\\.",
    "say \"O'Brien's\" at the door, it's the 'second helping' table",
    "back\\slash: C:\\pantry\\new\\table.txt \\\\server\\share",
    "Mon\t9-12\tTue\t13-17",
    "first line\nsecond line\n\nfourth line\n",
    "dos line\r\nanother\r\nlone return\rend",
    "bell \a, backspace \b, vertical tab \v, form feed \f, escape \x1b, delete \x7f",
    "🥫🍞 free bread & cans 👩🏽‍🌾 every Friday 🇺🇸",
    "Banque alimentaire, Café São João, Żywność, Ñandú",
    "مخزن الطعام مفتوح يوم الجمعة",
    "食物银行 開放時間 週一",
    "\N{LINE SEPARATOR}line\N{PARAGRAPH SEPARATOR}paragraph\x85next\x1crecord\x1dgroup",
    "\N{ZERO WIDTH NO-BREAK SPACE}begins with a mark\N{NO-BREAK SPACE}and ends with a space ",
    "\n\\.\n\n\\! echo pwned\n\\connect other\n",
    "COPY public.organization (id) FROM stdin;",
    "--\n-- PostgreSQL database dump complete\n--\n",
    "\\unrestrict 0000\n\\restrict 0000",
    "$$ %s {0} ${HOME} `id` <b>bold</b> &amp; '; DROP TABLE organization; --",
)
"""Texts that have broken a dump somewhere, so that every sample carries them.

They stand in columns that people fill in by hand. What COPY escapes, what looks like COPY's own
marks or like a command of psql, and what Python takes for the end of a line and PostgreSQL does
not."""

_EVERY = 97
"""Organizations per round: all texts stand among the first ones, and then again and again."""


class SamplePlace(Struct, frozen=True):
    city: str
    county: str
    state: str
    postal_code: str
    latitude: float
    longitude: float
    timezone: str


_STATES: tuple[tuple[str, float, float, str], ...] = (
    ("AL", 32.8, -86.8, "America/Chicago"),
    ("AZ", 33.5, -112.0, "America/Phoenix"),
    ("CA", 36.8, -119.8, "America/Los_Angeles"),
    ("CO", 39.2, -105.0, "America/Denver"),
    ("FL", 28.2, -81.8, "America/New_York"),
    ("GA", 33.0, -83.6, "America/New_York"),
    ("IL", 40.6, -89.2, "America/Chicago"),
    ("MI", 42.8, -84.6, "America/Detroit"),
    ("MN", 45.3, -94.2, "America/Chicago"),
    ("MO", 38.5, -92.4, "America/Chicago"),
    ("NC", 35.6, -79.4, "America/New_York"),
    ("NJ", 40.2, -74.6, "America/New_York"),
    ("NM", 34.6, -106.2, "America/Denver"),
    ("NY", 42.4, -75.6, "America/New_York"),
    ("OH", 40.2, -82.8, "America/New_York"),
    ("OR", 44.4, -122.4, "America/Los_Angeles"),
    ("PA", 40.8, -77.6, "America/New_York"),
    ("TN", 35.8, -86.4, "America/Chicago"),
    ("TX", 31.2, -97.6, "America/Chicago"),
    ("WA", 47.4, -121.4, "America/Los_Angeles"),
)


class Vocabulary:
    """The pools of one seed."""

    def __init__(self, seed: int) -> None:
        faker = Faker("en_US", use_weighting=False)
        faker.seed_instance(seed)
        draw = Draw(seed, -1)
        self.given_names = [faker.first_name() for _ in range(200)]
        self.family_names = [faker.last_name() for _ in range(400)]
        self.streets = [faker.street_name() for _ in range(500)]
        self.places = [self._place(faker, draw) for _ in range(600)]

    def _place(self, faker: Faker, draw: Draw) -> SamplePlace:
        state, latitude, longitude, timezone = draw.pick(_STATES)
        return SamplePlace(
            city=faker.city(),
            county=f"{draw.pick(self.family_names)} County",
            state=state,
            postal_code=faker.zipcode_in_state(state),
            latitude=draw.near(latitude, 1.2),
            longitude=draw.near(longitude, 1.2),
            timezone=timezone,
        )

    def person(self, draw: Draw) -> str:
        return f"{draw.pick(self.given_names)} {draw.pick(self.family_names)}"


PATRONS = (
    "Grace Community", "St. Mary's", "Harvest", "Good Shepherd", "First Baptist", "Loaves & Fishes",
    "Open Door", "Helping Hands", "New Hope", "Bethel AME", "Holy Family", "Manna", "Daily Bread",
    "Second Chance", "Salem Lutheran", "Neighbor to Neighbor", "Trinity", "Community Action",
    "St. Vincent de Paul", "Mt. Zion", "Our Lady of Guadalupe", "Unity", "Caring Kitchen",
    "Eastside", "Riverside", "Hilltop", "Veterans'", "Masjid An-Nur",
    "Temple Beth El", "Senior Friends",
)  # fmt: skip
KINDS = (
    "Food Pantry", "Food Bank", "Soup Kitchen", "Outreach Center", "Mobile Pantry", "Food Shelf",
    "Community Fridge", "Ministries", "Family Services", "Meals on Wheels", "Farm Stand", "Mission",
    "Neighborhood Center", "Church",
)  # fmt: skip
WHAT = (
    "Groceries for a week, with fresh produce when donors bring it.",
    "Hot meals served in the dining hall; everyone is welcome at the table.",
    "Shelf-stable boxes of cans, pasta, rice and peanut butter.",
    "Diapers, formula and baby food next to the regular pantry bags.",
    "A choice pantry: families take a cart and pick what they will use.",
    "Drive-through distribution, stay in your car and open the trunk.",
    "Delivery to homebound seniors within ten miles.",
    "Bread, pastries and dairy rescued from local grocers each morning.",
    "Culturally familiar staples: masa, lentils, halal chicken, rice noodles.",
    "Backpacks of weekend food for schoolchildren.",
    "Low-sodium and diabetic-friendly boxes on request.",
    "Help with applying for SNAP and WIC is offered on site.",
)
HOW = (
    "Call ahead to make an appointment.",
    "No appointment needed. Line forms at the side door.",
    "Register at the front desk with a volunteer.",
    "Walk in during open hours.",
    "Referral from 211 or a caseworker preferred, not required.",
    "One visit per household and calendar month.",
)
WHO = (
    "Anyone in need of food, no questions asked.",
    "Residents of the county with proof of address.",
    "Households at or below 185% of the federal poverty level.",
    "Seniors aged 60 and over.",
    "Families with children under 18.",
    "Veterans and their families.",
)
GETTING_THERE = (
    "Bus 14 stops at the corner; ramp at the rear entrance.",
    "Parking behind the building. Light rail two blocks away.",
    "No public transportation nearby, rides by arrangement.",
)
SITES = (
    "Fellowship hall, lower level.",
    "The blue building behind the school.",
    "Enter by the gym.",
)
ACCESS = ("Wheelchair ramp", "Elevator", "Accessible restroom", "Automatic door", "Step-free entry")
SERVICES = (
    "Food Pantry", "Hot Meals", "Mobile Food Distribution", "Senior Food Boxes",
    "Weekend Backpacks", "Emergency Food", "Baby Supplies", "SNAP Application Help",
    "Produce Market", "Home Delivery",
)  # fmt: skip
DOCUMENTS = ("Photo ID", "Proof of address", "Proof of income", "Birth certificates of children")
LANGUAGES = (
    ("English", "en"), ("Spanish", "es"), ("Vietnamese", "vi"), ("Chinese", "zh"), ("Arabic", "ar"),
    ("Haitian Creole", "ht"), ("Somali", "so"), ("Russian", "ru"), ("Tagalog", "tl"),
)  # fmt: skip
FUNDERS = (
    "USDA TEFAP", "Feeding America", "County block grant", "Individual donors", "United Way",
    "Diocesan appeal", "CSFP", "State hunger relief program",
)  # fmt: skip
TITLES = ("Pantry Coordinator", "Director", "Pastor", "Volunteer Lead", "Office Manager", None)
SCRAPERS = (
    "food_helpline_org", "freshtrak", "plentiful", "vivery_api", "getfull_app", "care_and_share",
    "capital_area_food_bank_dc", "mid_ohio_food_collective", "nyc_efap_programs",
)  # fmt: skip


def awkward_text(number: int) -> str | None:
    """The text that organization ``number`` has to carry, if any."""
    place = number % _EVERY
    return AWKWARD[place] if place < len(AWKWARD) else None
