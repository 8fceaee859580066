"""Contact points: what an address may be, which media there are, and how a new address takes an old one's place."""

import csv
import json
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import polars as pl
import pytest
from attrs import frozen
from click.testing import Result
from hypothesis import given, settings, strategies as st

from relationship_core import (
    CONTACT_POINTS,
    CUSTOMERS,
    MESSAGES,
    Campaign,
    Choice,
    ConfigurationError,
    ContactPoint,
    Customer,
    KeyedMeasure,
    Measure,
    Message,
    Provider,
    Receipt,
    RejectedError,
    RelationshipError,
    Relationships,
    Store,
    hookimpl,
    refusal,
)
from relationship_core.builtin.memory import MemoryStore
from relationship_core.flow.record.presets import How, import_from
from relationship_core.flow.record.recorder import Recorded, Recorder
from relationship_core.flow.record.recording import record_customers

Measures = tuple[Measure | KeyedMeasure, ...]
NewStore = Callable[[str], AbstractContextManager[Store]]
MakeRecorder = Callable[..., Recorder]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)

BAD_MAIL = [
    "a@x.example\nBcc: b@x.example",
    "a@x.example\r\nBcc: b@x.example",
    "a@x.example, b@x.example",
    "a@x.example;b@x.example",
    "a b@x.example",
    "a@x .example",
    "Ann <a@x.example>",
    "<a@x.example>",
    "mailto:a@x.example",
    "a@x.example (home)",
    "alone",
    "a@",
    "@x.example",
    "a@b@x.example",
    "a..b@x.example",
    ".a@x.example",
    "a.@x.example",
    "a@x..example",
    "a@x.example.",
    "a@-x.example",
    "a@x_y.example",
    "a@localhost",
    '"a"@x.example',
    "a@[192.0.2.1]",
    "a\u2028b@x.example",
    f"{'a' * 65}@x.example",
    f"a@{'x' * 64}.example",
    f"a@{'x.' * 130}example",
]
GOOD_MAIL = [
    "a@x.example",
    "o'neil+shop@mail.x.example",
    "A_b-c.d/e=f@X-1.Example",
    "a@xn--mller-kva.example",
    "1@2.io",
]


@pytest.fixture
def recorder(store: Store, make_recorder: MakeRecorder, every_measure: Measures) -> Recorder:
    return make_recorder(store, every_measure)


def person(id_: str, **points: str | Sequence[str]) -> Customer:
    """A customer with an address, or several of them, on each medium."""
    each = [
        ContactPoint(medium=medium, address=address)
        for medium, addresses in points.items()
        for address in ([addresses] if isinstance(addresses, str) else addresses)
    ]
    return Customer(id=id_, contact_points=each)


def reach(store: Store) -> list[tuple[str, str, str]]:
    return store.read(CONTACT_POINTS).select("customer", "medium", "address").rows()


def rejects(recorded: Recorded) -> list[dict[str, str]]:
    assert recorded.rejects is not None
    with recorded.rejects.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def frame_of(medium: str, *addresses: str | None) -> pl.DataFrame:
    ids = [str(number) for number in range(1, len(addresses) + 1)]
    return pl.DataFrame(
        {"customer": ids, f"contact.{medium}": addresses}, schema_overrides={f"contact.{medium}": pl.String}
    )


# What an address may be


