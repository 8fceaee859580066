"""The terms of permission: what the project's configuration and its salt make of what customers said."""

from __future__ import annotations

from attrs import field, frozen

from relationship_core.config.contact import ConsentSettings, PreferenceSettings


@frozen(kw_only=True)
class Terms:
    """What permission is judged by.

    Attributes:
        consent: which media need a consent, and which a confirmed one.
        preference: what is assumed of those who were not asked.
        salt: keys the hashes of addresses.
        country: ISO 3166-1 code of the country of telephone numbers whose customer has none; empty for none.
    """

    consent: ConsentSettings = field(factory=ConsentSettings)
    preference: PreferenceSettings = field(factory=PreferenceSettings)
    salt: str = field(default="", repr=False)
    country: str = ""
