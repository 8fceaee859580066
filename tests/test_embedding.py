"""The examples in docs/examples/, run as their pages say: with real servers and a real worker, on loopback."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from email import message_from_bytes
from email.policy import default
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from relationship_core import ContactPoint, Customer, Relationships

EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"
DJANGO = EXAMPLES / "django_shop"
SETTINGS = """
[project]
name = "Corner Bakery"
currency = "EUR"
postal_address = "1 Mill Lane, Springfield"
links = "https://bakery.example.com/r"
sender = "bakery@example.com"
[store]
use = "sqlite"
path = "relationships.db"
busy_timeout = 2
[consent]
without = ["email"]
[channels.outbox]
use = "folder"
path = "outbox"
"""
CAMPAIGN = """
name = "thanks"
owner = "shop"
purpose = "marketing"
nature = "give"
[[actions]]
name = "say-thanks"
occasion = { name = "first-order", when = "order_days >= 1", key = "once" }
[[actions.variants]]
channel = "outbox"
subject = "Thank you"
text = "Thank you. Stop: {{ links.unsubscribe }} "
"""
ORDER = {"number": "1", "at": "2025-03-18T09:00:00Z", "cents": 740}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bakery's project with one customer."""
    folder = tmp_path / "bakery"
    (folder / "campaigns").mkdir(parents=True)
    (folder / "relationship.toml").write_text(SETTINGS, encoding="utf-8")
    (folder / "campaigns" / "thanks.toml").write_text(CAMPAIGN, encoding="utf-8")
    reachable = [ContactPoint(medium="email", address="anna@example.com", synthetic=True)]
    with Relationships.open(folder) as project:
        project.record_customers([Customer(id="anna", name="Anna <Baker>", contact_points=reachable)])
    return folder


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    """What programs of the examples are started with."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(EXAMPLES), str(DJANGO), str(folder.parent)]),
        "PYTHONUNBUFFERED": "1",
        "RELATIONSHIP_PROJECT": str(folder),
        "DJANGO_SECRET_KEY": "only-for-this-test",
        "DJANGO_DATABASE": str(folder.parent / "shop.db"),
    }


@contextmanager
def started(words: list[str], environment: dict[str, str], said: str) -> Iterator[str]:
    """A program while a ``with`` lasts, and what was found in its output where it says that it is ready."""
    program = subprocess.Popen(
        [sys.executable, *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert program.stdout is not None
    lines = []
    try:
        for line in program.stdout:
            lines.append(line)
            if found := re.search(said, line):
                yield found[found.lastindex or 0]
                break
        else:
            pytest.fail(f"{words} ended: {''.join(lines)}")
    finally:
        program.terminate()
        program.communicate(timeout=60)


def finished(words: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *words], env=environment, check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def asked(port: str, method: str, path: str, body: object = None, user: str = "anna") -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", int(port), timeout=60)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"X-Remote-User": user} if user else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def letter(folder: Path) -> str:
    """The text of the only message in the outbox."""
    (file,) = (folder / "outbox").glob("*.eml")
    body = message_from_bytes(file.read_bytes(), policy=default).get_body()
    assert body is not None
    return str(body.get_content())


@pytest.fixture
def shop(environment: dict[str, str]) -> Iterator[str]:
    """The port of the Starlette shop."""
    with started(
        ["-m", "uvicorn", "shop:app", "--port", "0"], environment, r"running on http://127\.0\.0\.1:(\d+)"
    ) as at:
        yield at


def test_the_starlette_shop_records_once_and_shows_the_relationship(shop: str, folder: Path) -> None:
    assert asked(shop, "POST", "/orders", ORDER) == (200, '{"new":1}')
    assert asked(shop, "POST", "/orders", ORDER) == (200, '{"new":0}')
    assert asked(shop, "POST", "/visits", {"id": "v1", "at": ORDER["at"]}) == (200, '{"new":1}')
    with Relationships.open(folder) as project:
        assert project.run().delivered.accepted == 1
    status, page = asked(shop, "GET", "/relationship")
    assert status == 200
    for shown in (
        "Anna &lt;Baker&gt;",
        "you are a customer",
        "<li>orders",
        "anna@example.com",
        ": visit",
        "unsubscribe",
    ):
        assert shown in page
    assert asked(shop, "GET", "/metrics")[1].splitlines() == [
        'relationship_recorded_total{kind="order"} 1',
        'relationship_recorded_total{kind="visit"} 1',
    ]


def test_the_starlette_shop_refuses_what_it_cannot_keep(shop: str) -> None:
    half: dict[str, object] = {**ORDER, "number": "\ud83d"}
    lacking: list[dict[str, object]] = [{**ORDER, name: ""} for name in ORDER]
    for wrong in ({"number": "1"}, [1], half, *lacking):
        assert asked(shop, "POST", "/orders", wrong)[0] == 400
    assert asked(shop, "GET", "/relationship", user="")[0] == 401
    assert asked(shop, "GET", "/unsubscribe")[0] == 405


def test_the_starlette_shop_tells_nobody_who_else_is_a_customer(shop: str, folder: Path) -> None:
    assert asked(shop, "GET", "/relationship", user="ann") == (404, "We know nothing of you yet.")
    with Relationships.open(folder) as project:
        project.forget("anna")
    assert asked(shop, "GET", "/relationship") == (404, "We know nothing of you yet.")


def test_the_starlette_shop_asks_to_try_again_while_another_process_writes(folder: Path, shop: str) -> None:
    with closing(sqlite3.connect(folder / "relationships.db", isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        assert asked(shop, "POST", "/orders", ORDER)[0] == 503
        another.execute("ROLLBACK")
    assert asked(shop, "POST", "/orders", ORDER) == (200, '{"new":1}')


def consents(folder: Path) -> list[str]:
    with Relationships.open(folder) as project:
        return [entry.act for entry in project.permissions.show("anna").acts]


def test_the_link_of_a_message_unsubscribes_at_the_starlette_shop(shop: str, folder: Path) -> None:
    asked(shop, "POST", "/orders", ORDER)
    with Relationships.open(folder) as project:
        project.run()
    found = re.search(r"https://bakery\.example\.com(/r/\S+)", letter(folder))
    assert found is not None
    assert asked(shop, "GET", found[1])[0] == 200
    assert consents(folder) == []
    assert asked(shop, "POST", found[1])[0] == 200
    assert consents(folder) == ["withdraw"]


def test_the_page_of_the_starlette_shop_unsubscribes(shop: str, folder: Path) -> None:
    assert asked(shop, "POST", "/unsubscribe")[0] == 200
    assert consents(folder) == ["withdraw"]
    asked(shop, "POST", "/orders", ORDER)
    with Relationships.open(folder) as project:
        assert project.run().delivered.accepted == 0


def test_the_django_shop_records_its_orders_and_shows_the_relationship(
    environment: dict[str, str], folder: Path
) -> None:
    manage = str(DJANGO / "manage.py")
    finished([manage, "migrate", "--run-syncdb"], environment)
    order = "from orders.models import Order; Order.objects.create(customer='anna', cents=740)"
    finished([manage, "shell", "-c", order], environment)
    assert finished([manage, "relate_run"], environment) == "1 recorded, 1 messages accepted\n"
    assert finished([manage, "relate_run"], environment) == "0 recorded, 0 messages accepted\n"
    assert "Thank you" in letter(folder)
    server = [manage, "runserver", "--noreload", "127.0.0.1:0"]
    with started(server, environment, r"http://127\.0\.0\.1:(\d+)/") as port:
        status, page = asked(port, "GET", "/relationship")
        assert (status, "you are a customer" in page, ": order" in page) == (200, True, True)
        status, page = asked(port, "GET", "/relationship", user="ann")
        assert (status, "anna" in page) == (404, False)


def test_an_order_of_somebody_who_was_forgotten_holds_up_no_other_at_the_django_shop(
    environment: dict[str, str], folder: Path
) -> None:
    manage = str(DJANGO / "manage.py")
    finished([manage, "migrate", "--run-syncdb"], environment)
    orders = "from orders.models import Order; [Order.objects.create(customer=who, cents=7) for who in ('anna', 'bea')]"
    finished([manage, "shell", "-c", orders], environment)
    with Relationships.open(folder) as project:
        project.forget("anna")
    done = subprocess.run(
        [sys.executable, manage, "relate_run"], env=environment, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "1 recorded, 0 messages accepted\n")
    assert "order 1: " in done.stderr
    assert "erased" in done.stderr


def test_a_failure_of_the_django_command_is_a_sentence(environment: dict[str, str], folder: Path) -> None:
    manage = str(DJANGO / "manage.py")
    finished([manage, "migrate", "--run-syncdb"], environment)
    (folder / "relationships.db").write_bytes(b"no database" * 100)
    done = subprocess.run(
        [sys.executable, manage, "relate_run"], env=environment, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "not a SQLite database" in done.stderr


RECORDS = [
    {"source": "shop", "id": "1", "customer": "anna", "kind": "order", "at": "2025-03-18T09:00:00Z", "minor": 740}
]
CALLER = f"""
from work import *
print(record.delay({RECORDS}).get(timeout=60), record.delay({RECORDS}).get(timeout=60))
print(run.delay().get(timeout=60))
print(deliver.delay().get(timeout=60))
"""


@pytest.fixture
def write_work(folder: Path) -> Callable[..., None]:
    """Writes the module ``work``: the tasks of the example, configured as a test needs it."""

    def write(**settings: Any) -> None:
        text = f"from celery_shop import *\napp.conf.update({settings})\n"
        (folder.parent / "work.py").write_text(text, encoding="utf-8")

    return write


def test_celery_records_runs_and_delivers_eagerly(
    environment: dict[str, str], folder: Path, write_work: Callable[..., None]
) -> None:
    write_work(broker_url="memory://", task_always_eager=True, task_eager_propagates=True)
    assert finished(["-c", CALLER], environment) == "1 0\n1\n0\n"  # what run() planned, the deliver() it asked for sent
    assert "Thank you" in letter(folder)


def test_a_worker_of_celery_records_runs_and_delivers(
    environment: dict[str, str], folder: Path, write_work: Callable[..., None]
) -> None:
    queue, results = folder.parent / "queue", folder.parent / "results"
    queue.mkdir()
    results.mkdir()
    write_work(
        broker_url="filesystem://",
        broker_transport_options={
            "data_folder_in": str(queue),
            "data_folder_out": str(queue),
            "control_folder": str(queue / "control"),
            "polling_interval": 0.05,
        },
        result_backend=results.as_uri(),
    )
    worker = ["-m", "celery", "-A", "work", "worker", "--concurrency", "1", "--loglevel", "INFO"]
    with started(worker, environment, "ready"):
        assert finished(["-c", CALLER], environment).startswith("1 0\n1\n")
        assert "Thank you" in letter(folder)