@pytest.mark.parametrize("address", BAD_MAIL)
def test_what_is_no_email_address_is_refused_without_being_repeated(
    address: str, recorder: Recorder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = "number 2 cannot be recorded: the email address "
    for customers in ([Customer(id="1"), person("2", email=address)], frame_of("email", None, address)):
        with pytest.raises(RejectedError) as refused:
            record_customers(recorder, customers)
        assert told in str(refused.value)
        assert address not in str(refused.value)
    path = tmp_path / "customers.jsonl"
    rows = [{"customer": "1"}, {"customer": "2", "contact.email": address}, {"customer": "3"}]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    recorded = import_from(recorder, path, How(what="customers"))
    assert (recorded.new, recorded.rejected) == (2, 1)
    (row,) = rejects(recorded)
    assert (row["row"], row["contact.email"]) == ("2", address)
    assert row["reason"].startswith("the email address ")
    assert address not in row["reason"]
    assert address not in caplog.text
    assert reach(recorder.store) == []


def test_what_is_an_email_address_is_kept(recorder: Recorder) -> None:
    record_customers(recorder, [person("1", email=GOOD_MAIL)])
    assert reach(recorder.store) == [("1", "email", address) for address in sorted(GOOD_MAIL)]


def test_an_address_outside_ascii_is_told_how_to_be_written(recorder: Recorder) -> None:
    for address in ("ann@müller.example", "änn@x.example"):
        with pytest.raises(
            RejectedError, match=r"number 1 .* is not all ASCII; write its domain in the form that begins"
        ):
            record_customers(recorder, [person("1", email=address)])


likely = st.text(st.sampled_from("ab1.-_@+'\" ,;:<>()[]\\\r\n\0\x85\u2028ä"), min_size=1, max_size=12)


@settings(max_examples=300)
@given(
    address=st.one_of(likely, likely.map(lambda text: f"a{text}@x.example"), st.emails()).map(str.strip).filter(bool)
)
def test_what_is_kept_is_one_address_to_the_standard_library_and_to_channels(
    address: str, make_recorder: MakeRecorder
) -> None:
    recorder = make_recorder(MemoryStore(), [])
    try:
        record_customers(recorder, frame_of("email", address))
    except RejectedError:
        return
    assert reach(recorder.store) == [("1", "email", address)]
    parsed = Address(addr_spec=address)
    assert (parsed.addr_spec, f"{parsed.username}@{parsed.domain}") == (address, address)
    assert refusal(_message(address), "email") == ""


def _message(address: str) -> Message:
    from relationship_core import Engagement

    engagement = Engagement(campaign="c", action="a", customer="1", occasion="once")
    return Message(id="m", engagement=engagement, channel="letters", address=address, at=START)


@pytest.mark.parametrize("address", ["+1555\n0100", "+1555\x000100", "+1555\t0100", "+1555\x850100", "+1555\u20280100"])
def test_a_telephone_number_is_one_line(address: str, recorder: Recorder) -> None:
    with pytest.raises(RejectedError, match="the sms address holds a line break or another control character"):
        record_customers(recorder, frame_of("sms", address))
    record_customers(recorder, frame_of("sms", "call +1 (555) 0100"))
    assert reach(recorder.store) == [("1", "sms", "call +1 (555) 0100")]


def test_a_postal_address_has_lines_and_no_other_control_characters(recorder: Recorder) -> None:
    record_customers(recorder, frame_of("post", "Ann\r\n1 Road\nTown"))
    assert reach(recorder.store) == [("1", "post", "Ann\n1 Road\nTown")]
    with pytest.raises(RejectedError, match="the post address holds a control character other than line feeds"):
        record_customers(recorder, frame_of("post", "Ann\t1 Road"))


@pytest.mark.parametrize("medium", ["email", "sms", "post"])
@pytest.mark.parametrize("address", ["", " a@x.example"])
def test_an_empty_or_padded_address_in_a_frame_is_refused(medium: str, address: str, recorder: Recorder) -> None:
    with pytest.raises(RejectedError, match=f"the {medium} address "):
        record_customers(recorder, frame_of(medium, address))


# Media


def test_an_unknown_medium_is_refused_with_the_nearest_right_name(recorder: Recorder, tmp_path: Path) -> None:
    told = "the medium 'emial' is unknown; did you mean 'email'?"
    path = tmp_path / "customers.csv"
    path.write_text("customer,contact.emial\n1,a@x.example\n", encoding="utf-8")
    other = tmp_path / "others.csv"
    other.write_text("customer,mail\n1,a@x.example\n", encoding="utf-8")
    attempts: list[Callable[[], object]] = [
        lambda: record_customers(recorder, [person("1", emial="a@x.example")]),
        lambda: record_customers(recorder, frame_of("emial", "a@x.example")),
        lambda: import_from(recorder, path, How(what="customers")),
        lambda: import_from(recorder, other, How(what="customers", columns={"contact.emial": "mail"})),
    ]
    for attempt in attempts:
        with pytest.raises(RelationshipError) as refused:
            attempt()
        assert told in str(refused.value)
        assert "a@x" not in str(refused.value)
    assert recorder.store.read(CUSTOMERS).is_empty()
    with pytest.raises(
        ConfigurationError, match="'telex' is unknown; known are email, post, sms, and those of configured"
    ):
        record_customers(recorder, frame_of("telex", "1"))


def test_the_medium_of_a_configured_channel_is_known(make_project: Callable[..., Relationships]) -> None:
    known = make_project(channels={"bells": Choice(use="null", settings={"medium": "bell"})})
    known.record_customers([person("1", bell="twice")])
    known.record_customers(frame_of("bell", "thrice"))
    assert reach(known.store) == [("1", "bell", "thrice")]
    with pytest.raises(RejectedError, match=r"number 1 .*the medium 'bel' is unknown; did you mean 'bell'\?"):
        known.record_customers([person("1", bel="twice")])


# A new address takes an old one's place


def test_a_new_address_replaces_the_old_one_of_its_medium(recorder: Recorder, tmp_path: Path) -> None:
    store = recorder.store
    record_customers(recorder, [person("1", email=["old@x.example", "b@x.example"], sms="1"), person("2", sms="2")])
    assert record_customers(recorder, [person("1", email=["new@x.example", "b@x.example"])]) == Recorded(repeated=1)
    assert reach(store) == [
        ("1", "email", "b@x.example"),
        ("1", "email", "new@x.example"),
        ("1", "sms", "1"),
        ("2", "sms", "2"),
    ]
    record_customers(recorder, [Customer(id="1", name="Ann")])
    record_customers(recorder, frame_of("email", None))
    assert len(reach(store)) == 4
    record_customers(recorder, frame_of("email", "frame@x.example"))
    assert reach(store)[0] == ("1", "email", "frame@x.example")
    path = tmp_path / "customers.csv"
    path.write_text("customer,contact.email,contact.sms\n1,,3\n2,,\n1,file@x.example,\n", encoding="utf-8")
    import_from(recorder, path, How(what="customers"))
    assert reach(store) == [("1", "email", "file@x.example"), ("1", "sms", "3"), ("2", "sms", "2")]


def test_a_refused_row_replaces_nothing(recorder: Recorder, tmp_path: Path) -> None:
    record_customers(recorder, [person("1", email="old@x.example", sms="1")])
    path = tmp_path / "customers.csv"
    path.write_text("customer,contact.email,contact.sms\n1,new x.example,3\n", encoding="utf-8")
    assert import_from(recorder, path, How(what="customers")).rejected == 1
    assert reach(recorder.store) == [("1", "email", "old@x.example"), ("1", "sms", "1")]


def test_only_those_with_another_address_are_reviewed_again(recorder: Recorder) -> None:
    store = recorder.store
    people = [person("1", email="a@x.example"), person("2", email="b@x.example"), person("3", sms=["1", "2"])]
    record_customers(recorder, people)
    with store.transaction():
        for page in list(store.pages("review", as_of=START)):
            store.unmark("review", page)
    record_customers(recorder, people)
    assert list(store.pages("review", as_of=START)) == []
    record_customers(
        recorder, [person("1", email="a@x.example"), person("2", email="c@x.example"), person("3", sms="1")]
    )
    (page,) = store.pages("review", as_of=START)
    assert page.customers.to_list() == ["2", "3"]


addresses = st.lists(st.sampled_from(["a@x.example", "b@x.example", "c@x.example"]), max_size=2)
people = st.builds(person, st.sampled_from("123"), email=addresses, sms=addresses)


@settings(max_examples=60)
@given(customers=st.lists(people, max_size=8), batch=st.integers(1, 8), kind=st.sampled_from(["memory", "sqlite"]))
def test_any_split_into_batches_leaves_the_addresses_stated_last(
    customers: list[Customer], batch: int, kind: str, new_store: NewStore, make_recorder: MakeRecorder
) -> None:
    stated: dict[tuple[str, str], set[str]] = {}
    for one in customers:
        own: dict[tuple[str, str], set[str]] = {}
        for point in one.contact_points:
            own.setdefault((one.id, point.medium), set()).add(point.address)
        stated |= own
    expected = sorted((*key, address) for key, each in stated.items() for address in each)
    with new_store(kind) as store:
        recorder = make_recorder(store, [], batch=batch)
        for _ in range(2):
            record_customers(recorder, customers)
            assert reach(store) == expected


@settings(max_examples=60)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "customer": st.sampled_from("123"),
                "contact.email": st.sampled_from([None, "a@x.example", "b@x.example"]),
                "contact.sms": st.sampled_from([None, "1", "2"]),
            }
        ),
        min_size=1,
        max_size=8,
    ),
    batch=st.integers(1, 8),
    chunk=st.integers(1, 8),
)
def test_frames_and_files_leave_the_addresses_stated_last(
    rows: list[dict[str, str | None]], batch: int, chunk: int, make_recorder: MakeRecorder
) -> None:
    stated = {
        (row["customer"], medium): address
        for row in rows
        for medium in ("email", "sms")
        if (address := row[f"contact.{medium}"]) is not None
    }
    expected = sorted((*key, address) for key, address in stated.items())
    table = pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "customers.csv"
        table.write_csv(path)
        from_frame, from_file = (make_recorder(MemoryStore(), [], batch=batch, chunk=chunk) for _ in range(2))
        record_customers(from_frame, table)
        import_from(from_file, path, How(what="customers"))
    assert reach(from_frame.store) == expected
    assert reach(from_file.store) == expected


