"""Tasks: work for people, kept once whatever dies, and what came of it."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import polars as pl
import pytest
from attrs import evolve
from click.testing import Result

from relationship_core import (
    INTERACTIONS,
    MESSAGES,
    SUPPRESSIONS,
    TASKS,
    Action,
    Assignment,
    Campaign,
    Choice,
    ConfigurationError,
    Consent,
    ConsentSettings,
    ContactPoint,
    Customer,
    Interaction,
    Occasion,
    QuietHours,
    RejectedError,
    Relationships,
    Settings,
    Store,
    Suppression,
    Task,
    Variant,
)
from relationship_core.builtin.channels import relationship_channels
from relationship_core.builtin.task import TaskChannel, TaskSettings
from relationship_core.testing.channels import LookupContract

Open = Callable[..., Relationships]
Plan = Callable[..., Campaign]

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CALL = Variant(channel="work", subject="Call {{ customer.name }}", text="Ask how the oven is doing.")


class TestTaskChannel(LookupContract):
    provider = next(each for each in relationship_channels() if each.name == "task")
    address = ""

    @pytest.fixture
    def channel(self) -> TaskChannel:
        return TaskChannel(TaskSettings())


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


def calling(name: str = "care", *, variants: tuple[Variant, ...] = (CALL,), **more: Any) -> Campaign:
    """A campaign of one action that gives work to people; it takes what is its assignment's as well."""
    assignment = {key: more.pop(key) for key in ("assignee", "due_days", "outcomes") if key in more}
    known: dict[str, Any] = {"owner": "Customer care", "purpose": "marketing", "nature": "neutral", **more}
    occasion = known.pop("occasion", Occasion(name="welcome"))
    task = Assignment(**assignment) if assignment else None
    action = Action(name="call", occasion=occasion, variants=variants, task=task)
    return Campaign(name=name, actions=[action], **known)


@pytest.fixture
def shop(make_project: Open, watch: Watch) -> Callable[..., Relationships]:
    """A project with a channel of tasks, ``work``, and with these customers, of whom no address is known."""

    def make(*campaigns: Campaign, customers: tuple[str, ...] = ("ann",), **more: Any) -> Relationships:
        channels = {"work": Choice(use="task"), "letters": Choice(use="null")}
        known = {"channels": channels, "clock": watch, "consent": ConsentSettings(), **more}
        project = make_project(*(campaigns or (calling(),)), **known)
        project.record_customers(Customer(id=each, name=each.title()) for each in customers)
        return project

    return make


def handed_over(project: Relationships) -> Task:
    """The only task of a project that ran."""
    project.run()
    (task,) = project.tasks.list(closed=True)
    return task


def messages(project: Relationships) -> dict[str, str]:
    return dict(project.store.read(MESSAGES).select("customer", "state").iter_rows())


def reasons(project: Relationships, customer: str = "ann") -> dict[str, str]:
    return {each.campaign: each.decisions[0].reason for each in project.explain(customer).actions if each.decisions}


def recorded(project: Relationships) -> list[dict[str, Any]]:
    return project.store.read(INTERACTIONS, where={"source": "tasks"}).to_dicts()


# from a message to a task


def test_a_message_becomes_a_task_for_who_needs_no_address(shop: Open) -> None:
    project = shop(calling(due_days=3))
    task = handed_over(project)
    (message,) = project.store.read(MESSAGES).to_dicts()
    assert (message["state"], message["address"], message["medium"]) == ("accepted", "", "task")
    assert task == Task(
        id=message["id"],
        customer="ann",
        campaign="care",
        action="call",
        occasion="once",
        assignee="Customer care",
        title="Call Ann",
        text="Ask how the oven is doing.",
        created_at=NOW,
        due_at=NOW + 3 * DAY,
    )
    assert "Ann" not in repr(task)
    assert project.tasks.show(task.id) == task


def test_without_a_table_of_its_own_a_task_is_due_in_a_week_and_ends_with_a_contact(shop: Open) -> None:
    project = shop()
    task = handed_over(project)
    assert task.due_at == NOW + 7 * DAY
    assert project.tasks.outcomes(task.id) == {"done": "account_contact", "not_reached": ""}


def test_a_task_without_a_subject_is_called_by_its_campaign(shop: Open) -> None:
    assert handed_over(shop(calling(variants=(evolve(CALL, subject=" "),)))).title == "care / call"


