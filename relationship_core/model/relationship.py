"""Where a relationship stands: scores, stages, the ladder and the moves on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import cast

from attrs import field, frozen, validators

from relationship_core.errors import WrongArgumentError
from relationship_core.model.texts import identifier
from relationship_core.model.validation import data, declared, floating, listed, texts, texts_by_name


@frozen(kw_only=True)
class Score:
    """What is known about one element of one relationship at one instant.

    Attributes:
        name: the scoring rule it came from.
        value: the rule's value in the rule's own range, or None where the rule has nothing to say.
        confidence: 0 to 1; 0 means that there is no evidence and the value is the prior.
        evidence: the names of the measures that the value rests on.
        label: for a score that names one of some kinds: the name; the value is its place among them, from 0.
    """

    name: str = field(validator=data.text)
    value: float | None = field(validator=validators.optional(data.number(finite=False)))
    confidence: float = field(validator=data.number(0, 1))
    evidence: tuple[str, ...] = field(default=(), converter=texts, validator=data.each(str))
    label: str = field(default="", validator=data.text)

    def __str__(self) -> str:
        """The label, or the value, as people read it; "no evidence" where there is none."""
        if self.value is None or self.confidence == 0:
            return "no evidence"
        return self.label or f"{self.value:.2f}"


@frozen(kw_only=True)
class Stage:
    """One rung of a ladder.

    Attributes:
        name: lower case with underscores.
        enter: the condition to step up to it; empty for the first rung, where everybody starts.
        leave: the condition to step down from it; empty for never. Leave the band between
            ``enter`` and ``leave`` open: a score that swings inside it moves nobody.
        dwell_days: how long a customer stays on this rung before the next move, in days.
    """

    name: str = field(validator=identifier)
    enter: str = field(default="", validator=declared.text)
    leave: str = field(default="", validator=declared.text)
    dwell_days: float = field(default=0.0, converter=floating, validator=declared.number(0))


def _stages(values: Iterable[Stage]) -> tuple[Stage, ...]:
    return cast("tuple[Stage, ...]", listed(values))


@frozen(kw_only=True)
class Ladder:
    """Stages from the first rung to the highest, and what marks a customer as lapsed.

    A rung holds only while every rung below it holds, and a customer makes at most one move
    per project-local day. Lapsed is a mark beside the stage, not a stage.

    Attributes:
        name: how a project chooses it.
        stages: from the lowest to the highest; the first has no ``enter`` and no ``leave``.
        lapsed: the condition under which a customer counts as lapsed; empty for never.
        freezes: a condition, and while it holds nobody is moved up; empty for never.
    """

    name: str = field(validator=declared.filled)
    stages: tuple[Stage, ...] = field(converter=_stages, validator=declared.each(Stage, least=1))
    lapsed: str = field(default="", validator=declared.text)
    freezes: str = field(default="", validator=declared.text)

    def __attrs_post_init__(self) -> None:
        """Refuse repeated names, and conditions on the first rung."""
        names = [stage.name for stage in self.stages]
        if len(set(names)) != len(names):
            message = f"the ladder {self.name!r} names a stage twice: {', '.join(names)}"
            raise WrongArgumentError(message)
        if self.stages[0].enter or self.stages[0].leave:
            message = (
                f"the first stage {names[0]!r} of the ladder {self.name!r} is where everybody starts; "
                "it takes no conditions"
            )
            raise WrongArgumentError(message)
        for stage in self.stages[1:]:
            if not stage.enter:
                message = f"the stage {stage.name!r} of the ladder {self.name!r} has no condition to enter it"
                raise WrongArgumentError(message)

    @property
    def names(self) -> tuple[str, ...]:
        """The stages' names, lowest first."""
        return tuple(stage.name for stage in self.stages)


@frozen(kw_only=True)
class Transition:
    """One move of one customer on the ladder, with what it rested on.

    Attributes:
        customer: the customer's id.
        at: the review's instant.
        origin: the stage left.
        target: the stage reached.
        evidence: the columns of the condition that decided it, each with the value it had, as text.
    """

    customer: str = field(validator=data.text)
    at: datetime = field(validator=data.aware)
    origin: str = field(validator=data.text)
    target: str = field(validator=data.text)
    evidence: Mapping[str, str] = field(factory=dict, converter=texts_by_name, validator=data.texts_by_name)