# What was planned for an old address


@frozen(kw_only=True)
class _NoSettings:
    """None."""


class _Post:
    """A channel whose answers a test sets."""

    medium = "email"

    def __init__(self) -> None:
        self.answer: Literal["accepted", "rejected", "unknown"] = "accepted"
        self.sent: list[str] = []

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        self.sent += [message.address for message in messages]
        return [Receipt(message=message.id, state=self.answer) for message in messages]

    def close(self) -> None:
        pass

    @hookimpl
    def relationship_channels(self) -> tuple[Provider[Any], ...]:
        return (
            Provider(name="answers", factory=lambda _: self, settings=_NoSettings, summary="", capabilities={"local"}),
        )


@pytest.fixture
def post() -> _Post:
    return _Post()


@pytest.fixture
def project(
    post: _Post, make_project: Callable[..., Relationships], make_campaign: Callable[..., Campaign]
) -> Relationships:
    once = make_campaign("once", limits={"per_customer": 1})
    made = make_project(once, plugins=[post], channels={"letters": Choice(use="answers")})
    made.record_customers([person("1", email="old@x.example")])
    return made


def run(project: Relationships, day: int) -> None:
    at = START + timedelta(days=day)
    project.review(as_of=at)
    for _ in range(2):
        project.plan(as_of=at)
    project.deliver(as_of=at)
    project.deliver(as_of=at)


