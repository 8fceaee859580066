"""Who the customers of the garage are: made-up names, addresses and birthdays.

Nobody can be reached: e-mail goes to example.com (RFC 2606), telephone numbers are from the ranges that the
Bundesnetzagentur keeps for films and books (Mitteilung 148/2021), and the postal code 00000 is nobody's. Every
contact point is marked as synthetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from attrs import frozen

from relationship_core import ContactPoint, Customer

ZONE = "Europe/Berlin"

GIVEN_NAMES = (
    *("Agnes", "Ali", "Anna", "Anton", "Aylin", "Bela", "Birgit", "Carl", "Ceren", "Clara", "Dana", "David"),
    *("Edda", "Emil", "Erika", "Ewa", "Felix", "Frieda", "Georg", "Greta", "Hanna", "Hugo", "Ida", "Ivo", "Jana"),
    *("Jonas", "Karla", "Kofi", "Lars", "Leyla", "Lotte", "Malik", "Marta", "Mehmet", "Mina", "Nadia", "Nils"),
    *("Olga", "Otto", "Paula", "Piotr", "Rosa", "Rudi", "Samir", "Selma", "Theo", "Toni", "Uwe", "Vera", "Yusuf"),
)
FAMILY_NAMES = (
    *("Adler", "Ahrens", "Arslan", "Bauer", "Beck", "Brandt", "Busch", "Celik", "Conrad", "Dietz", "Ebert", "Engel"),
    *("Falk", "Fink", "Franke", "Gerber", "Graf", "Haas", "Hahn", "Horn", "Jansen", "Jung", "Kaya", "Keller", "Kern"),
    *("Kowalski", "Kraft", "Lang", "Lorenz", "Maurer", "Moser", "Nowak", "Otte", "Peters", "Pohl", "Reuter", "Roth"),
    *(
        "Sander",
        "Sauer",
        "Schulte",
        "Seidel",
        "Sommer",
        "Stein",
        "Thiel",
        "Ulrich",
        "Vogt",
        "Weiss",
        "Winter",
        "Yilmaz",
    ),
)
STREETS = ("Musterstr.", "Beispielweg", "Probegasse", "Phantasieallee", "Platzhalterring")
PLACE = "00000 Musterstadt"
DRAMA_NUMBERS = ("+493023125", "+496990009", "+494066969", "+492214710", "+498999998")
"""Five ranges of a thousand numbers each, which are never given to anybody."""
TRADES = ("Logistik", "Pflegedienst", "Malerei", "Catering", "Gartenbau", "Elektro", "Kurier", "Reinigung")
ROLES = ("fleet manager", "driver", "managing director", "accountant", "workshop planner")
"""The roles of a firm's contacts, the first for the first contact."""

OLDEST, YOUNGEST = date(1940, 1, 1), date(2003, 12, 31)


@frozen(kw_only=True)
class Profile:
    """Who somebody is.

    Attributes:
        number: which nobody else has, below 5,000: it makes addresses unique.
        name: first and last name.
        birthday: when they were born.
    """

    number: int
    name: str
    birthday: date

    @property
    def email(self) -> str:
        """The address as they write it."""
        return f"{self.name.lower().replace(' ', '.')}.{self.number}@example.com"

    @property
    def telephone(self) -> str:
        """A number of fiction, in the international form."""
        area, rest = divmod(self.number, 1000)
        return f"{DRAMA_NUMBERS[area]}{rest:03}"

    @property
    def telephone_at_home(self) -> str:
        """The same number as it is written in Germany."""
        return f"0{self.telephone.removeprefix('+49')[:-3]} {self.telephone[-3:]}"

    @property
    def label(self) -> str:
        """The lines of an envelope."""
        street = f"{STREETS[self.number % len(STREETS)]} {self.number}"
        return f"{self.name}\n{street}\n{PLACE}\nGermany"


def profile(number: int, random: Random) -> Profile:
    """Somebody made up."""
    born = OLDEST + timedelta(days=random.randrange((YOUNGEST - OLDEST).days))
    return Profile(number=number, name=f"{random.choice(GIVEN_NAMES)} {random.choice(FAMILY_NAMES)}", birthday=born)


def person(customer: str, who: Profile, *, form: str, media: Sequence[str] = ("post", "email", "sms")) -> Customer:
    """A customer as the workshop keeps them.

    Args:
        customer: the id.
        who: who they are.
        form: the value of the attribute ``form``: ``private`` or ``contact``.
        media: the media on which they can be reached.
    """
    addresses = {"post": who.label, "email": who.email, "sms": who.telephone}
    return Customer(
        id=customer,
        name=who.name,
        locale="de" if who.number % 10 else "en",
        zone=ZONE,
        country="DE",
        contact_points=[_point(medium, addresses[medium]) for medium in media],
        attributes={"form": form, "birthday": who.birthday.isoformat(), "synthetic": True},
    )


def twin(customer: str, who: Profile, *, by: str) -> Customer:
    """The same person as the tyre shop's web page knows them: one thing agrees, written another way.

    Args:
        customer: the id there.
        who: who they are.
        by: what agrees once it is normalised: ``email``, ``telephone``, or ``name and address``.
    """
    given, _, family = who.name.partition(" ")
    name, point = f"{given[0]}. {family}", _point("email", who.email.upper().replace("EXAMPLE.COM", "Example.com"))
    if by == "telephone":
        point = _point("sms", who.telephone_at_home)
    elif by == "name and address":
        name, point = who.name.upper(), _point("post", who.label.upper())
    return Customer(
        id=customer,
        name=name,
        locale="de",
        zone=ZONE,
        country="DE",
        contact_points=[point],
        attributes={"form": "private", "synthetic": True},
    )


def firm(customer: str, number: int, random: Random) -> Customer:
    """A firm, as a customer of its own."""
    name = f"{random.choice(FAMILY_NAMES)} {random.choice(TRADES)} GmbH (synthetic)"
    who = Profile(number=number, name=name, birthday=YOUNGEST)
    return Customer(
        id=customer,
        name=name,
        locale="de",
        zone=ZONE,
        country="DE",
        contact_points=[_point("post", who.label), _point("email", f"office.{number}@example.com")],
        attributes={"form": "firm", "synthetic": True},
    )


def _point(medium: str, address: str) -> ContactPoint:
    return ContactPoint(medium=medium, address=address, synthetic=True)
