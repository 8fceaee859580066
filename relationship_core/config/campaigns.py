"""What the configuration says of all campaigns: whether they must be approved, and where their tests go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import Attribute, field, frozen

from relationship_core.errors import ConfigurationError
from relationship_core.model.validation import declared, read_only, texts


def _lists(values: Any) -> Any:
    """A tuple of texts for each medium; what is no mapping is left for the validator to complain about."""
    return read_only({name: texts(each) for name, each in values.items()} if isinstance(values, Mapping) else values)


def _seeds(owner: object, attribute: Attribute[Any], value: Any) -> None:
    if not isinstance(value, Mapping):
        message = 'seeds must be a table of lists, such as seeds = { email = ["ann@example.com"] }'
        raise ConfigurationError(message)
    for medium, addresses in value.items():
        declared.each(str)(owner, attribute, addresses)
        for number, address in enumerate(addresses, 1):
            # An address is not repeated: it belongs to a person.
            if not address.strip() or address != address.strip():
                message = f"seeds {medium}[{number}] must be an address without white space around it"
                raise ConfigurationError(message)
            if address in addresses[: number - 1]:
                message = f"seeds {medium}[{number}] is there twice; once is enough"
                raise ConfigurationError(message)


@frozen(kw_only=True)
class CampaignSettings:
    """``[campaigns]``: what holds for every campaign.

    Attributes:
        approval: whether somebody must approve a campaign, and each change of its content, before it is planned.
        seeds: the addresses that test messages go to, by medium, such as ``seeds.email``.
    """

    approval: bool = field(default=False, validator=declared.yes_or_no)
    seeds: Mapping[str, tuple[str, ...]] = field(factory=dict, converter=_lists, validator=_seeds, repr=False)