def test_a_rejected_message_comes_again_once_its_address_was_replaced(project: Relationships, post: _Post) -> None:
    post.answer = "rejected"
    run(project, 0)
    project.record_customers([Customer(id="1", name="Ann")])
    run(project, 1)
    assert post.sent == ["old@x.example"]
    project.record_customers([person("1", email="new@x.example")])
    post.answer = "accepted"
    run(project, 2)
    run(project, 3)
    assert post.sent == ["old@x.example", "new@x.example"]
    assert project.store.read(MESSAGES).select("address", "state").rows() == [("new@x.example", "accepted")]


@pytest.mark.parametrize("answer", ["accepted", "unknown"])
def test_a_message_that_went_out_or_may_have_never_comes_again(
    answer: Literal["accepted", "unknown"], project: Relationships, post: _Post
) -> None:
    post.answer = answer
    run(project, 0)
    project.record_customers([person("1", email="new@x.example")])
    run(project, 1)
    assert post.sent == ["old@x.example"]


def test_a_rejected_message_stays_rejected_while_its_address_is_kept(project: Relationships, post: _Post) -> None:
    post.answer = "rejected"
    run(project, 0)
    project.record_customers([person("1", email=["old@x.example", "new@x.example"])])
    run(project, 1)
    assert post.sent == ["old@x.example"]


def test_a_queued_message_goes_to_the_new_address(project: Relationships, post: _Post) -> None:
    project.review(as_of=START)
    project.plan(as_of=START)
    project.record_customers([person("1", email="new@x.example")])
    project.deliver(as_of=START)
    assert post.sent == ["new@x.example"]


# In the terminal


def test_the_terminal_and_the_file_of_rejects(relate: Callable[..., Result], tmp_path: Path) -> None:
    assert relate("init").exit_code == 0
    path = tmp_path / "customers.csv"
    path.write_text('customer,contact.email\n1,"a@x.example, b@x.example"\n2,b@x.example\n', encoding="utf-8")
    told = relate("import", "customers", path)
    assert told.exit_code == 1
    assert "1 new, 0 brought up to date, 1 rejected" in told.stdout
    assert "x.example" not in told.output
    assert "a@x.example, b@x.example" in path.with_name("customers.csv.rejects.csv").read_text(encoding="utf-8")
