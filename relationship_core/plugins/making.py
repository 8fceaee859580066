"""Making what a provider provides, so that a failure never tells a secret."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

from relationship_core.errors import ConfigurationError, RelationshipError
from relationship_core.plugins.implementations import in_words

if TYPE_CHECKING:
    from relationship_core.providers import Provider

P = TypeVar("P")


def make(provider: Provider[P], settings: object, failure: str) -> P:
    """Call a provider's factory; ``failure`` begins the sentence for what it raises by mistake.

    Raises:
        ConfigurationError: the factory failed. The cause's words are told, and the cause is chained, only where
            they show no secret.
    """
    try:
        return provider.factory(settings)
    except RelationshipError:
        raise
    except Exception as error:  # noqa: BLE001  a plugin may raise anything
        cause = error
    # Not in the except clause, which would chain the cause: a traceback prints the words of every cause.
    if _shows(cause, _secrets(settings)):
        message = f"{failure}: {type(cause).__name__}"
        raise ConfigurationError(message)
    message = f"{failure}: {in_words(cause)}"
    raise ConfigurationError(message) from cause


def _secrets(settings: object) -> list[str]:
    from relationship_core.providers import Secret

    values = attrs.asdict(cast("Any", settings), recurse=False).values() if attrs.has(type(settings)) else ()
    return [value.reveal() for value in values if isinstance(value, Secret)]


def _shows(error: BaseException, secrets: Sequence[str]) -> bool:
    told = "".join(traceback.format_exception(error))
    return any(secret in told for secret in secrets)