def test_who_does_it_is_told_by_a_template(shop: Open, make_interaction: Callable[..., Interaction]) -> None:
    campaign = calling(assignee="{{ customer.manager }}{% if facts.orders > 1 %} herself{% endif %}")
    project = shop(campaign, customers=(), attributes={"manager": "text"})
    project.record_customers(
        [Customer(id="ann", attributes={"manager": "Zoe"}), Customer(id="bob", attributes={"manager": " "})]
    )
    days = (("ann", 9), ("ann", 8), ("bob", 7))
    project.record(make_interaction(who, "order", NOW - day * DAY, minor=900) for who, day in days)
    project.run()
    assert {task.customer: task.assignee for task in project.tasks.list()} == {
        "ann": "Zoe herself",
        "bob": "Customer care",
    }
    assert project.preview("care", "ann")[0].assignee == "Zoe herself"


def test_where_nobody_is_named_for_a_customer_the_owner_does_it(shop: Open) -> None:
    project = shop(calling(assignee="{{ customer.manager }}"), attributes={"manager": "text"})
    project.record_customers([Customer(id="bob", attributes={"manager": "Zoe\n Jim"})])
    project.run()
    assert {task.customer: task.assignee for task in project.tasks.list()} == {"ann": "Customer care", "bob": "Zoe Jim"}
    assert project.preview("care", "ann")[0].assignee == "Customer care"


@pytest.mark.parametrize(
    ("assignee", "told"),
    [("{{ customer.mangaer }}", "task assignee: .*no 'mangaer'"), ("{{ customer.", "task assignee: ")],
)
def test_a_wrong_template_of_who_does_it_is_refused(shop: Open, assignee: str, told: str) -> None:
    project = shop(calling(assignee=assignee), attributes={"manager": "text"})
    with pytest.raises(ConfigurationError, match=told):
        _ = project.rules


def test_an_outcome_of_an_unknown_kind_is_refused_when_rules_are_made(shop: Open) -> None:
    project = shop(calling(outcomes={"given": "gift_givn"}))
    with pytest.raises(ConfigurationError, match=r"task outcomes: 'given' .* did you mean 'gift_given'\?"):
        _ = project.rules


def test_a_task_that_no_channel_would_hand_over_is_refused(shop: Open, make_campaign: Plan) -> None:
    project = shop(calling(due_days=1, variants=(Variant(channel="letters", text="Hello"),)))
    project.review()
    with pytest.raises(ConfigurationError, match="none of its variants is on a channel of tasks"):
        project.plan()
    assert shop(make_campaign("hello")).run().planned is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"outcomes": {}},
        {"outcomes": {"Well done": ""}},
        {"outcomes": {"done": 1}},
        {"due_days": -1},
        {"assignee": None},
    ],
)
def test_a_wrong_assignment_is_refused(wrong: Mapping[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="Assignment"):
        Assignment(**wrong)


def test_a_title_of_two_lines_comes_to_nothing_and_is_not_planned_again(shop: Open, watch: Watch) -> None:
    project = shop(calling(variants=(evolve(CALL, subject="Call\x0bnow"),)))
    assert project.run().delivered.rejected == 1
    watch.now += 40 * DAY
    project.record([Interaction(source="till", id="1", customer="ann", kind="order", at=watch.now)])
    ran = project.run()
    assert (ran.planned.planned if ran.planned else None, ran.delivered.rejected) == (0, 0)
    assert project.tasks.list(closed=True) == ()


# permission, caps, quiet hours


@pytest.mark.parametrize("without", [("post",), ()])
def test_marketing_by_task_needs_no_consent_and_obeys_an_objection(shop: Open, without: tuple[str, ...]) -> None:
    project = shop(customers=("ann", "bob", "cid", "dan"), consent=ConsentSettings(without=without))
    acts = {"bob": "task", "cid": "", "dan": "email"}
    project.permissions.record_consents(
        Consent(id=who, customer=who, act="object", at=NOW - DAY, medium=medium) for who, medium in acts.items()
    )
    project.run()
    assert sorted(task.customer for task in project.tasks.list()) == ["ann", "dan"]
    assert reasons(project, "bob") == {"care": "no_consent"}
    assert reasons(project, "cid") == {"care": "no_consent"}


def test_an_objection_between_planning_and_handing_over_stops_it(shop: Open) -> None:
    project = shop()
    project.review()
    project.plan()
    act = Consent(id="1", customer="ann", act="object", at=NOW, medium="task")
    project.permissions.record_consents([act])
    assert project.deliver().stopped == 1
    assert project.tasks.list(closed=True) == ()


def test_a_task_is_a_contact_for_intervals_and_caps(shop: Open, make_campaign: Plan, watch: Watch) -> None:
    letter = make_campaign("letter", priority=-1)
    project = shop(calling(nature="give"), letter, customers=())
    project.record_customers(
        [Customer(id="ann", name="Ann", contact_points=[ContactPoint(medium="email", address="ann@example.com")])]
    )
    project.permissions.record_consents(
        [Consent(id="1", customer="ann", act="grant", at=NOW - DAY, medium="email", basis="consent", method="form",
                 source="site", wording="Yes")]
    )  # fmt: skip
    assert handed_over(project).campaign == "care"
    watch.now += DAY
    project.record([Interaction(source="till", id="1", customer="ann", kind="order", at=watch.now)])
    project.run()
    assert reasons(project)["letter"] == "minimum_interval"


def test_a_task_has_no_address_no_suppression_and_no_quiet_hours(shop: Open) -> None:
    project = shop()
    with pytest.raises(RejectedError, match="a task needs no address"):
        project.record_customers([Customer(id="ann", contact_points=[ContactPoint(medium="task", address="Zoe")])])
    with pytest.raises(RejectedError, match="no address of the customer's"):
        project.permissions.suppress([Suppression(medium="task", address="-", reason="manual", at=NOW)])
    with pytest.raises(ConfigurationError, match=r"remove \[quiet_hours.task\]"):
        Settings(quiet_hours={"task": QuietHours()})


# exactly one task, whatever dies


SETTINGS = """
[project]
name = "Shop"

[preference]
unasked = "close"

[channels.work]
use = "task"

[delivery.work]
attempting = 1
"""

CARE = """
name = "care"
owner = "Customer care"
purpose = "marketing"
nature = "give"

[[actions]]
name = "call"

[actions.occasion]
name = "welcome"

[actions.task]
due_days = 2

[actions.task.outcomes]
given = "gift_given"
not_reached = ""

[[actions.variants]]
channel = "work"
subject = "Call {{ customer.name }}"
text = "Take flowers along."
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project folder with a campaign of tasks, and three customers."""
    (tmp_path / "relationship.toml").write_text(SETTINGS)
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "care.toml").write_text(CARE)
    with Relationships.open(tmp_path, clock=lambda: NOW) as project:
        project.record_customers(Customer(id=each, name=each.title()) for each in ("ann", "bob", "cid"))
    return tmp_path


