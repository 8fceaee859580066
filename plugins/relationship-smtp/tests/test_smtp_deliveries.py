"""Whole deliveries to Postfix's smtp-sink: what it does with mail, and what the outbox says then."""

from collections import Counter
from collections.abc import Callable

import pytest

from relationship_core import MESSAGES, DeliverySettings, Relationships

Making = Callable[..., Relationships]
Sinking = Callable[..., int]


def states(project: Relationships) -> Counter[str]:
    return Counter(project.store.read(MESSAGES)["state"])


def test_everything_is_accepted(sink: Sinking, make_project: Making) -> None:
    with make_project(sink(), customers=25) as project:
        assert project.deliver().accepted == 25
        assert states(project) == {"accepted": 25}


@pytest.mark.parametrize("attempting", [1, 20])
def test_the_breaker_opens_where_nobody_answers(sink: Sinking, make_project: Making, attempting: int) -> None:
    """The server takes each message and hangs up: nobody knows what became of it."""
    delivery = DeliverySettings(breaker=5, attempting=attempting)
    with make_project(sink("-q", "."), customers=50, delivery=delivery) as project:
        delivered = project.deliver()
        assert delivered.unknown == (5 if attempting == 1 else 20)
        assert states(project) == {"unknown": delivered.unknown, "queued": 50 - delivered.unknown}


def test_what_nobody_knows_is_not_sent_again(sink: Sinking, make_project: Making) -> None:
    with make_project(sink("-q", "."), customers=500, delivery=DeliverySettings(breaker=0)) as project:
        assert project.deliver().unknown == 500
        before = project.store.read(MESSAGES)
        again = project.deliver()
        assert (again.accepted, again.unknown, again.deferred, again.rejected) == (0, 0, 0, 0)
        assert project.store.read(MESSAGES).equals(before)
        assert states(project) == {"unknown": 500}


def test_a_soft_refusal_defers(sink: Sinking, make_project: Making) -> None:
    with make_project(sink("-r", "RCPT"), customers=4) as project:
        assert project.deliver().deferred == 4
        assert states(project) == {"queued": 4}
        assert set(project.store.read(MESSAGES)["detail"]) == {"RCPT: 450 4.3.0 Error: command failed"}


def test_a_hard_refusal_rejects(sink: Sinking, make_project: Making) -> None:
    with make_project(sink("-f", "RCPT"), customers=30) as project:
        assert project.deliver().rejected == 30
        assert states(project) == {"rejected": 30}


@pytest.mark.parametrize(("command", "state"), [("DATA", "queued"), ("MAIL", "queued"), (".", "unknown")])
def test_a_server_that_hangs_up_is_told_by_where(sink: Sinking, make_project: Making, command: str, state: str) -> None:
    with make_project(sink("-q", command), customers=3) as project:
        project.deliver()
        assert states(project) == {state: 3}


def test_a_server_that_thinks_too_long_leaves_it_unknown(sink: Sinking, make_project: Making) -> None:
    """It waits a second before it answers to DATA, when the body has not been sent, and that is known."""
    with make_project(sink("-w", "1"), customers=1, timeout=0.2) as project:
        assert project.deliver().deferred == 1
        assert states(project) == {"queued": 1}


def test_nothing_is_pipelined_where_that_is_not_offered(sink: Sinking, make_project: Making) -> None:
    with make_project(sink("-p"), customers=25) as project:
        assert project.deliver().accepted == 25
