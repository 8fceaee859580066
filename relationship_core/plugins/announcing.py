"""Announcing to one plugin what happened: whatever it does, it happened."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING

from relationship_core.plugins.implementations import call
from relationship_core.plugins.sources import Source

if TYPE_CHECKING:
    import pluggy

logger = logging.getLogger(__name__)


def announce(source: Source, hook: str, implementation: pluggy.HookImpl, values: Mapping[str, object]) -> None:
    """Call the hook of one plugin; its failure is logged."""
    try:
        call(implementation, values)
    except Exception as error:  # noqa: BLE001  what is announced is done; no listener can undo it
        place = traceback.extract_tb(error.__traceback__)[-1]
        logger.error(  # noqa: TRY400  the words and the traceback may hold personal data
            "the plugin %s failed in %s: %s at %s, line %s",
            source.name,
            hook,
            type(error).__name__,
            place.name,
            place.lineno,
        )
