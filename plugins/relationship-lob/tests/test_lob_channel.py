"""The channel for Lob, against a fake of its API on loopback."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message as Part
from typing import Any
from urllib.parse import parse_qsl

import attrs
import pytest

from relationship_core import Channel, ConfigurationError, Engagement, Message, Receipt, Secret
from relationship_core.testing.channels import RemoteChannelContract, Trouble
from relationship_core.testing.servers import (
    Answer,
    LoopbackServer,
    Request,
    busy,
    denied,
    drops,
    failing,
    nobody,
    nonsense,
    silent,
)
from relationship_lob.channel import LobChannel
from relationship_lob.plugin import CHANNEL
from relationship_lob.settings import LobSettings

LIVE, TEST = "live_0123456789abcdef", "test_0123456789abcdef"
BAKERY = "Corner Bakery, 1 Main St, Springfield, IL 62701"
TROUBLES: Mapping[str, Callable[[], Any]] = {
    "silent": silent,
    "drops": drops,
    "busy": busy,
    "failing": failing,
    "nonsense": nonsense,
    "denied": denied,
}


def fields_of(request: Request) -> dict[str, str]:
    """The fields and files of a form, as text."""
    kind = request.headers["content-type"]
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    form = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + request.body)
    parts: Any = form.get_payload()
    return {name_of(part): bytes(part.get_payload(decode=True)).decode() for part in parts}


def name_of(part: Part[str, str]) -> str:
    name = part.get_param("name", header="content-disposition")
    assert isinstance(name, str)
    return name


class Lob:
    """As much of Lob as the channel speaks to: it takes a key once, and posts what came with a live one."""

    def __init__(self) -> None:
        self.taken: dict[str, str] = {}
        self.found = "deliverable"
        self.server = LoopbackServer(self.answer)

    def answer(self, request: Request) -> Answer:
        key = b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        if key not in {f"{LIVE}:", f"{TEST}:"}:
            return Answer.json({"error": {"code": "invalid_api_key", "status_code": 401}}, status=401)
        form = fields_of(request)
        if request.path == "/us_verifications":
            return Answer.json({"id": "us_ver_1", "deliverability": self.found})
        message = request.headers["idempotency-key"]
        if message not in self.taken:
            self.taken[message] = f"{'ltr' if request.path == '/letters' else 'psc'}_{len(self.taken):016x}"
            if key == f"{LIVE}:":
                self.server.accept(form["metadata[message]"])
        return Answer.json({"id": self.taken[message], "object": request.path.strip("/s")})


@pytest.fixture
def lob() -> Iterator[Lob]:
    fake = Lob()
    with fake.server:
        yield fake


Making = Callable[..., LobChannel]


@pytest.fixture
def making(lob: Lob) -> Iterator[Making]:
    made: list[LobChannel] = []

    def make(**settings: Any) -> LobChannel:
        given = {"host": lob.server.url, "api_key": Secret(LIVE), "sender_address": BAKERY, "timeout": 5.0, **settings}
        made.append(LobChannel(LobSettings(**given)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def message(number: int = 1, **values: Any) -> Message:
    given: dict[str, Any] = {
        "address": "742 Evergreen Terrace\nApt 4\nSpringfield, IL 62704-1234",
        "recipient": "Zoë Łukasiewicz",
        "country": "US",
        "subject": "Thank you",
        "text": "Dear Zoë,\n\nthank you <3\nfor standing by us.",
        **values,
    }
    return Message(
        id=f"{number:032x}",
        engagement=Engagement(campaign="thanks", action="card", customer=f"c{number}", occasion="once"),
        channel="letters",
        at=datetime(2026, 3, 2, 9, tzinfo=UTC),
        **given,
    )


class TestLobChannel(RemoteChannelContract):
    provider = CHANNEL
    secrets = (LIVE, TEST)
    address = "1 Main St\nSpringfield, IL 62701"
    one_line = False

    @pytest.fixture(autouse=True)
    def at_lob(self, lob: Lob, making: Making) -> None:
        self.lob = lob
        self.making = making

    @pytest.fixture
    def channel(self) -> Channel:
        return self.making()

    @pytest.fixture
    def sandboxed(self) -> Channel:
        return self.making(api_key=Secret(TEST), sandbox=True)

    def accepted(self) -> Sequence[str]:
        return self.lob.server.accepted

    def troubled(self, trouble: Trouble) -> Channel:
        if trouble == "refused":
            with nobody() as url:
                return self.making(host=url, timeout=0.5)
        self.lob.server.trouble = TROUBLES[trouble]()
        return self.making(timeout=0.5)


def only(receipts: Sequence[Receipt]) -> Receipt:
    (receipt,) = receipts
    return receipt


def test_a_letter_is_handed_over_as_lob_asks_for_it(lob: Lob, making: Making) -> None:
    receipt = only(making(color=True, mail_type="usps_standard").send([message()]))
    assert receipt.reference == "ltr_0000000000000000"
    (request,) = lob.server.requests
    assert (request.method, request.path) == ("POST", "/letters")
    assert request.headers["idempotency-key"] == message().id
    form = fields_of(request)
    page = form.pop("file")
    assert form == {
        "to[name]": "Zoë Łukasiewicz",
        "to[address_line1]": "742 Evergreen Terrace",
        "to[address_line2]": "Apt 4",
        "to[address_city]": "Springfield",
        "to[address_state]": "IL",
        "to[address_zip]": "62704-1234",
        "to[address_country]": "US",
        "from[name]": "Corner Bakery",
        "from[address_line1]": "1 Main St",
        "from[address_city]": "Springfield",
        "from[address_state]": "IL",
        "from[address_zip]": "62701",
        "from[address_country]": "US",
        "color": "true",
        "address_placement": "top_first_page",
        "mail_type": "usps_standard",
        "use_type": "marketing",
        "metadata[message]": message().id,
    }
    assert "<p>thank you &lt;3<br>for standing by us.</p>" in page
    assert "<h1>Thank you</h1>" in page


def test_lines_that_were_broken_for_a_screen_are_joined(lob: Lob, making: Making) -> None:
    long = "The master of the workshop will call you this week, and wants to hear what"
    making().send([message(text=f"{long}\nis to be done.\n\nCorner Bakery\nMain St")])
    page = fields_of(lob.server.requests[0])["file"]
    assert f"<p>{long} is to be done.</p><p>Corner Bakery<br>Main St</p>" in page


def test_a_postcard_has_a_front_and_a_back(lob: Lob, making: Making) -> None:
    channel = making(format="postcard", size="6x9", use_type="operational", sender_address="adr_123")
    receipt = only(channel.send([message(html="<p>Dear <b>Zoë</b></p>")]))
    assert receipt.reference == "psc_0000000000000000"
    form = fields_of(lob.server.requests[0])
    assert lob.server.requests[0].path == "/postcards"
    assert (form["size"], form["use_type"], form["from"]) == ("6x9", "operational", "adr_123")
    assert "color" not in form
    assert "<h1>Thank you</h1>" in form["front"]
    assert "width: 9.25in; height: 6.25in" in form["front"]
    assert "<p>Dear <b>Zoë</b></p>" in form["back"]


def test_a_whole_page_stays_as_it_is(lob: Lob, making: Making) -> None:
    page = "<html><body><p>All mine</p></body></html>"
    making().send([message(html=page)])
    assert fields_of(lob.server.requests[0])["file"] == page


def test_what_was_lost_on_the_way_is_posted_once(lob: Lob, making: Making) -> None:
    channel = making(timeout=0.5)
    lob.server.script(drops(takes=True), silent(takes=True), failing(takes=True, status=503), None)
    states = [only(channel.send([message()])).state for _ in range(4)]
    assert states == ["deferred", "deferred", "deferred", "accepted"]
    assert lob.server.accepted == [message().id]
    assert len(lob.server.requests) == 4


@pytest.mark.parametrize(
    ("address", "country", "expected"),
    [
        (
            "Zoë Łukasiewicz\nMusterstraße 12\nHinterhaus\n80331 München\nGermany",
            "DE",
            {"address_line1": "Musterstraße 12", "address_line2": "Hinterhaus", "address_city": "80331 München"},
        ),
        ("1 rue de la Paix\n75002 Paris", "FR", {"address_line1": "1 rue de la Paix", "address_city": "75002 Paris"}),
        ("10 High St\nBath\nBA1 1AA\nUK", "GB", {"address_line2": "Bath", "address_city": "BA1 1AA"}),
        ("1 Main St\nSpringfield IL 62701\nUSA", "DE", {"address_state": "IL", "address_country": "US"}),
        ("1 Main St\nWinston Salem, nc, 27101", "US", {"address_city": "Winston Salem", "address_state": "NC"}),
    ],
)
def test_addresses_have_the_fields_of_their_country(
    lob: Lob, making: Making, address: str, country: str, expected: Mapping[str, str]
) -> None:
    assert only(making().send([message(address=address, country=country)])).state == "accepted"
    form = fields_of(lob.server.requests[0])
    wanted = {"address_country": country, "name": "Zoë Łukasiewicz", **expected}
    assert {name: form[f"to[{name}]"] for name in wanted} == wanted
    assert ("mail_type" in form) == (wanted["address_country"] == "US")


def test_without_a_country_it_is_the_settings_one(lob: Lob, making: Making) -> None:
    making(country="DE").send([message(address="Musterstraße 12\n80331 München", country=None)])
    assert fields_of(lob.server.requests[0])["to[address_country]"] == "DE"


LONG = "Dr. Maximiliane Friederike Freifrau von Hohenstein-Wittgenstein-Berleburg"


def test_a_long_name_takes_two_lines(lob: Lob, making: Making) -> None:
    making().send([message(recipient=LONG)])
    form = fields_of(lob.server.requests[0])
    assert f"{form['to[name]']} {form['to[company]']}" == LONG
    assert max(len(form["to[name]"]), len(form["to[company]"])) <= 40


BAD = [
    ({"address": "1 Main St\nSpringfield"}, "does not end with city, state and ZIP"),
    ({"address": "Springfield, IL 62701"}, "has no street"),
    ({"address": "1 Main St " * 10 + "\nSpringfield, IL 62701"}, "longer than the 64"),
    ({"address": "Somewhere", "country": "DE"}, "no street or no town"),
    ({"address": "1 Main St\n" + "x" * 201, "country": "DE"}, "longer than the 200"),
    ({"address": "1 Main St\nTown", "country": "Germany"}, "nobody knows the address's country"),
    ({"recipient": "x" * 41}, "longer than the two lines"),
    ({"recipient": f"{LONG} {LONG}"}, "longer than the two lines"),
    ({"recipient": ""}, "has no name"),
    ({"recipient": "", "address": "1 Main St\nSpringfield, IL 62701"}, "has no name"),
    ({"text": " ", "html": ""}, "no text to print"),
    ({"text": "half a pair \ud800"}, "UTF-8 lacks"),
]


def test_a_long_line_takes_no_time_to_refuse(lob: Lob, making: Making) -> None:
    letters = making()
    # With the cube of their length, these would take a quarter of an hour.
    lines = [", " * 100_000 + "x", "a " * 100_000 + "IL 6270", "a" * 200_000 + ", IL"]
    receipts = letters.send([message(n, address=f"1 Main St\n{line}") for n, line in enumerate(lines)])
    assert {each.state for each in receipts} == {"rejected"}
    assert lob.server.requests == []


@pytest.mark.parametrize(("values", "told"), BAD)
def test_what_lob_would_not_print_is_refused_before(
    lob: Lob, making: Making, values: Mapping[str, Any], told: str
) -> None:
    receipts = making().send([message(1), message(2, **values), message(3)])
    assert [each.state for each in receipts] == ["accepted", "rejected", "accepted"]
    assert told in receipts[1].detail
    assert len(lob.server.requests) == 2


def test_a_name_may_stand_in_the_address_alone(lob: Lob, making: Making) -> None:
    making().send([message(recipient="", address="Zoë Łukasiewicz\n1 Main St\nSpringfield, IL 62701")])
    form = fields_of(lob.server.requests[0])
    assert (form["to[name]"], form["to[address_line1]"]) == ("Zoë Łukasiewicz", "1 Main St")


@pytest.mark.parametrize(
    "values", [{"text": "too much " * 200}, {"html": "<p>one line</p>" * 30}, {"subject": "x" * 91}]
)
def test_what_a_postcard_would_cut_off_is_refused(lob: Lob, making: Making, values: Mapping[str, Any]) -> None:
    assert "too long" in only(making(format="postcard").send([message(**values)])).detail
    assert lob.server.requests == []


def error(status: int, code: str) -> Answer:
    said = {"message": "742 Evergreen Terrace is wrong, Zoë Łukasiewicz", "status_code": status, "code": code}
    return Answer.json({"error": said}, status=status)


@pytest.mark.parametrize(
    ("status", "code", "suppression"),
    [
        (422, "failed_deliverability_strictness", "hard_bounce"),
        (422, "invalid", None),
        (400, "bad_request", None),
        (404, "not_found", None),
        (413, "Zoë <b>", None),
    ],
)
def test_what_lob_refuses_is_rejected_by_its_code_alone(
    lob: Lob, making: Making, status: int, code: str, suppression: str | None
) -> None:
    lob.server.trouble = attrs.evolve(failing(), answer=error(status, code))
    receipt = only(making().send([message()]))
    assert (receipt.state, receipt.suppression) == ("rejected", suppression)
    assert str(status) in receipt.detail
    assert not re.search("Evergreen|Zoë", receipt.detail)


@pytest.mark.parametrize(("status", "code"), [(402, "payment_required"), (403, "billing_address_required")])
def test_an_account_out_of_order_stops_the_channel(lob: Lob, making: Making, status: int, code: str) -> None:
    lob.server.trouble = attrs.evolve(failing(), answer=error(status, code))
    with pytest.raises(ConfigurationError, match=code) as caught:
        making().send([message()])
    assert "Evergreen" not in str(caught.value)


def test_a_busy_lob_is_given_its_time(lob: Lob, making: Making) -> None:
    lob.server.script(busy(seconds=7), busy(seconds=None))
    assert [only(making().send([message()])).retry_after for _ in range(2)] == [7, None]


@pytest.mark.parametrize("found", ["deliverable", "deliverable_missing_unit"])
def test_a_verified_address_goes(lob: Lob, making: Making, found: str) -> None:
    lob.found = found
    assert only(making(verify=True).send([message()])).state == "accepted"
    verified, letter = lob.server.requests
    assert (verified.path, letter.path) == ("/us_verifications", "/letters")
    assert fields_of(verified) == {
        "primary_line": "742 Evergreen Terrace",
        "secondary_line": "Apt 4",
        "city": "Springfield",
        "state": "IL",
        "zip_code": "62704-1234",
    }


def test_an_address_that_does_not_exist_is_rejected_for_good(lob: Lob, making: Making) -> None:
    lob.found = "undeliverable"
    receipt = only(making(verify=True).send([message()]))
    assert (receipt.state, receipt.suppression) == ("rejected", "hard_bounce")
    assert lob.server.accepted == []


def test_addresses_abroad_are_not_verified(lob: Lob, making: Making) -> None:
    making(verify=True).send([message(address="Musterstraße 12\n80331 München", country="DE")])
    assert [each.path for each in lob.server.requests] == ["/letters"]


@pytest.mark.parametrize("trouble", [drops(), busy(), failing(), nonsense()])
def test_a_verification_that_fails_defers(lob: Lob, making: Making, trouble: Any) -> None:
    lob.server.trouble = trouble
    assert only(making(verify=True).send([message()])).state == "deferred"
    assert [each.path for each in lob.server.requests] == ["/us_verifications"]


def test_a_wrong_key_is_told_when_an_address_is_verified(lob: Lob, making: Making) -> None:
    lob.server.trouble = denied()
    with pytest.raises(ConfigurationError, match="does not know the api_key"):
        making(verify=True).send([message()])


def test_the_machines_proxy_is_not_asked(making: Making, monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("http_proxy", proxy)
        assert only(making().send([message()])).state == "accepted"