def planned(folder: Path) -> None:
    with Relationships.open(folder, clock=lambda: NOW) as project:
        project.review()
        project.plan()


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("same_process", [False, True])
def test_a_delivery_that_dies_anywhere_leaves_one_task_for_each_message(
    folder: Path, make_mortal: Callable[..., Store], *, same_process: bool, committed: bool
) -> None:
    planned(folder)
    database = (folder / "relationships.db").read_bytes()
    died = 0
    for at in range(1, 30):
        for left in (*folder.glob("relationships.db*"), *folder.glob(".relationship-epoch")):
            left.unlink()
        (folder / "relationships.db").write_bytes(database)
        with Relationships.open(folder, clock=lambda: NOW) as project:
            whole = project.store
            project.store = make_mortal(whole, at, committed=committed)
            try:
                project.deliver()
            except KeyboardInterrupt:
                died += 1
            else:
                break
            finally:
                project.store = whole
            if same_process:
                project.deliver()
        with Relationships.open(folder, clock=lambda: NOW) as project:
            project.deliver()
            assert messages(project) == dict.fromkeys(("ann", "bob", "cid"), "accepted"), at
            tasks = project.tasks.list()
            assert sorted(task.title for task in tasks) == ["Call Ann", "Call Bob", "Call Cid"], at
            assert {task.id for task in tasks} == set(project.store.read(MESSAGES)["id"])
    assert died >= 5


KILLER = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from relationship_core import Relationships
from relationship_core.builtin.{module} import {channel}

send, left = {channel}.send, [2]

def dying(self, messages):
    receipts = send(self, messages)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return receipts

{channel}.send = dying
with Relationships.open(Path(sys.argv[1]), clock=lambda: datetime.fromisoformat(sys.argv[2])) as project:
    project.deliver()
