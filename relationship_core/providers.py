"""What a plugin says of itself: each kind of store, channel, receiver, renderer or executor that it provides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from relationship_core.errors import WrongArgumentError, nearest
from relationship_core.model.texts import slug
from relationship_core.model.validation import declared, kind_of

P_co = TypeVar("P_co", covariant=True)


class Secret:
    """Text that must not be shown: its repr and str hide it, and it refuses to be pickled."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if not _is_text(text):
            message = f"a secret must be text, not {kind_of(text)}; an environment variable that is not set gives None"
            raise WrongArgumentError(message)
        self._text = text

    def reveal(self) -> str:
        """The text itself; only to hand it to the provider."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce__(self) -> str:
        message = "a secret is not to be stored"
        raise TypeError(message)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


CAPABILITIES: Mapping[str, str] = {
    "local": "It reaches nobody: what it writes stays on this machine.",
    "lookup": "It can tell afterwards whether a message was handed over.",
    "idempotent": "Handing a message over again repeats nothing: the provider knows its id.",
    "batch": "One call may hand over several messages.",
    "html": "It delivers HTML.",
    "attachments": "It delivers files with a message.",
    "one_click": "Its messages carry the address at which one click unsubscribes.",
    "expiry": "The provider drops a message that has expired.",
    "price": "It tells what a message costs before it is sent.",
    "sandbox": "It can try everything and send nothing.",
    "receipts": "The provider reports what became of a message.",
    "replies": "It brings in what customers answer.",
    "mailbox": "It reads what lies in a mailbox.",
}
"""What a channel or a receiver can do beside its port, by the name that its provider declares it with."""


def _names(values: Iterable[str]) -> frozenset[str]:
    return frozenset(values)


def _capabilities(_owner: object, _attribute: object, values: frozenset[str]) -> None:
    for name in sorted(values - CAPABILITIES.keys()):
        message = f"there is no capability {name!r}{nearest(name, CAPABILITIES)}; there are {', '.join(CAPABILITIES)}"
        raise WrongArgumentError(message)


@frozen(kw_only=True)
class Provider(Generic[P_co]):
    """A named kind of store, channel or the like that a configuration can choose with ``use = "name"``.

    Attributes:
        name: what the configuration says.
        factory: makes the object from its settings; it imports whatever is heavy when it is called.
        settings: a frozen attrs class of the configuration's keys. Field types may be str, int, float,
            bool, Path (made absolute against the project folder), Secret, a Literal, a tuple of any number of one of
            them, such as tuple[Secret, ...], a Mapping of names to one of them, and X | None. ``declared`` has
            validators for them. A field with the metadata ``{"project": "sender"}`` takes that key of ``[project]``
            where its own is not given.
        summary: one line for people.
        capabilities: what it can do beyond the port, by the names of CAPABILITIES.
        batch: how many messages a channel is handed at once where the configuration says nothing else. Nobody knows
            what became of as many when it fails, so that it is 1 unless the provider takes whole batches.
    """

    name: str = field(validator=slug)
    factory: Callable[[Any], P_co]
    settings: type
    summary: str
    capabilities: frozenset[str] = field(default=frozenset(), converter=_names, validator=_capabilities)
    batch: int = field(default=1, validator=declared.whole(1))
