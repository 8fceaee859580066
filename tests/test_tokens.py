"""Tokens in links: what this project signed is read again, and nothing else is."""

import base64
import string
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, strategies as st

from relationship_core import RejectedError
from relationship_core.errors import WrongArgumentError
from relationship_core.flow.permission.tokens import (
    LIFETIMES,
    TOKEN_LENGTH,
    TokenPurpose,
    read_token,
    sign_token,
)

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SECRETS = ("of this project",)
MESSAGE = "00112233445566778899aabbccddeeff"
ALPHABET = string.ascii_letters + string.digits + "-_"

purposes = st.sampled_from(get_args(TokenPurpose))
messages = st.binary(min_size=16, max_size=16).map(bytes.hex)
secrets = st.lists(st.text(min_size=1), min_size=1, max_size=3, unique=True)
instants = st.datetimes(datetime(1970, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  hypothesis adds the zone


def refused(token: str, purpose: TokenPurpose = "unsubscribe", **more: Any) -> str:
    with pytest.raises(RejectedError) as caught:
        read_token(token, purpose, **{"secrets": SECRETS, "now": NOW, **more})
    return str(caught.value)


@given(purpose=purposes, message=messages, secrets=secrets, now=instants, waited=st.floats(0, 0.999_999))
def test_a_token_says_what_it_was_signed_for(
    purpose: TokenPurpose, message: str, secrets: list[str], now: datetime, waited: float
) -> None:
    token = sign_token(purpose, message, secrets=secrets, now=now)
    said = read_token(token, purpose, secrets=secrets, now=now + (LIFETIMES[purpose] - timedelta(seconds=1)) * waited)
    assert (said.purpose, said.message) == (purpose, message)
    assert timedelta() <= now + LIFETIMES[purpose] - said.expires_at < timedelta(seconds=1)


@given(purpose=purposes, message=messages, now=instants)
def test_a_token_is_short_and_fits_any_link(purpose: TokenPurpose, message: str, now: datetime) -> None:
    token = sign_token(purpose, message, secrets=SECRETS, now=now)
    assert len(token) == TOKEN_LENGTH
    assert set(token) <= set(ALPHABET)
    assert len(f"https://mail.a-rather-long-name-of-a-shop.example.com/relationship/unsubscribe/{token}") < 200


@given(place=st.integers(0, TOKEN_LENGTH - 1), letter=st.sampled_from(ALPHABET))
def test_a_token_of_which_one_letter_differs_is_refused(place: int, letter: str) -> None:
    token = sign_token("unsubscribe", MESSAGE, secrets=SECRETS, now=NOW)
    forged = token[:place] + letter + token[place + 1 :]
    if forged == token:
        assert read_token(forged, "unsubscribe", secrets=SECRETS, now=NOW).message == MESSAGE
    else:
        assert "no link of this project" in refused(forged)


def test_every_bit_counts() -> None:
    whole = base64.urlsafe_b64decode(sign_token("unsubscribe", MESSAGE, secrets=SECRETS, now=NOW))
    for bit in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        refused(base64.urlsafe_b64encode(changed).decode())


@given(st.one_of(st.text(), st.text(ALPHABET, min_size=TOKEN_LENGTH, max_size=TOKEN_LENGTH)))
def test_whatever_else_is_handed_in_is_refused_in_a_sentence_that_does_not_repeat_it(token: str) -> None:
    told = refused(token)
    assert told == refused("x")


@given(length=st.integers(0, TOKEN_LENGTH - 1), more=st.text(ALPHABET + "=\n ", min_size=1, max_size=4))
def test_a_token_that_was_cut_or_has_something_after_it_is_refused(length: int, more: str) -> None:
    token = sign_token("unsubscribe", MESSAGE, secrets=SECRETS, now=NOW)
    refused(token[:length])
    refused(token + more)


@given(made_for=purposes, used_for=purposes)
def test_a_token_is_good_for_its_own_purpose_alone(made_for: TokenPurpose, used_for: TokenPurpose) -> None:
    token = sign_token(made_for, MESSAGE, secrets=SECRETS, now=NOW)
    if made_for == used_for:
        assert read_token(token, used_for, secrets=SECRETS, now=NOW).purpose == used_for
    else:
        assert f"({used_for})" in refused(token, used_for)


@pytest.mark.parametrize(("purpose", "days"), [("unsubscribe", 400), ("preference", 90), ("confirm", 7)])
def test_a_token_expires_by_its_purpose(purpose: TokenPurpose, days: int) -> None:
    token = sign_token(purpose, MESSAGE, secrets=SECRETS, now=NOW)
    end = NOW + timedelta(days=days)
    assert read_token(token, purpose, secrets=SECRETS, now=end - timedelta(seconds=1)).expires_at == end
    assert f"until {end:%Y-%m-%d}" in refused(token, purpose, now=end)


@given(mine=secrets, theirs=secrets)
def test_a_token_of_another_project_is_refused(mine: list[str], theirs: list[str]) -> None:
    token = sign_token("preference", MESSAGE, secrets=theirs, now=NOW)
    if theirs[0] in mine:
        assert read_token(token, "preference", secrets=mine, now=NOW).message == MESSAGE
    else:
        assert "no link of this project" in refused(token, "preference", secrets=mine)


def test_links_of_an_earlier_secret_work_until_it_is_taken_away() -> None:
    old, new = "of last year", "of this year"
    token = sign_token("unsubscribe", MESSAGE, secrets=[old], now=NOW)
    assert read_token(token, "unsubscribe", secrets=[new, old], now=NOW).message == MESSAGE
    refused(token, secrets=[new])
    # The first one signs.
    refused(sign_token("unsubscribe", MESSAGE, secrets=[new, old], now=NOW), secrets=[old])


def test_a_token_shows_nothing_of_the_secret_and_is_another_for_each_message() -> None:
    tokens = {
        sign_token("unsubscribe", f"{number:032x}", secrets=[secret], now=NOW)
        for number in range(50)
        for secret in ("a", "b")
    }
    assert len(tokens) == 100
    assert len({token[-21:] for token in tokens}) == 100


@pytest.mark.parametrize("message", ["ada", "ada@example.com", "", MESSAGE.upper(), MESSAGE[:-1], MESSAGE + "0"])
def test_only_ids_of_messages_are_signed(message: str) -> None:
    with pytest.raises(WrongArgumentError, match="32 hexadecimal digits"):
        sign_token("confirm", message, secrets=SECRETS, now=NOW)


@pytest.mark.parametrize("secrets", [(), [""], ["good", ""], "text"])
def test_no_secret_is_a_mistake_of_the_program(secrets: Any) -> None:
    with pytest.raises(WrongArgumentError, match="secrets"):
        sign_token("confirm", MESSAGE, secrets=secrets, now=NOW)
    with pytest.raises(WrongArgumentError, match="secrets"):
        read_token("x", "confirm", secrets=secrets, now=NOW)


def test_an_unknown_purpose_is_a_mistake_of_the_program() -> None:
    purpose: Any = "login"
    with pytest.raises(WrongArgumentError, match="not 'login'"):
        sign_token(purpose, MESSAGE, secrets=SECRETS, now=NOW)
    with pytest.raises(WrongArgumentError, match="not 'login'"):
        read_token("x", purpose, secrets=SECRETS, now=NOW)
