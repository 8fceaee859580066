"""The server that the fakes of providers are made with."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected
from urllib.parse import urlsplit

import pytest

from relationship_core.testing.servers import (
    Answer,
    Call,
    LoopbackServer,
    Request,
    Trouble,
    busy,
    denied,
    drops,
    failing,
    nobody,
    nonsense,
    silent,
    slow,
)

NOW = datetime(2025, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    def answer(request: Request) -> Answer:
        fake.accept(request.json()["id"])
        return Answer.json({"ok": True}, status=201, headers={"X-Id": "7"})

    with LoopbackServer(answer) as fake:
        yield fake


@pytest.fixture
def connect() -> Iterator[Callable[..., HTTPConnection]]:
    opened: list[HTTPConnection] = []

    def open_one(server: LoopbackServer, timeout: float = 10) -> HTTPConnection:
        opened.append(HTTPConnection(urlsplit(server.url).netloc, timeout=timeout))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()


def post(connection: HTTPConnection, key: str) -> HTTPResponse:
    connection.request("POST", "/v1/things?dry=1&dry=2", json.dumps({"id": key}), {"X-Trace": "a"})
    return connection.getresponse()


def test_it_keeps_what_came_and_says_what_the_fake_says(
    server: LoopbackServer, connect: Callable[..., HTTPConnection]
) -> None:
    response = post(connect(server), "first")
    assert (response.status, response.getheader("X-Id"), json.loads(response.read())) == (201, "7", {"ok": True})
    (request,) = server.requests
    assert (request.method, request.path, request.query) == ("POST", "/v1/things", {"dry": "2"})
    assert request.headers["x-trace"] == "a"
    assert server.accepted == ["first"]
    raw = request.raw(received_at=NOW)
    assert (raw.url, raw.body, raw.header("X-Trace")) == (
        f"{server.url}/v1/things?dry=1&dry=2", b'{"id": "first"}', "a",
    )  # fmt: skip


def test_a_connection_serves_many_requests(server: LoopbackServer, connect: Callable[..., HTTPConnection]) -> None:
    connection = connect(server)
    for number in range(3):
        assert post(connection, str(number)).read()
    assert server.accepted == ["0", "1", "2"]


def test_a_form_is_read() -> None:
    request = Request(method="POST", url="http://x/", headers={}, body=b"a=1&a=2&b=%C3%A9&c=")
    assert request.form() == {"a": ["1", "2"], "b": ["é"], "c": [""]}


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (busy(), (429, "7", [])),
        (busy(seconds=None), (429, None, [])),
        (failing(status=503), (503, None, [])),
        (failing(takes=True), (500, None, ["x"])),
        (denied(), (401, None, [])),
        (nonsense(), (200, None, [])),
        (slow(0.001), (201, None, ["x"])),
    ],
)
def test_troubles_answer_in_the_fakes_place(
    server: LoopbackServer,
    connect: Callable[..., HTTPConnection],
    trouble: Trouble,
    expected: tuple[int, str | None, list[str]],
) -> None:
    server.trouble = trouble
    response = post(connect(server), "x")
    assert (response.status, response.getheader("Retry-After"), server.accepted) == expected


@pytest.mark.parametrize("takes", [True, False])
def test_it_drops_what_it_took(server: LoopbackServer, connect: Callable[..., HTTPConnection], *, takes: bool) -> None:
    server.trouble = drops(takes=takes)
    with pytest.raises(RemoteDisconnected):
        post(connect(server), "x")
    assert server.accepted == (["x"] if takes else [])


def test_it_is_silent_until_it_is_closed(server: LoopbackServer, connect: Callable[..., HTTPConnection]) -> None:
    server.trouble = silent()
    with pytest.raises(TimeoutError):
        post(connect(server, timeout=0.05), "x")
    assert len(server.requests) == 1
    assert server.accepted == []


def test_a_script_goes_before_the_lasting_trouble(
    server: LoopbackServer, connect: Callable[..., HTTPConnection]
) -> None:
    server.trouble = denied()
    server.script(busy(), None)
    statuses = []
    for _ in range(3):
        response = post(connect(server), "x")
        statuses.append(response.status)
        response.read()
    assert statuses == [429, 201, 401]


def test_nobody_refuses() -> None:
    with nobody() as url:
        connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
        with pytest.raises(ConnectionRefusedError):
            connection.request("GET", "/")


def test_what_goes_wrong_in_the_fake_is_raised(connect: Callable[..., HTTPConnection]) -> None:
    def wrong(_: Request) -> Answer:
        raise LookupError

    def ask() -> None:
        with LoopbackServer(wrong) as server:
            assert post(connect(server), "x").status == 500

    with pytest.raises(LookupError):
        ask()


def test_it_calls_back_out_of_order_and_twice(server: LoopbackServer) -> None:
    calls = [Call(body=json.dumps({"id": str(number)}).encode(), headers={"X-N": str(number)}) for number in range(9)]
    assert server.call_back(f"{server.url}/hook?a=b", calls, seed=3) == [201] * 18
    once = [str(number) for number in range(9)]
    assert sorted(server.accepted) == sorted(once * 2)
    assert server.accepted != [key for key in once for _ in range(2)]
    assert {request.url for request in server.requests} == {f"{server.url}/hook?a=b"}
    first = list(server.accepted)
    server.accepted.clear()
    server.call_back(server.url, calls, seed=3)
    assert server.accepted == first


def test_nothing_of_it_is_left(connect: Callable[..., HTTPConnection]) -> None:
    before = threading.active_count()
    with LoopbackServer(lambda _: Answer()) as server:
        for _ in range(3):
            post(connect(server), "x").read()
        assert threading.active_count() > before
    assert threading.active_count() == before