"""


@pytest.mark.parametrize(("module", "channel"), [("task", "TaskChannel"), ("folder", "FolderChannel")])
def test_killed_between_handing_over_and_keeping_there_is_one_task(folder: Path, module: str, channel: str) -> None:
    if module == "folder":  # one that can tell afterwards what it has
        settings = folder / "relationship.toml"
        text = settings.read_text().replace('use = "task"', 'use = "folder"\npath = "work"\nmedium = "task"')
        settings.write_text(text)
    planned(folder)
    killer = KILLER.format(module=module, channel=channel)
    killed = subprocess.run(
        [sys.executable, "-c", killer, str(folder), NOW.isoformat()], check=False, capture_output=True, text=True
    )
    assert killed.returncode == -9, killed.stderr
    with Relationships.open(folder, clock=lambda: NOW) as project:
        assert sorted(messages(project).values()) == ["accepted", "attempting", "claimed"]
        assert len(project.tasks.list()) == 1
        delivered = project.deliver()
        assert (delivered.accepted, delivered.unknown) == (2, 0)
        tasks = project.tasks.list()
        assert sorted(task.title for task in tasks) == ["Call Ann", "Call Bob", "Call Cid"]
        assert {task.text for task in tasks} == {"Take flowers along."}
        assert project.deliver().accepted == 0
    if module == "folder":
        assert len(list((folder / "work").iterdir())) == 3


def test_what_a_channel_has_is_listed_even_where_it_cannot_be_filled_in_again(folder: Path) -> None:
    settings = folder / "relationship.toml"
    settings.write_text(
        settings.read_text().replace('use = "task"', 'use = "folder"\npath = "work"\nmedium = "task"')
        + '\n[attributes]\noven = "text"\n'
    )
    campaign = folder / "campaigns" / "care.toml"
    campaign.write_text(campaign.read_text().replace("flowers along", "{{ customer.oven }} along"))
    with Relationships.open(folder, clock=lambda: NOW) as project:
        project.review()
        project.plan()
        # As if its worker had died after it had written the file, and the oven had been known then.
        with project.store.transaction():
            rows = project.store.read(MESSAGES, where={"customer": "ann"})
            left = {"state": "attempting", "worker": "elsewhere", "claimed_until": NOW}
            project.store.update(MESSAGES, rows.with_columns(pl.lit(value).alias(name) for name, value in left.items()))
        (folder / "work").mkdir()
        (folder / "work" / f"{rows['id'][0]}.html").write_text("Call Ann")
        project.deliver()
        (task,) = project.tasks.list()
        assert (task.title, task.text, task.assignee) == ("care / call", "", "Customer care")
        assert messages(project) == {"ann": "accepted", "bob": "failed", "cid": "failed"}
        assert task.due_at == NOW + 2 * DAY


def test_handing_over_again_changes_no_task(shop: Open) -> None:
    project = shop()
    task = handed_over(project)
    done = project.tasks.done(task.id, actor="zoe").task
    with project.store.transaction():
        again = project.store.read(MESSAGES, columns=["id"]).with_columns(pl.lit("queued").alias("state"))
        project.store.update(MESSAGES, again)
    assert project.deliver().accepted == 1
    assert project.tasks.list(closed=True) == (done,)


def test_two_workers_hand_every_task_over_once(folder: Path) -> None:
    planned(folder)
    barrier, delivered = Barrier(2), []

    def work() -> None:
        with Relationships.open(folder, clock=lambda: NOW) as project:
            barrier.wait()
            delivered.append(project.deliver().accepted)

    workers = [Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(delivered) == 3
    with Relationships.open(folder, clock=lambda: NOW) as project:
        assert len(project.tasks.list()) == 3


# lists


def test_the_list_is_of_what_is_open_by_the_time_that_it_is_due(
    shop: Open, watch: Watch, make_interaction: Callable[..., Interaction]
) -> None:
    soon, late = calling("soon", due_days=1, assignee="Zoe"), calling("late", due_days=9, assignee="Jim")
    project = shop(soon, evolve(late, audience="orders > 0"), customers=("ann", "bob", "cid"))
    project.record([make_interaction("bob", "order", NOW - DAY, minor=900)])
    project.run()
    watch.now += 40 * DAY
    project.run()
    listed = project.tasks.list()
    assert [task.due_at for task in listed] == sorted(task.due_at for task in listed)
    assert [(task.campaign, task.customer) for task in listed].count(("late", "bob")) == 1
    assert {task.campaign for task in project.tasks.list(assignee="Zoe")} == {"soon"}
    assert project.tasks.list(assignee="Eve") == ()
    assert {task.customer for task in project.tasks.list(customer="bob")} == {"bob"}
    assert project.tasks.list(overdue=True) == tuple(task for task in listed if task.due_at < watch.now)
    assert 0 < len(project.tasks.list(overdue=True)) < len(listed)
    first = listed[0]
    project.tasks.done(first.id, actor="zoe")
    assert project.tasks.list() == listed[1:]
    assert [task.id for task in project.tasks.list(closed=True)] == [*(task.id for task in listed[1:]), first.id]
    assert first.id not in {task.id for task in project.tasks.list(closed=True, overdue=True)}
    with pytest.raises(RejectedError, match="no customer 'eve'"):
        project.tasks.list(customer="eve")


def test_an_id_may_be_shortened_as_long_as_it_is_the_only_one(shop: Open) -> None:
    project = shop()
    task = handed_over(project)
    assert project.tasks.show(task.id[:6]) == project.tasks.show(task.id.upper()) == task
    assert project.tasks.show(task.id[:8].upper()) == task
    with project.store.transaction():
        row = project.store.read(TASKS)
        project.store.put(TASKS, row.with_columns(pl.lit(f"{task.id[:8]}-another").alias("id")))
    with pytest.raises(RejectedError, match=f"2 tasks have an id that begins with '{task.id[:8]}'.*give more"):
        project.tasks.done(task.id[:8], actor="zoe")
    assert project.tasks.show(task.id[:9]).id == task.id
    for wrong in (task.id[:5], "", "nothing-like-it", task.id + "0"):
        with pytest.raises(RejectedError, match="there is no task"):
            project.tasks.show(wrong)
    with pytest.raises(ConfigurationError, match="a task's id, as text"):
        project.tasks.show(3)  # type: ignore[arg-type]  # that is what is wrong
    assert project.tasks.list() == project.tasks.list(closed=True)


# what came of it


def test_an_outcome_is_recorded_as_an_interaction(shop: Open, watch: Watch) -> None:
    project = shop(calling(outcomes={"reached": "account_contact", "declined": ""}))
    task = handed_over(project)
    watch.now += DAY
    closed = project.tasks.done(task.id, outcome="reached", note="Likes jazz.", actor=" zoe ")
    assert (closed.recorded, closed.already) == ("account_contact", False)
    assert closed.task == evolve(
        task, state="done", outcome="reached", note="Likes jazz.", actor="zoe", settled_at=watch.now
    )
    assert project.tasks.show(task.id) == closed.task
    (row,) = recorded(project)
    assert (row["id"], row["customer"], row["kind"], row["at"]) == (task.id, "ann", "account_contact", watch.now)
    assert json.loads(row["data"]) == {"outcome": "reached", "note": "Likes jazz."}
    assert project.store.marked("review") == 1
    assert [entry.kind for entry in project.customer("ann").timeline] == ["account_contact", "message"]


def test_an_outcome_that_records_nothing_closes_the_task(shop: Open) -> None:
    project = shop()
    task = handed_over(project)
    closed = project.tasks.done(task.id, outcome="not_reached", actor="zoe")
    assert (closed.task.state, closed.recorded, recorded(project)) == ("done", "", [])


def test_a_gift_counts_as_a_give_and_not_twice(shop: Open) -> None:
    outcomes = {"given": "gift_given", "called": "account_contact"}
    project = shop(calling(nature="give", outcomes=outcomes), customers=("ann", "bob", "cid"))
    project.run()
    ids = {task.customer: task.id for task in project.tasks.list()}
    start = project.settings.ledger.start
    assert {balance(project, who) for who in ids} == {start + 1}
    project.tasks.done(ids["ann"], outcome="given", actor="zoe")
    project.tasks.done(ids["bob"], outcome="called", actor="zoe")
    project.review()
    # The gift takes the place of the message; a call is recorded as neither give nor ask, so the message stays one.
    assert {who: balance(project, who) for who in ids} == dict.fromkeys(ids, start + 1)
    assert project.explain("ann").ledger.given == 1  # type: ignore[union-attr]  # it is of the present
    assert project.explain("bob").ledger.given == 0  # type: ignore[union-attr]  # it is of the present


def test_a_gift_from_a_neutral_campaign_is_a_give(shop: Open) -> None:
    project = shop(calling(outcomes={"given": "gift_given"}))
    task = handed_over(project)
    before = balance(project, "ann")
    project.tasks.done(task.id, actor="zoe")
    assert balance(project, "ann") == before + 1


def balance(project: Relationships, customer: str) -> float:
    ledger = project.explain(customer).ledger
    assert ledger is not None
    return ledger.balance


def test_without_a_word_the_outcome_is_done_or_the_only_one(shop: Open) -> None:
    project = shop()
    assert project.tasks.done(handed_over(project).id, actor="zoe").task.outcome == "done"
    project = shop(calling(outcomes={"given": "gift_given"}))
    assert project.tasks.done(handed_over(project).id, actor="zoe").task.outcome == "given"
    project = shop(calling(outcomes={"yes": "account_contact", "no": ""}))
    task = handed_over(project)
    with pytest.raises(RejectedError, match="several outcomes; name one of no, yes"):
        project.tasks.done(task.id, actor="zoe")
    with pytest.raises(RejectedError, match=r"no outcome 'yess'; did you mean 'yes'\?; it has no, yes"):
        project.tasks.done(task.id, outcome="yess", actor="zoe")
    assert project.tasks.show(task.id).state == "open"


def test_said_twice_it_is_recorded_once_and_otherwise_refused(shop: Open, watch: Watch) -> None:
    project = shop()
    task = handed_over(project)
    first = project.tasks.done(task.id, actor="zoe")
    watch.now += DAY
    again = project.tasks.done(task.id, outcome="done", actor="jim")
    assert (again.already, again.task, again.recorded) == (True, first.task, "account_contact")
    assert len(recorded(project)) == 1
    with pytest.raises(RejectedError, match="was done on 2024-03-01 with the outcome 'done', which stays"):
        project.tasks.done(task.id, outcome="not_reached", actor="zoe")
    with pytest.raises(RejectedError, match="was done on 2024-03-01"):
        project.tasks.cancel(task.id, actor="zoe")
    assert project.tasks.show(task.id) == first.task


def test_another_note_is_refused_and_the_first_is_kept(shop: Open) -> None:
    project = shop(customers=("ann", "bob"))
    project.run()
    ann, bob = (task.id for task in project.tasks.list())
    for close, id in ((project.tasks.done, ann), (project.tasks.cancel, bob)):
        first = close(id, note="first", actor="zoe")
        with pytest.raises(RejectedError, match="another note, which is kept as it was"):
            close(id, note="second", actor="zoe")
        assert close(id, note="first", actor="jim").task == close(id, actor="jim").task == first.task


def test_the_customer_s_page_shows_what_came_of_a_task(shop: Open) -> None:
    project = shop()
    project.tasks.done(handed_over(project).id, outcome="done", note="Likes jazz.", actor="zoe")
    (entry,) = [each for each in project.customer("ann").timeline if each.source == "tasks"]
    assert entry.detail == "done: Likes jazz."


def test_what_was_cancelled_stays_so(shop: Open, watch: Watch) -> None:
    project = shop()
    task = handed_over(project)
    first = project.tasks.cancel(task.id, note="She moved.", actor="zoe")
    assert first.task == evolve(task, state="cancelled", note="She moved.", actor="zoe", settled_at=NOW)
    watch.now += DAY
    assert project.tasks.cancel(task.id, actor="jim") == evolve(first, already=True)
    with pytest.raises(RejectedError, match="was cancelled on 2024-03-01, which stays"):
        project.tasks.done(task.id, actor="zoe")
    assert recorded(project) == []


def test_a_cancelled_task_was_no_contact(shop: Open, make_campaign: Plan, watch: Watch) -> None:
    letter = make_campaign("letter", priority=-1, purpose="marketing")
    project = shop(calling(nature="give"), letter, customers=(), consent=ConsentSettings(without=("email",)))
    project.record_customers(
        [Customer(id="ann", name="Ann", contact_points=[ContactPoint(medium="email", address="ann@example.com")])]
    )
    task = handed_over(project)
    assert balance(project, "ann") == project.settings.ledger.start + 1
    watch.now += DAY
    project.tasks.cancel(task.id, actor="zoe")
    assert balance(project, "ann") == project.settings.ledger.start
    ran = project.run()
    assert ran.planned is not None
    assert ran.planned.planned == 1
    states = dict(project.store.read(MESSAGES).select("campaign", "state").iter_rows())
    assert states == {"care": "stopped", "letter": "accepted"}
    assert project.store.read(MESSAGES, where={"campaign": "care"})["detail"].to_list() == ["task_cancelled"]


def test_somebody_closes_a_task(shop: Open) -> None:
    project = shop()
    task = handed_over(project)
    with pytest.raises(RejectedError, match="closed by somebody"):
        project.tasks.done(task.id, actor=" ")
    with pytest.raises(RejectedError, match="closed by somebody"):
        project.tasks.cancel(task.id, actor="")
    with pytest.raises(RejectedError, match="NUL"):
        project.tasks.done(task.id, note="a\0b", actor="zoe")


@pytest.mark.parametrize("committed", [False, True])
def test_task_and_interaction_are_kept_together(
    shop: Open, make_mortal: Callable[..., Store], *, committed: bool
) -> None:
    project = shop(calling(nature="give", outcomes={"given": "gift_given"}))
    task, whole = handed_over(project), project.store
    project.store = make_mortal(whole, 1, committed=committed)
    with pytest.raises(KeyboardInterrupt):
        project.tasks.done(task.id, actor="zoe")
    project.store = whole
    assert project.tasks.show(task.id).state == ("done" if committed else "open")
    assert len(recorded(project)) == int(committed)
    assert project.store.read(MESSAGES)["weight"].to_list() == [0.0 if committed else 1.0]
    assert project.tasks.done(task.id, actor="zoe").already is committed
    assert len(recorded(project)) == 1


def test_of_two_who_close_it_at_once_one_wins(folder: Path) -> None:
    planned(folder)
    with Relationships.open(folder, clock=lambda: NOW) as project:
        project.deliver()
        ids = [task.id for task in project.tasks.list()]
    barrier, won, lost = Barrier(2), [], []

    def close(outcome: str) -> None:
        with Relationships.open(folder, clock=lambda: NOW) as project:
            for id in ids:
                barrier.wait()
                try:
                    won.append(project.tasks.done(id, outcome=outcome, actor="zoe").task)
                except RejectedError:
                    lost.append(id)

    people = [Thread(target=close, args=[outcome]) for outcome in ("given", "not_reached")]
    for each in people:
        each.start()
    for each in people:
        each.join()
    assert sorted(task.id for task in won) == sorted(lost) == sorted(ids)
    with Relationships.open(folder, clock=lambda: NOW) as project:
        assert {task.id: task.outcome for task in project.tasks.list(closed=True)} == {
            task.id: task.outcome for task in won
        }
        assert sorted(row["id"] for row in recorded(project)) == sorted(
            task.id for task in won if task.outcome == "given"
        )


def test_outcomes_are_those_of_the_version_that_was_handed_over(folder: Path) -> None:
    planned(folder)
    campaign = folder / "campaigns" / "care.toml"
    campaign.write_text(campaign.read_text().replace("given =", "handed_over ="))
    with Relationships.open(folder, clock=lambda: NOW) as project:
        project.deliver()
        task = project.tasks.list()[0]
        assert set(project.tasks.outcomes(task.id)) == {"given", "not_reached"}
        with pytest.raises(RejectedError, match="it has given, not_reached"):
            project.tasks.done(task.id, outcome="handed_over", actor="zoe")
    campaign.unlink()
    with Relationships.open(folder, clock=lambda: NOW) as project:
        assert project.tasks.done(task.id, outcome="given", actor="zoe").recorded == "gift_given"


# merged, forgotten, shown


def test_a_merged_customer_s_tasks_are_the_survivor_s_until_they_are_taken_apart(shop: Open) -> None:
    project = shop(customers=("ann", "anna"))
    project.run()
    own, other = sorted(project.tasks.list(), key=lambda task: task.customer)
    project.identities.merge("anna", into="ann")
    assert [task.customer for task in project.tasks.list()] == ["ann", "ann"]
    assert {task.id for task in project.tasks.list(customer="anna")} == {own.id, other.id}
    assert project.tasks.show(other.id).customer == "ann"
    assert [each.what for each in project.customer("ann").ahead].count("task") == 2
    assert project.tasks.done(other.id, actor="zoe").task.customer == "ann"
    assert [row["customer"] for row in recorded(project)] == ["anna"]
    assert project.customer("ann").interactions == 1
    project.identities.unmerge("anna")
    assert project.customer("ann").interactions == 0
    assert project.customer("anna").interactions == 1
    assert [task.id for task in project.tasks.list(customer="ann", closed=True)] == [own.id]
    assert [task.id for task in project.tasks.list(customer="anna", closed=True)] == [other.id]


def test_who_was_forgotten_in_between_has_no_task(shop: Open) -> None:
    project = shop(customers=("ann", "bob"))
    project.run()
    ids = {task.customer: task.id for task in project.tasks.list()}
    project.tasks.done(ids["bob"], note="Likes jazz.", actor="zoe")
    assert project.export("bob").tables["tasks"][0]["note"] == "Likes jazz."
    for who in ("ann", "bob"):
        assert project.forget(who).rows["tasks"] == 1
        with pytest.raises(RejectedError, match="there is no task"):
            project.tasks.done(ids[who], actor="zoe")
    assert project.store.read(TASKS).is_empty()
    assert recorded(project) == []
    # Nobody else's tasks are held back: all go to the same address, which is none.
    assert project.store.read(SUPPRESSIONS).is_empty()
    project.record_customers([Customer(id="cid", name="Cid")])
    project.run()
    assert [task.customer for task in project.tasks.list()] == ["cid"]


def test_the_customer_s_page_shows_what_is_open_under_what_comes_next(shop: Open, watch: Watch) -> None:
    project = shop()
    task = handed_over(project)
    (coming,) = (each for each in project.customer("ann").ahead if each.what == "task")
    assert (coming.on, coming.detail, coming.overdue) == (task.due_at.date(), "Call Ann, for Customer care", False)
    watch.now += 9 * DAY
    assert [each.overdue for each in project.customer("ann").ahead if each.what == "task"] == [True]
    project.tasks.done(task.id, actor="zoe")
    assert [each for each in project.customer("ann").ahead if each.what == "task"] == []


# on the command line


@pytest.fixture
def at_the_desk(folder: Path, relate: Callable[..., Result]) -> Callable[..., Result]:
    """Runs ``relate`` in a project whose tasks have been handed over."""

    def run(*arguments: str) -> Result:
        return relate(*arguments, "--project", str(folder))

    assert run("run").exit_code == 0
    return run


def test_tasks_are_listed_shown_and_closed(at_the_desk: Callable[..., Result]) -> None:
    listed = at_the_desk("tasks").stdout
    tasks = json.loads(at_the_desk("tasks", "--json").stdout)["tasks"]
    assert [task["state"] for task in tasks] == ["open"] * 3
    assert all(task["id"][:8] in listed and task["title"] in listed for task in tasks)
    first, second, _ = (task["id"] for task in tasks)
    shown = at_the_desk("tasks", "show", first[:8]).stdout
    assert "Take flowers along." in shown
    assert "given (gift_given), not_reached (nothing)" in shown
    assert json.loads(at_the_desk("tasks", "show", first, "--json").stdout)["outcomes"]["given"] == "gift_given"

    done = at_the_desk("tasks", "done", first[:8], "--outcome", "given", "--actor", "zoe", "--note", "Tulips")
    assert "is done with the outcome given; recorded gift_given for" in done.stdout
    assert "It was before" in at_the_desk("tasks", "done", first, "--outcome", "given").stdout
    again = json.loads(at_the_desk("tasks", "done", first, "--outcome", "given", "--json").stdout)
    assert (again["already"], again["recorded"], again["task"]["actor"]) == (True, "gift_given", "zoe")
    assert "nothing recorded" in at_the_desk("tasks", "done", second, "--outcome", "not_reached").stdout
    assert "Tulips" in at_the_desk("tasks", "show", first).stdout

    left = json.loads(at_the_desk("tasks", "--json").stdout)["tasks"]
    assert len(left) == 1
    assert "is cancelled." in at_the_desk("tasks", "cancel", left[0]["id"], "--note", "Moved").stdout
    assert at_the_desk("tasks").stdout == "No such task is open.\n"
    everything = at_the_desk("tasks", "--all").stdout
    assert all(word in everything for word in ("given", "not_reached", "cancelled"))


def test_what_is_wrong_is_told_on_the_command_line(at_the_desk: Callable[..., Result]) -> None:
    (task, *_) = json.loads(at_the_desk("tasks", "--json").stdout)["tasks"]
    for wrong, told, status in (
        (["tasks", "done", "0000000000"], "there is no task", 1),
        (["tasks", "done", task["id"]], "name one of given, not_reached", 1),
        (["tasks", "done", task["id"], "--outcome", "givn"], "did you mean 'given'?", 1),
        (["tasks", "--overdue", "done", task["id"]], "mean nothing to 'done'", 2),
        (["tasks", "--customer", "eve"], "no customer 'eve'", 1),
    ):
        result = at_the_desk(*wrong)
        assert (result.exit_code, result.stdout) == (status, ""), wrong
        assert told in result.stderr, wrong
    assert at_the_desk("tasks", "--overdue", "--assignee", "Customer care", "--customer", "ann").exit_code == 0
    assert at_the_desk("tasks", "--all", "--assignee", "Eve").stdout == "There is no such task.\n"


def test_the_project_may_be_named_before_the_command(
    folder: Path, at_the_desk: Callable[..., Result], relate: Callable[..., Result]
) -> None:
    (task, *_) = json.loads(at_the_desk("tasks", "--json").stdout)["tasks"]
    shown = relate("tasks", "--project", str(folder), "show", task["id"])
    assert (shown.exit_code, task["title"] in shown.stdout) == (0, True)


def test_a_preview_says_who_would_do_it(at_the_desk: Callable[..., Result]) -> None:
    assert "Customer care" in at_the_desk("preview", "care").stdout
    assert json.loads(at_the_desk("preview", "care", "--json").stdout)["messages"][0]["assignee"] == "Customer care"
