"""Made-up people for the households of the data, which has none: names, languages and contact points.

Everything follows from the household's number, so that every run makes the same people. Nothing can reach
anybody: e-mail goes to example.com (RFC 2606), telephone numbers lie in the range 555-0100 to 555-0199 that
the North American numbering plan keeps for fiction, and no place has the ZIP code 00000. Every point is
marked as synthetic.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from relationship_core import ContactPoint, Customer
from relationship_demo.data import DEMOGRAPHICS, ZONE, customer_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

WITH_EMAIL = 0.85
WITH_SMS = 0.60
IN_SPANISH = 0.10

GIVEN_NAMES = (
    *("Ada", "Ahmed", "Aiko", "Alice", "Amara", "Andre", "Beatriz", "Ben", "Carla", "Chen"),
    *("Clara", "Daniel", "Devi", "Diego", "Elena", "Elias", "Emma", "Farid", "Fatima", "Felix"),
    *("Grace", "Hana", "Henry", "Ines", "Ivan", "Jada", "James", "Joana", "Kofi", "Lena"),
    *("Leo", "Lucia", "Malik", "Maria", "Mei", "Mila", "Nadia", "Noah", "Nora", "Olga"),
    *("Omar", "Pablo", "Priya", "Ravi", "Rosa", "Ruth", "Sam", "Sofia", "Tariq", "Theo"),
    *("Uma", "Vera", "Victor", "Wanda", "Xenia", "Yara", "Yusuf", "Zoe"),
)
FAMILY_NAMES = (
    *("Abbott", "Acosta", "Adeyemi", "Ahn", "Baker", "Banerjee", "Bauer", "Bell", "Blanc", "Campos"),
    *("Carter", "Castillo", "Costa", "Dahl", "Diaz", "Diop", "Ellis", "Evans", "Farah", "Fischer"),
    *("Flores", "Garcia", "Gupta", "Haddad", "Hall", "Hansen", "Ito", "Jackson", "Jensen", "Kaya"),
    *("Khan", "Kim", "Kowalski", "Lee", "Lopez", "Mbeki", "Meyer", "Moreau", "Murphy", "Nakamura"),
    *("Nguyen", "Novak", "Okafor", "Ortiz", "Park", "Patel", "Perez", "Quinn", "Ramos", "Reyes"),
    *("Rossi", "Santos", "Sato", "Shah", "Silva", "Stone", "Tanaka", "Turner", "Vargas", "Wagner"),
    *("Walker", "Wang", "Young", "Zhang"),
)
STREETS = ("Sample Street", "Example Avenue", "Placeholder Road", "Specimen Lane", "Fiction Drive")
PLACES = ("Anytown, OH 00000", "Exampleville, OH 00000", "Sampleton, KY 00000")
AREA_CODES = (
    *(201, 203, 212, 215, 216, 234, 240, 267, 301, 302, 304, 315, 330),
    *(401, 404, 410, 412, 419, 440, 513, 518, 567, 614, 617, 740),
)
"""Area codes of the project's time zone; a hundred fictitious numbers in each, one for each household."""


def customers(households: pl.DataFrame) -> tuple[Customer, ...]:
    """A made-up customer for each household of ``data.households()``; the demographics are real."""
    return tuple(_customer(row) for row in households.iter_rows(named=True))


def _customer(row: dict[str, int | str | None]) -> Customer:
    household = int(row["household_id"] or 0)
    name = f"{_one_of(GIVEN_NAMES, household, 'given')} {_one_of(FAMILY_NAMES, household, 'family')}"
    known = {column: str(row[column]) for column in DEMOGRAPHICS if row[column] is not None}
    return Customer(
        id=customer_id(household),
        name=name,
        locale="es" if draw(household, "locale") < IN_SPANISH else "en",
        zone=ZONE,
        country="US",
        contact_points=tuple(_contact_points(household, name)),
        attributes=known,
    )


def _contact_points(household: int, name: str) -> list[ContactPoint]:
    """Everybody has a letter box, most have e-mail, some can be texted."""
    points, media = [ContactPoint(medium="post", address=_label(household, name), synthetic=True)], media_of(household)
    if "email" in media:
        mailbox = name.lower().replace(" ", ".")
        address = f"{mailbox}.{household}@example.com"
        points.append(ContactPoint(medium="email", address=address, synthetic=True))
    if "sms" in media:
        hundreds, rest = divmod(household, 100)
        address = f"+1{AREA_CODES[hundreds % len(AREA_CODES)]}55501{rest:02}"
        points.append(ContactPoint(medium="sms", address=address, synthetic=True))
    return points


def media_of(household: int) -> tuple[str, ...]:
    """The media on which a household can be reached."""
    shares = (("post", 1.0), ("email", WITH_EMAIL), ("sms", WITH_SMS))
    return tuple(medium for medium, share in shares if draw(household, medium) < share)


def _label(household: int, name: str) -> str:
    street = f"{household} {_one_of(STREETS, household, 'street')}"
    return "\n".join((name, street, _one_of(PLACES, household, "place"), "USA"))


def _one_of(choices: Sequence[str], household: int, what: str) -> str:
    return choices[int(draw(household, what) * len(choices))]


def draw(household: int, what: str) -> float:
    """A number from 0 up to 1 that depends on nothing but its arguments."""
    digest = sha256(f"{what} of household {household}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48
