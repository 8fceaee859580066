"""Links in messages: nothing changes by looking, one POST is enough, and nobody can make one of their own."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from relationship_core import (
    CONSENTS,
    DELIVERY_EVENTS,
    MESSAGES,
    PREFERENCES,
    SUPPRESSIONS,
    Campaign,
    Choice,
    ConfigurationError,
    Consent,
    ConsentSettings,
    ContactPoint,
    Customer,
    Message,
    ProjectSettings,
    Provider,
    RawRequest,
    Receipt,
    Received,
    Relationships,
    Variant,
    hookimpl,
)
from relationship_core.builtin.channels import NullSettings

START = datetime(2024, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BASE = "https://shop.example.com/r"
ALL = "{{ links.unsubscribe }} {{ links.preference }} {{ links.confirm }}"
Open = Callable[..., Relationships]
Make = Callable[..., Campaign]


class Post:
    """A plugin, and its channel, which remembers what it sent."""

    medium = "email"

    def __init__(self) -> None:
        self.sent: list[Message] = []

    @hookimpl
    def relationship_channels(self) -> tuple[Provider[Any], ...]:
        return (Provider(name="line", factory=lambda _: self, settings=NullSettings, summary="A test."),)

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        self.sent += messages
        return [Receipt(message=each.id, state="accepted") for each in messages]

    def close(self) -> None:
        pass


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def shop(make_project: Open, post: Post) -> Open:
    def open_it(*campaigns: Campaign, links: str = BASE, **more: Any) -> Relationships:
        project = make_project(
            *campaigns,
            plugins=[post],
            channels={"mail": Choice(use="line")},
            **{"project": ProjectSettings(name="Corner <Bakery>", postal_address="1 Main St", links=links), **more},
        )
        project.record_customers(
            [Customer(id="ada", contact_points=[ContactPoint(medium="email", address="ada@example.com")])]
        )
        return project

    return open_it


@pytest.fixture
def letter(make_campaign: Make) -> Make:
    def make(text: str = ALL, **more: Any) -> Campaign:
        return make_campaign("letter", variants=[Variant(channel="mail", subject="Hello", text=text)], **more)

    return make


def sent(project: Relationships, post: Post) -> Message:
    project.run(as_of=START)
    (message,) = post.sent
    return message


def go(project: Relationships, url: str, method: str = "POST", at: datetime = START + DAY, **more: Any) -> Received:
    return project.receivers.receive("links", RawRequest(method=method, url=url, received_at=at, **more))


def nothing_happened(project: Relationships) -> bool:
    return all(project.store.read(table).is_empty() for table in (CONSENTS, DELIVERY_EVENTS, PREFERENCES, SUPPRESSIONS))


def test_marketing_carries_the_address_of_one_click_and_service_does_not(shop: Open, letter: Make, post: Post) -> None:
    assert sent(shop(letter("Hi")), post).unsubscribe.startswith(f"{BASE}/u/")
    post.sent.clear()
    assert sent(shop(letter("Hi", purpose="service")), post).unsubscribe == ""


def test_without_an_address_for_links_there_are_none(shop: Open, letter: Make, post: Post) -> None:
    assert sent(shop(letter("Hi"), links=""), post).unsubscribe == ""
    with pytest.raises(ConfigurationError, match=r"\[project\] links"):
        shop(letter(), links="").plan(as_of=START)


def test_a_wrong_name_of_a_link_is_refused(shop: Open, letter: Make) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'preference'"):
        shop(letter("{{ links.preferences }}")).plan(as_of=START)


@pytest.mark.parametrize(
    "links", ["http://shop.example.com", "https://shop.example.com/?a=b", "shop.example.com", "https://a b"]
)
def test_an_address_for_links_that_is_none_is_refused(links: str) -> None:
    with pytest.raises(ConfigurationError, match="links"):
        ProjectSettings(links=links)


def test_the_links_in_a_text_are_real_ones(shop: Open, letter: Make, post: Post) -> None:
    message = sent(shop(letter()), post)
    unsubscribe, preference, confirm = message.text.split()
    assert unsubscribe == message.unsubscribe
    assert preference.startswith(f"{BASE}/p/")
    assert confirm.startswith(f"{BASE}/c/")
    assert all(len(each) < 100 for each in (unsubscribe, preference, confirm))


def test_a_preview_shows_links_that_do_nothing(shop: Open, letter: Make) -> None:
    project = shop(letter())
    (shown,) = project.preview("letter")
    for link in shown.message.text.split():
        assert link.startswith(BASE)
        assert go(project, link).refused
    assert nothing_happened(project)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing(shop: Open, letter: Make, post: Post, method: str) -> None:
    project = shop(letter())
    for link in sent(project, post).text.split():
        page = go(project, link, method)
        assert (page.status, page.refused) == (200, "")
        assert '<form method="post">' in page.body
        assert "Corner &lt;Bakery&gt;" in page.body
    assert nothing_happened(project)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click"),
        (
            "multipart/form-data; boundary=xx",
            b'--xx\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--xx--\r\n',
        ),
        ("", b""),
    ],
)
def test_one_post_unsubscribes_and_may_come_again(shop: Open, letter: Make, post: Post, kind: str, body: bytes) -> None:
    project = shop(letter("Hi", topic="news", key="month"))
    link = sent(project, post).unsubscribe
    for hours in (0, 1):
        answer = go(project, link, at=START + DAY + timedelta(hours=hours), headers={"Content-Type": kind}, body=body)
        assert (answer.status, answer.refused) == (200, "")
    (consent,) = project.store.read(CONSENTS).to_dicts()
    assert (consent["act"], consent["topic"]) == ("withdraw", "news")
    assert set(project.store.read(SUPPRESSIONS)["scope"]) == {"topic:news"}
    project.run(as_of=START + 40 * DAY)
    assert len(post.sent) == 1


@pytest.mark.parametrize("wish", ["close", "occasional", "transactional", "none"])
def test_the_form_says_which_relationship_is_wanted(shop: Open, letter: Make, post: Post, wish: str) -> None:
    project = shop(letter())
    _, link, _ = sent(project, post).text.split()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert go(project, link, headers=form, body=f"wish={wish}".encode()).events == 1
    (kept,) = project.store.read(PREFERENCES).to_dicts()
    assert (kept["customer"], kept["wish"], kept["source"]) == ("ada", wish, "links")


@pytest.mark.parametrize("body", [b"", b"wish=everything", b"wish=\xff", b"&" * 1000, b"wish=close&" * 200])
def test_a_form_that_says_nothing_is_refused(shop: Open, letter: Make, post: Post, body: bytes) -> None:
    project = shop(letter())
    _, link, _ = sent(project, post).text.split()
    answer = go(project, link, headers={"Content-Type": "application/x-www-form-urlencoded"}, body=body)
    assert answer.status == 400
    assert project.store.read(PREFERENCES).is_empty()


@pytest.mark.parametrize(
    "head", ["--%d\nContent-Type: multipart/x; boundary=%d\n\n", "Content-Type: message/rfc822\n\n"]
)
def test_a_form_within_forms_is_refused(shop: Open, letter: Make, post: Post, head: str) -> None:
    project = shop(letter())
    _, link, _ = sent(project, post).text.split()
    nested = "--0\n" + "".join(head % (n, n + 1) if "%" in head else head for n in range(2000))
    answer = go(project, link, headers={"Content-Type": "multipart/form-data; boundary=0"}, body=nested.encode())
    assert answer.status == 400


@pytest.mark.parametrize("url", ["https://[/r/u/x", "https://[v1.x/r/u/x", "//[::1/r/u/x"])
def test_an_address_that_is_none_is_refused(strangers: Relationships, url: str) -> None:
    assert go(strangers, url).status == 404


def test_a_request_whose_clock_is_far_ahead_counts_as_of_now(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter(), clock=lambda: START + DAY)
    _, preference, confirm = sent(project, post).text.split()
    ahead = START + 6 * DAY
    assert go(project, preference, at=ahead, body=b"wish=none").events == 1
    assert go(project, confirm, at=ahead).events == 1
    assert set(project.store.read(PREFERENCES)["at"]) == set(project.store.read(CONSENTS)["at"]) == {START + DAY}


def test_a_link_of_somebody_who_is_erased_meanwhile_keeps_nothing(
    shop: Open, letter: Make, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = shop(letter())
    _, preference, confirm = sent(project, post).text.split()
    before = project.store.read(MESSAGES)
    project.forget("ada", actor="ann")
    read = type(project.store).read

    def stale(store: Any, table: Any, **given: Any) -> Any:
        return before.select(given["columns"]) if table is MESSAGES else read(store, table, **given)

    monkeypatch.setattr(type(project.store), "read", stale)
    assert go(project, preference, body=b"wish=none").status == go(project, confirm).status == 409


def test_the_link_of_a_double_opt_in_confirms(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter(purpose="service", topic="news"), consent=ConsentSettings(double_opt_in=("email",)))
    asked = Consent(
        customer="ada", act="grant", at=START, medium="email", topic="news", method="form", source="web", wording="v1"
    )
    project.permissions.record_consents([asked])
    *_, link = sent(project, post).text.split()

    def state() -> list[str]:
        shown = project.permissions.show("ada", as_of=START + 2 * DAY)
        return [each.state for each in shown.consents if (each.medium, each.topic) == ("email", "news")]

    assert state() == ["pending"]
    go(project, link, "GET")
    assert state() == ["pending"]
    go(project, link)
    assert state() == ["granted"]


def test_a_link_of_somebody_who_was_erased_is_answered_kindly(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter("Hi"))
    link = sent(project, post).unsubscribe
    project.forget("ada", actor="ann")
    answer = go(project, link)
    assert (answer.status, answer.refused, answer.ignored) == (200, "", 1)


def test_a_link_works_for_its_own_purpose_and_time_only(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter())
    unsubscribe, preference, confirm = sent(project, post).text.split()
    assert go(project, preference.replace("/p/", "/u/")).status == 403
    assert go(project, unsubscribe, at=START + 500 * DAY).status == 403
    assert go(project, confirm, at=START + 8 * DAY).status == 403
    assert go(project, BASE).status == 404
    assert go(project, unsubscribe, "DELETE").status == 405
    assert nothing_happened(project)


def test_the_link_of_another_project_is_none_of_ours(shop: Open, letter: Make, post: Post) -> None:
    link = sent(shop(letter("Hi")), post).unsubscribe
    other = shop(letter("Hi"))
    assert go(other, link).status == 403


@pytest.fixture(scope="module")
def strangers(make_project: Open) -> Relationships:
    """A project that has sent nothing."""
    return make_project(project=ProjectSettings(links=BASE))


@given(data=st.data())
def test_no_link_can_be_made_up(strangers: Relationships, data: st.DataObject) -> None:
    link = data.draw(
        st.one_of(
            st.text(max_size=80),
            st.from_regex(r"https://shop\.example\.com/r/[upc]/[A-Za-z0-9_-]{52}", fullmatch=True),
        )
    )
    method = data.draw(st.sampled_from(["GET", "POST", "PUT"]))
    assert go(strangers, link, method, body=data.draw(st.binary(max_size=60))).status >= 400


def test_a_changed_letter_of_a_token_is_refused(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter("Hi"))
    link = sent(project, post).unsubscribe
    start = link.rindex("/") + 1
    for place in range(start, len(link)):
        other = "A" if link[place] != "A" else "B"
        assert go(project, link[:place] + other + link[place + 1 :]).status == 403
    assert nothing_happened(project)


def test_links_work_whatever_stands_before_them(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter("Hi", key="month"))
    link = sent(project, post).unsubscribe
    path = link.removeprefix("https://shop.example.com")
    assert go(project, f"http://10.0.0.1:8080{path}?utm=1").events == 1
    assert project.store.read(MESSAGES)["state"].to_list() == ["accepted"]


def test_a_request_is_read_as_it_was_saved() -> None:
    saved = b"post /r/u/x?y=1 HTTP/1.1\r\nHost: shop.example.com\r\nX-A: 1\r\nx-a: 2\r\n\r\nbody\r\n\r\nmore"
    request = RawRequest.parse(saved, received_at=START)
    assert (request.method, request.url) == ("POST", "https://shop.example.com/r/u/x?y=1")
    assert (request.header("X-A"), request.body) == ("1, 2", b"body\r\n\r\nmore")
    assert evolve(request, headers={"B": "1"}).header("b") == "1"


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])  # noqa: S301  our own bytes
def test_a_request_may_wait_in_a_queue_of_other_processes(copied: Callable[[RawRequest], RawRequest]) -> None:
    request = RawRequest(url="https://shop.example.com/r", headers={"X-A": "1"}, body=b"x", received_at=START)
    again = copied(request)
    assert again == request
    assert again.header("x-a") == "1"
