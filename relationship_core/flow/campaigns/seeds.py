"""Test messages: what a campaign would say to some customers, sent to addresses of our own, the seeds.

Nothing of it is a contact: no row of the outbox is written, and no customer is addressed. That it was done is kept.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import polars as pl
from attrs import evolve, field, frozen

from relationship_core.columns import SUPPRESSIONS
from relationship_core.errors import ConfigurationError, RejectedError, nearest
from relationship_core.flow.campaigns.life import read_lives
from relationship_core.flow.campaigns.moving import Doing, keep_act, present_version, refuse_nobody
from relationship_core.flow.customers import find_customer
from relationship_core.flow.deliver.handover import hand_over
from relationship_core.flow.deliver.outlets import Outlet
from relationship_core.flow.deliver.render import Studio
from relationship_core.flow.permission.keys import held_back_keys
from relationship_core.flow.permission.standing import scopes_against
from relationship_core.flow.permission.terms import Terms
from relationship_core.flow.record.addresses import address_problem
from relationship_core.flow.report.preview import preview
from relationship_core.flow.rules import Rules
from relationship_core.flow.standing import standing
from relationship_core.model.campaign import Action, Campaign
from relationship_core.model.life import CampaignAct
from relationship_core.model.message import Message
from relationship_core.model.words import TASK_MEDIUM
from relationship_core.ports import Store

CUSTOMERS = 3
"""For so many customers a test is filled in, unless some are named."""
MARK = "[Test] "
"""What the subject of a test begins with, and the text where there is no subject."""

_PAGE = 5_000
_ID_BYTES = 14
_POINTS = {"medium": pl.String, "number": pl.Int64, "address": pl.String, "country": pl.String}


@frozen(kw_only=True)
class CampaignTest:
    """What became of a test.

    Attributes:
        campaign: the campaign's name.
        version: the version of its content.
        customers: for whom it was filled in.
        messages: how many messages the channels answered for, by what they answered.
        without_seeds: media of the campaign to which no test goes, since they have no seeds; tasks are none of them.
        details: what channels said of messages that they did not accept, each once.
        act: the act, as it is kept.
    """

    campaign: str
    version: str
    customers: tuple[str, ...]
    messages: Mapping[str, int]
    without_seeds: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    act: CampaignAct


@frozen(kw_only=True)
class SeedTerms:
    """What a test needs beside the campaign.

    Attributes:
        store: where the project lives.
        rules: the rules in force, for the audience.
        studio: what rendering needs.
        permission: what suppressions are compared by.
        media: the medium of each channel instance.
        outlets: how to get each channel instance, by name.
        seeds: the addresses that tests go to, by medium.
        approval: whether the project asks for approvals.
    """

    store: Store
    rules: Rules
    studio: Studio
    permission: Terms
    media: Mapping[str, str]
    outlets: Mapping[str, Callable[[], Outlet]]
    seeds: Mapping[str, tuple[str, ...]] = field(repr=False)
    approval: bool


class _Sent(NamedTuple):
    """A test message that was handed over: on which medium, and what the channel answered."""

    medium: str
    state: str
    detail: str


def send_test(
    terms: SeedTerms, doing: Doing, campaign: Campaign, *, customers: Sequence[str], action: str
) -> CampaignTest:
    """Fill a campaign in for some customers, and hand it to its channels, addressed to the seeds.

    Everything is filled in and every seed is looked at before the first message goes.

    Args:
        terms: what it needs.
        doing: who does it, and when.
        campaign: the campaign.
        customers: for whom; the first of its audience where none are named.
        action: only this action; empty for all.

    Raises:
        ConfigurationError: there is no such action; no medium of it has seeds, or a seed is no address; or a template
            names what is not known of a customer.
        RejectedError: nobody has such an id, or nobody is in the audience; or a seed is suppressed.
    """
    refuse_nobody(doing.actor)
    _refuse_unknown_action(campaign, action)
    media = {terms.media[each.channel] for step in _steps(campaign, action) for each in step.variants}
    seeds = {medium: terms.seeds[medium] for medium in sorted(media) if terms.seeds.get(medium)}
    _refuse_wrong_seeds(terms, campaign, seeds, media)
    who = [find_customer(terms.store, each).first for each in dict.fromkeys(customers)] or _first(terms, campaign)
    messages = [message for each in dict.fromkeys(who) for message in _filled_in(terms, campaign, each, action, seeds)]
    sent: list[_Sent] = []
    try:
        for message in messages:
            sent.append(_send(terms, message))  # noqa: PERF401  what was sent before an interruption counts
    finally:
        # Whoever breaks it off has sent some of it all the same.
        act = _keep(terms, doing, sent, len(messages))
    return CampaignTest(
        campaign=campaign.name,
        version=act.version,
        customers=tuple(dict.fromkeys(who)),
        messages=Counter(each.state for each in sent),
        without_seeds=tuple(sorted(media - seeds.keys() - {TASK_MEDIUM})),
        details=tuple(sorted({each.detail for each in sent if each.state != "accepted"})),
        act=act,
    )


def _steps(campaign: Campaign, action: str) -> Sequence[Action]:
    return [each for each in campaign.actions if action in {"", each.name}]


def _refuse_unknown_action(campaign: Campaign, action: str) -> None:
    names = [each.name for each in campaign.actions]
    if action and action not in names:
        hint = nearest(action, names) or f"; there are {', '.join(names)}"
        message = f"the campaign {campaign.name!r} has no action {action!r}{hint}"
        raise ConfigurationError(message)


def _refuse_wrong_seeds(
    terms: SeedTerms, campaign: Campaign, seeds: Mapping[str, tuple[str, ...]], media: set[str]
) -> None:
    if media == {TASK_MEDIUM}:
        message = (
            f"the campaign {campaign.name!r} gives tasks alone: a task goes to one of ours, and no test of it is sent; "
            f"`relate preview {campaign.name}` shows it"
        )
        raise ConfigurationError(message)
    if not seeds:
        message = (
            f"there is no address for tests of the campaign {campaign.name!r}: put one of yours into [campaigns] "
            f"seeds, under {' or '.join(sorted(media - {TASK_MEDIUM}))}"
        )
        raise ConfigurationError(message)
    points = _points(seeds)
    for message in _no_addresses(points):
        raise ConfigurationError(message)
    scopes = scopes_against(campaign.purpose, campaign.topic)
    for medium, number in _suppressed(terms.store, terms.permission, points, pl.col("scope").is_in(scopes)):
        # The address is not repeated: it belongs to a person.
        message = (
            f"[campaigns] seeds {medium}[{number}] is a suppressed address, to which nothing of this campaign may go; "
            "take it out of the seeds"
        )
        raise RejectedError(message)


def seed_problems(store: Store, permission: Terms, seeds: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """What is wrong with seeds: those that are no addresses, and those that are suppressed, whatever for.

    Args:
        store: where suppressions are.
        permission: what they are compared by.
        seeds: the addresses that tests go to, by medium.
    """
    points = _points(seeds)
    wrong = tuple(_no_addresses(points))
    # The address is not repeated: it belongs to a person.
    return wrong or tuple(
        f"[campaigns] seeds {medium}[{number}] is a suppressed address; take it out of the seeds"
        for medium, number in _suppressed(store, permission, points, pl.lit(value=True))
    )


def _points(seeds: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    rows = [
        (medium, number, address, None)
        for medium, addresses in seeds.items()
        for number, address in enumerate(addresses, 1)
    ]
    return pl.DataFrame(rows, schema=_POINTS, orient="row")


def _no_addresses(points: pl.DataFrame) -> Iterator[str]:
    problem = address_problem(pl.col("medium"), pl.col("address")).alias("problem")
    for medium, number, why in points.select("medium", "number", problem).drop_nulls().iter_rows():
        yield f"[campaigns] seeds {medium}[{number}]: {why}; correct it"


def _suppressed(store: Store, permission: Terms, points: pl.DataFrame, scopes: pl.Expr) -> Iterator[tuple[str, int]]:
    kept = store.read(SUPPRESSIONS, columns=["medium", "address_hash", "scope", "lifted_at"])
    holding = kept.filter(pl.col("lifted_at").is_null() & scopes)
    keyed = held_back_keys(points, permission)
    found = keyed.join(holding, left_on=["medium", "key"], right_on=["medium", "address_hash"], how="semi")
    yield from found.select("medium", "number").unique().sort("medium", "number").iter_rows()


def _first(terms: SeedTerms, campaign: Campaign) -> list[str]:
    """The first customers of the audience, as they are now."""
    audience = next(each.audience for each in terms.rules.triggers if each.campaign.name == campaign.name)
    found: list[str] = []
    for page in terms.store.pages(None, as_of=terms.studio.moment.now, size=_PAGE):
        names = frozenset(audience.columns)
        frame = standing(terms.store, terms.rules.catalog, page, names, terms.studio.moment)
        found.extend(frame.filter(audience.holds)["customer"].sort().head(CUSTOMERS - len(found)))
        if len(found) == CUSTOMERS:
            break
    if not found:
        message = f"nobody is in the audience of the campaign {campaign.name!r} now; name a customer to fill it in for"
        raise RejectedError(message)
    return found


def _filled_in(
    terms: SeedTerms, campaign: Campaign, customer: str, action: str, seeds: Mapping[str, tuple[str, ...]]
) -> Iterator[Message]:
    """Every variant for one customer, addressed to every seed of its medium."""
    for each in preview(terms.store, campaign, customer, terms.studio, terms.media):
        if action in {"", each.action}:
            for address in seeds.get(terms.media[each.message.channel], ()):
                yield _for_seed(each.message, address)


def _for_seed(message: Message, address: str) -> Message:
    """The message as a test: under an id that no engagement has, and to nobody by name."""
    seeded = evolve(message, id=f"test-{secrets.token_hex(_ID_BYTES)}", address=address, recipient="")
    if message.subject:
        return evolve(seeded, subject=f"{MARK}{message.subject}")
    return evolve(seeded, text=f"{MARK}{message.text}")


def _send(terms: SeedTerms, message: Message) -> _Sent:
    handed = hand_over(terms.outlets[message.channel](), (message,))
    if handed.misconfigured:
        raise ConfigurationError(handed.misconfigured)
    (answer,) = handed.answers
    return _Sent(terms.media[message.channel], answer.state, answer.receipt.detail)


def _keep(terms: SeedTerms, doing: Doing, sent: Sequence[_Sent], wanted: int) -> CampaignAct:
    """Keep that a test was sent, with how much of it; no address is kept."""
    numbers = Counter((each.medium, each.state) for each in sent)
    told = [f"{number} by {medium} {state}" for (medium, state), number in sorted(numbers.items())]
    if len(sent) < wanted:
        told.append(f"{wanted - len(sent)} not sent")
    with terms.store.transaction():
        version = present_version(terms.store, doing)
        life = read_lives(terms.store, approval=terms.approval).of(doing.name)
        return keep_act(terms.store, doing, state=life.state, version=version, detail=", ".join(told))
