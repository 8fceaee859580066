"""Permission: what customers allow, which relationship they want, and addresses never to use again."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias, get_args

from attrs import field, frozen, validators

from relationship_core.errors import WrongDataError
from relationship_core.model.validation import data
from relationship_core.model.words import Wish

ConsentAct: TypeAlias = Literal["grant", "confirm", "withdraw", "object"]
"""What was done: ``grant`` allows, ``confirm`` answers the message that a double opt-in sends, ``withdraw`` takes a
grant back, ``object`` says that there must be no marketing at all."""

LawfulBasis: TypeAlias = Literal["consent", "soft_opt_in"]
"""What a grant rests on: the customer's own yes, or a sale of something similar."""

SuppressionReason: TypeAlias = Literal[
    "hard_bounce", "soft_bounces", "complaint", "unsubscribe", "stop", "erased", "manual"
]  # fmt: skip
"""Why an address is not used: it does not exist, it keeps failing, its owner complained, unsubscribed, answered with a
stop word, was erased; or a person decided."""

NARROW_REASONS: tuple[SuppressionReason, ...] = ("unsubscribe", "complaint")
"""The reasons that speak of marketing; where a suppression says no scope, the others hold back every message."""


def usual_scope(reason: SuppressionReason) -> str:
    """What a suppression for this reason holds back where it does not say itself."""
    return "marketing" if reason in NARROW_REASONS else "all"


def _slugged(prefix: str) -> str:
    return rf"|all|marketing|{prefix}[a-z0-9][a-z0-9_-]*"


@frozen(kw_only=True)
class Consent:
    """One act of consent. Acts are added and never changed; what they come to is computed.

    Attributes:
        customer: whose it is.
        act: what was done.
        at: when.
        medium: the kind of contact point it speaks of, such as ``email``; empty for every one.
        topic: what messages are about, as campaigns name it; empty for every topic.
        basis: what a grant rests on.
        jurisdiction: whose law it was given under, such as ``DE``; empty where nobody said.
        wording: the text that the customer agreed to, or a name for it; empty where nobody said.
        version: which version of that wording.
        method: how it was given, such as ``web form``.
        source: the system that it comes from.
        actor: who entered it; empty for the customer.
        evidence: what proves it, such as the reference of a signed form, or of the order a soft opt-in rests on.
        address: the address that it was given for; only its keyed hash is kept. Empty for any of the medium.
        expires_at: when a grant ends; None for never.
        id: tells this act from the customer's others, so that an import can be repeated; made of its content if empty.

    Raises:
        WrongDataError: a grant or an answer to a double opt-in has no proof: its method, its source, and its wording or
            its evidence; or names no medium; or a soft opt-in names no order as its evidence.
    """

    customer: str = field(validator=data.filled)
    act: ConsentAct = field(validator=data.one_of(get_args(ConsentAct)))
    at: datetime = field(validator=data.aware)
    medium: str = field(default="", validator=data.text)
    topic: str = field(default="", validator=data.text)
    basis: LawfulBasis = field(default="consent", validator=data.one_of(get_args(LawfulBasis)))
    jurisdiction: str = field(default="", validator=data.text)
    wording: str = field(default="", validator=data.text)
    version: str = field(default="", validator=data.text)
    method: str = field(default="", validator=data.text)
    source: str = field(default="", validator=data.text)
    actor: str = field(default="", validator=data.text)
    evidence: str = field(default="", validator=data.text, repr=False)
    address: str = field(default="", validator=data.text, repr=False)
    expires_at: datetime | None = field(default=None, validator=validators.optional(data.aware))
    id: str = field(default="", validator=data.text)

    def __attrs_post_init__(self) -> None:
        """Refuse permission without proof."""
        if self.act not in {"grant", "confirm"}:
            return
        if not self.medium:
            message = f"Consent.medium must be named where the act is {self.act}, since permission is given for each"
            raise WrongDataError(message)
        if not (self.method and self.source and (self.wording or self.evidence)):
            message = (
                f"Consent.act {self.act} needs its proof: method, source, and wording or evidence; "
                "without them nobody can show that the customer agreed"
            )
            raise WrongDataError(message)
        if self.basis == "soft_opt_in" and not self.evidence:
            message = "Consent.basis soft_opt_in must name the order that it rests on as evidence, as SOURCE:ID"
            raise WrongDataError(message)


@frozen(kw_only=True)
class Preference:
    """Which relationship a customer wants, as they said at one time.

    Attributes:
        customer: whose it is.
        wish: close, occasional, transactional or none.
        at: when they said it.
        source: the system that it comes from.
        actor: who entered it; empty for the customer.
        ask_again_at: the earliest instant at which they may be asked again; None where it may be asked by the
            project's own interval.
    """

    customer: str = field(validator=data.filled)
    wish: Wish = field(validator=data.one_of(get_args(Wish)))
    at: datetime = field(validator=data.aware)
    source: str = field(default="", validator=data.text)
    actor: str = field(default="", validator=data.text)
    ask_again_at: datetime | None = field(default=None, validator=validators.optional(data.aware))


@frozen(kw_only=True)
class Suppression:
    """A reason never to use an address, or not for what its scope says.

    Attributes:
        medium: the kind of contact point.
        address: the address itself; only its keyed hash is kept.
        scope: ``all`` for every message, ``marketing``, or ``topic:`` and a topic; where it is empty, ``marketing`` if
            the reason is ``unsubscribe`` or ``complaint``, and otherwise ``all``. Service messages are held back by
            ``all`` alone.
        reason: why; ``erased`` is set by forgetting somebody alone.
        at: since when.
        source: the system that it comes from; empty for this one.
        actor: who entered it; empty where no person did.
    """

    medium: str = field(validator=data.filled)
    address: str = field(validator=data.filled, repr=False)
    scope: str = field(
        default="", validator=data.matching(_slugged("topic:"), "all, marketing, or topic: and the topic's name")
    )
    reason: SuppressionReason = field(validator=data.one_of(get_args(SuppressionReason)))
    at: datetime = field(validator=data.aware)
    source: str = field(default="", validator=data.text)
    actor: str = field(default="", validator=data.text)

    @property
    def holds_back(self) -> str:
        """The scope, or where that is empty the one of the reason."""
        return self.scope or usual_scope(self.reason)
