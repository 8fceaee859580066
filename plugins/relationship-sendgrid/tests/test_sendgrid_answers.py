"""What SendGrid's answers, and their absence, mean for messages."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import pytest
from hypothesis import given, settings, strategies as st

from relationship_core import (
    Channel,
    ConfigurationError,
    Message,
    Receipt,
)
from relationship_core.testing.servers import (
    Answer,
    busy,
    denied,
    drops,
    failing,
    nonsense,
)
from relationship_sendgrid import answers
from relationship_sendgrid.answers import outcome_of

KEY = "SG.aaaabbbbcccc.dddd-eeee_ffff"
Make = Callable[..., Message]
Open = Callable[..., Channel]


def refusal_of(field: str | None, message: str, status: int = 400) -> Answer:
    return Answer.json({"errors": [{"message": message, "field": field, "help": None}]}, status=status)


def states(receipts: Sequence[Receipt]) -> list[str]:
    return [each.state for each in receipts]


@pytest.mark.parametrize("tells_the_place", [True, False])
def test_only_those_at_fault_are_rejected(message: Make, fake: Any, make: Open, *, tells_the_place: bool) -> None:
    fake.bad_addresses = {"c3@example.com", "c8@example.com"}
    fake.tells_the_place = tells_the_place
    messages = [message(number) for number in range(10)]
    receipts = make().send(messages)
    bad = {3, 8}
    assert [number for number, each in enumerate(receipts) if each.state == "rejected"] == sorted(bad)
    assert Counter(fake.server.accepted) == Counter(
        each.id for number, each in enumerate(messages) if number not in bad
    )
    assert {receipts[number].suppression for number in bad} == ({"hard_bounce"} if tells_the_place else {None})
    said = receipts[3].detail
    assert said.startswith("SendGrid 400")
    assert "valid address" in said
    assert "example.com" not in said


def test_wrong_places_end_as_well(message: Make, fake: Any, make: Open) -> None:
    answer = refusal_of("personalizations.99.to.0.email", "Does not contain a valid address")
    fake.server.trouble = failing(json.loads(answer.body), status=400)
    assert states(make().send([message(number) for number in range(3)])) == ["rejected"] * 3
    assert len(fake.server.requests) == 4


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Sat, 01 Mar 2025 09:00:30 GMT", "Date": "Sat, 01 Mar 2025 09:00:00 GMT"}, 30.0),
        ({"X-RateLimit-Reset": "1740819660", "Date": "Sat, 01 Mar 2025 09:00:00 GMT"}, 60.0),
        ({"X-RateLimit-Reset": "1740819660"}, None),
        ({"X-RateLimit-Reset": "soon", "Date": "Sat, 01 Mar 2025 09:00:00 GMT"}, None),
        ({"Retry-After": "Sat, 01 Mar 2025 08:00:00 GMT", "Date": "Sat, 01 Mar 2025 09:00:00 GMT"}, 0.0),
        ({"Retry-After": "9" * 9}, 86_400.0),
        ({"Retry-After": "-1"}, None),
        ({}, None),
    ],
)
def test_it_waits_as_long_as_sendgrid_says(
    message: Make, fake: Any, make: Open, headers: dict[str, str], seconds: float | None
) -> None:
    fake.server.trouble = attrs.evolve(busy(), answer=Answer(status=429, headers=headers))
    receipts = make().send([message(1), message(2, text="Other")])
    assert states(receipts) == ["deferred"] * 2
    assert [each.retry_after for each in receipts] == [seconds] * 2
    assert len(fake.server.requests) == 1


@pytest.mark.parametrize(
    ("trouble", "first"),
    [(drops(), "unknown"), (failing(), "unknown"), (failing(status=503), "unknown"), (nonsense(), "unknown"),
     (nonsense(status=302), "unknown"), (failing(status=408), "deferred")],
)  # fmt: skip
def test_after_trouble_the_rest_is_left(message: Make, fake: Any, make: Open, trouble: Any, first: str) -> None:
    fake.server.script(None, trouble)
    receipts = make().send([message(number, text=f"Dear {number}") for number in range(4)])
    assert states(receipts) == ["accepted", first, "deferred", "deferred"]
    assert len(fake.server.requests) == 2


def test_who_is_denied_in_the_middle_keeps_what_was_sent(message: Make, fake: Any, make: Open) -> None:
    """It raised otherwise, and what was accepted would be sent again."""
    fake.server.script(None, denied())
    receipts = make().send([message(number, text=f"Dear {number}") for number in range(3)])
    assert states(receipts) == ["accepted", "deferred", "deferred"]
    assert fake.server.accepted == [message(0).id]


@pytest.mark.parametrize(
    ("given", "words"),
    [({"sender": "other@example.com"}, "sender"), ({"host": "{url}/elsewhere"}, "host")],
)
def test_wrong_settings_are_named(message: Make, fake: Any, make: Open, given: dict[str, str], words: str) -> None:
    if "host" in given:
        fake.server.trouble = failing(status=404)
        given = {}
    with pytest.raises(ConfigurationError, match=words):
        make(**given).send([message(1)])
    assert fake.server.accepted == []


def test_a_key_without_the_permission_is_told(message: Make, fake: Any, make: Open) -> None:
    fake.server.trouble = denied({"errors": [{"message": "access forbidden", "field": None}]}, status=403)
    with pytest.raises(ConfigurationError, match="permission Mail Send"):
        make().send([message(1)])


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"errors": 1}', b'{"errors": [1, {"field": 3}]}', b"[" * 100_000, b"\xff"]
)
def test_a_refusal_that_says_nothing_is_one(message: Make, fake: Any, make: Open, body: bytes) -> None:
    fake.server.trouble = nonsense(status=400, body=body)
    (receipt,) = make().send([message(1)])
    assert receipt.state == "rejected"
    assert receipt.detail.startswith("SendGrid 400")


def test_nothing_of_a_person_is_repeated(message: Make, fake: Any, make: Open) -> None:
    words = (
        f"{KEY} zoe.lee@example.org C1@EXAMPLE.COM Customer 1 hello +49 170 1234567 "
        "https://shop.example.com/t/abc is not valid"
    )
    fake.server.trouble = failing({"errors": [{"message": words, "field": "Zoe's <field>"}]}, status=400)
    (receipt,) = make().send([message(1)])
    for hidden in ("example", "Customer 1", "Hello", "hello", "170", "abc", "SG.", "Zoe"):
        assert hidden not in receipt.detail
    assert receipt.detail.endswith("is not valid")


@settings(max_examples=300, deadline=None)
@given(
    status=st.integers(100, 599),
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-reset", "date", "x-message-id"]), st.text(max_size=30)
    ),
    document=st.binary(max_size=80)
    | st.lists(st.fixed_dictionaries({"field": st.none() | st.text(), "message": st.text()}), max_size=3).map(
        lambda errors: json.dumps({"errors": errors}).encode()
    ),
    sandbox=st.booleans(),
)
def test_any_answer_means_something(status: int, headers: dict[str, str], document: bytes, *, sandbox: bool) -> None:
    hidden = ("zoe@example.com", "Zoë Łukasiewicz")
    said = outcome_of(answers.Answer(status=status, headers=headers, body=document), sandbox=sandbox, hidden=hidden)
    assert (said.state == "accepted") == (status == (200 if sandbox else 202) and not (sandbox and document.strip()))
    assert said.state == "accepted" or said.detail.isprintable()
    assert not any(each in said.detail for each in hidden)
    assert said.retry_after is None or 0 <= said.retry_after <= 86_400
    Receipt(message="m", state=said.state, detail=said.detail, retry_after=said.retry_after)
