"""What customers say about contact: what they allow, and which relationship they want."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from relationship_core import Consent, Preference
    from relationship_demo.months import Month


@frozen(kw_only=True)
class Said:
    """What customers said about contact.

    Attributes:
        consents: acts of consent.
        preferences: which relationships they want.
    """

    consents: tuple[Consent, ...] = ()
    preferences: tuple[Preference, ...] = ()

    def within(self, month: Month) -> Said:
        """What was said in one month."""
        return Said(
            consents=tuple(each for each in self.consents if month.since <= each.at < month.until),
            preferences=tuple(each for each in self.preferences if month.since <= each.at < month.until),
        )
