"""What Twilio's answers, and their absence, mean for messages."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

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
from relationship_twilio.codes import CODES

Make = Callable[..., Message]
Open = Callable[..., Channel]


def refused(code: int | None, status: int = 400, message: str = "no") -> dict[str, Any]:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return {"code": code, "message": message, "more_info": more, "status": status}


def states(receipts: Sequence[Receipt]) -> list[str]:
    return [each.state for each in receipts]


@pytest.mark.parametrize("code", sorted(CODES))
def test_each_code_means_what_the_table_says(message: Make, fake: Any, make: Open, code: int) -> None:
    known = CODES[code]
    fake.codes = {"+15550000001": code}
    channel = make()
    if known.mend:
        with pytest.raises(ConfigurationError, match=str(code)):
            channel.send([message(1), message(2)])
        assert fake.server.accepted == []
        return
    receipts = channel.send([message(1), message(2)])
    assert receipts[0] == Receipt(
        message=message(1).id,
        state=known.state,
        detail=f"Twilio {code}: {known.words}",
        suppression=known.suppression,
    )
    assert receipts[1].state == ("deferred" if known.state == "deferred" else "accepted")


@pytest.mark.parametrize("document", [{}, {"code": True}, {"code": 10**20}, {"code": "21211"}, [], None])
def test_an_answer_without_a_code_names_none(message: Make, fake: Any, make: Open, document: object) -> None:
    fake.server.trouble = failing(document, status=400)
    (receipt,) = make().send([message(1)])
    assert receipt.detail == "Twilio gave no code"


def test_the_table_is_the_agreed_one() -> None:
    by_reason = {
        reason: {code for code, each in CODES.items() if each.suppression == reason}
        for reason in ("hard_bounce", "stop")
    }
    assert by_reason == {"hard_bounce": {21211, 21614, 21635, 30006}, "stop": {21610}}
    assert {20429, 63017, 60728, 63038} <= {code for code, each in CODES.items() if each.state == "deferred"}
    for soft in (30003, 30005, 30008, 30007):
        assert (CODES[soft].state, CODES[soft].suppression) == ("rejected", None)
    assert all(each.words and each.state in {"rejected", "deferred"} for each in CODES.values())


def test_an_unknown_code_rejects_and_says_where_to_look(message: Make, fake: Any, make: Open) -> None:
    fake.codes = {"+15550000001": 21999}
    (receipt,) = make().send([message(1)])
    assert (receipt.state, receipt.suppression) == ("rejected", None)
    assert receipt.detail == "Twilio 21999: see https://www.twilio.com/docs/api/errors/21999"


@pytest.mark.parametrize(
    ("document", "state"),
    [
        ({"sid": f"SM{1:032x}", "status": "failed", "error_code": 30006}, "rejected"),
        ({"sid": f"SM{1:032x}", "status": "accepted"}, "accepted"),
        ({"sid": None, "status": "queued"}, "unknown"),
        ({"sid": "somebody@example.com"}, "unknown"),
        ({}, "unknown"),
        ([], "unknown"),
        ("SM", "unknown"),
        ({"sid": f"SM{1:032x}", "status": "queued", "date_created": 7}, "unknown"),
    ],
)
def test_only_what_is_a_message_is_accepted(message: Make, fake: Any, make: Open, document: object, state: str) -> None:
    fake.server.trouble = attrs.evolve(drops(), speaks=True, answer=Answer.json(document, status=201))
    (receipt,) = make().send([message(1)])
    assert receipt.state == state
    assert receipt.suppression == ("hard_bounce" if state == "rejected" else None)


@pytest.mark.parametrize(
    ("trouble", "first"),
    [
        (drops(), ("unknown", None)),
        (failing(refused(20500, 500)), ("unknown", None)),
        (nonsense(status=502), ("unknown", None)),
        (nonsense(status=302), ("unknown", None)),
        (busy(refused(20429, 429)), ("deferred", 7.0)),
        (busy(seconds=None), ("deferred", None)),
        (failing(status=408), ("deferred", None)),
    ],
)
def test_after_trouble_the_rest_is_left(
    message: Make, fake: Any, make: Open, trouble: Any, first: tuple[str, float | None]
) -> None:
    fake.server.script(None, trouble)
    bad = message(3, address="0170")
    receipts = make().send([message(1), message(2), bad, message(4)])
    assert states(receipts) == ["accepted", first[0], "rejected", "deferred"]
    assert receipts[3].retry_after == first[1]
    assert len(fake.server.requests) == 2


def test_who_is_denied_in_the_middle_keeps_what_was_sent(message: Make, fake: Any, make: Open) -> None:
    fake.server.script(None, denied(refused(20003, 401)))
    assert states(make().send([message(number) for number in range(3)])) == ["accepted", "deferred", "deferred"]


@pytest.mark.parametrize(("status", "code"), [(401, 20003), (401, None), (403, None), (404, 20404), (404, None)])
def test_what_must_be_mended_is_said(message: Make, fake: Any, make: Open, status: int, code: int | None) -> None:
    fake.server.trouble = denied(refused(code, status), status=status)
    with pytest.raises(ConfigurationError, match="account_sid"):
        make().send([message(1)])


def test_a_forbidden_country_is_of_one_message(message: Make, fake: Any, make: Open) -> None:
    fake.server.script(denied(refused(21408, 403), status=403))
    assert states(make().send([message(1), message(2)])) == ["rejected", "accepted"]


_VALUES = st.none() | st.integers() | st.text(max_size=10) | st.lists(st.integers(), max_size=2)
_NAMES = st.sampled_from(["code", "message", "status", "sid", "error_code", "type", "title", "details", "date_sent"])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    status=st.integers(200, 599).filter(lambda status: status not in {204, 304}),
    body=st.binary(max_size=60)
    | st.recursive(_VALUES, lambda inner: st.dictionaries(_NAMES, inner), max_leaves=8).map(
        lambda document: json.dumps(document).encode()
    ),
    headers=st.dictionaries(st.just("Retry-After"), st.text(st.characters(min_codepoint=32, max_codepoint=126))),
)
@example(status=403, body=b'{"code": []}', headers={})
@example(status=402, body=b'{"code": {}}', headers={})
@example(status=400, body=b'{"code": 21211, "status": "400"}', headers={})
def test_any_answer_means_something(
    message: Make, fake: Any, make: Open, *, status: int, body: bytes, headers: dict[str, str]
) -> None:
    fake.server.trouble = attrs.evolve(drops(), speaks=True, answer=Answer(status=status, headers=headers, body=body))
    try:
        (receipt,) = make().send([message(1)])
    except ConfigurationError:
        assert 400 <= status < 500
        return
    assert receipt.state != "accepted"
    assert receipt.detail.isprintable()
    if status >= 500 or status < 400:
        assert receipt.state == "unknown"
