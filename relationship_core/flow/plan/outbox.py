"""The outbox: planned engagements as queued messages, and those that are held out beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping

import polars as pl

from relationship_core.columns import MESSAGES
from relationship_core.errors import ConfigurationError
from relationship_core.flow.contact.verdicts import DUE, HELD_OUT
from relationship_core.flow.message_states import HELD_OUT as NEVER_SENT
from relationship_core.model.campaign import Campaign
from relationship_core.table import INSTANT

_ID_BYTES = 16
_SHOWN_ON = frozenset({"email", "post"})


def queue(
    judged: pl.DataFrame, versions: Mapping[str, str], message_id: Callable[[str, str, str, str], str]
) -> pl.DataFrame:
    """Rows of MESSAGES for the planned ones of judged candidates, pinned to the campaign's version.

    Who is held out has a row as well, settled from the beginning: it takes the place of a message that is never sent.
    """
    planned = judged.filter(pl.col("reason").is_in([DUE, HELD_OUT]))
    keys = planned.select("campaign", "action", "customer", "occasion")
    ids = pl.Series("id", [message_id(*key) for key in keys.iter_rows()], dtype=pl.String)
    nothing = pl.lit(None, dtype=pl.String)
    held_out = pl.col("reason") == HELD_OUT
    return planned.with_columns(
        ids,
        pl.col("campaign").replace_strict(dict(versions), return_dtype=pl.String).alias("version"),
        pl.when(held_out).then(pl.lit(NEVER_SENT)).otherwise(pl.lit("queued")).alias("state"),
        pl.col("now").alias("queued_at"),
        nothing.alias("worker"),
        pl.lit(None, dtype=INSTANT).alias("claimed_until"),
        pl.lit(0, dtype=pl.Int64).alias("attempts"),
        nothing.alias("reference"),
        pl.when(held_out).then("detail").otherwise(pl.lit("")).alias("detail"),
        pl.when(held_out).then("now").cast(INSTANT).alias("settled_at"),
    ).select(list(MESSAGES.schema))


def refuse_without_postal_address(campaigns: Iterable[Campaign], media: Mapping[str, str], postal_address: str) -> None:
    """Marketing by e-mail or post shows where its sender is: the CAN-SPAM Act (15 U.S.C. 7704) asks for it, not alone.

    Args:
        campaigns: what is to be planned.
        media: the medium of each channel instance.
        postal_address: the project's.

    Raises:
        ConfigurationError: there is none, and a campaign needs it.
    """
    if postal_address.strip():
        return
    for campaign in campaigns:
        used = {media[variant.channel] for action in campaign.actions for variant in action.variants}
        if campaign.purpose == "marketing" and used & _SHOWN_ON:
            message = (
                f"the campaign {campaign.name!r} is marketing by {' and '.join(sorted(used & _SHOWN_ON))}, which must "
                "show a postal address: set [project] postal_address"
            )
            raise ConfigurationError(message)


def salted_message_id(salt: str) -> Callable[[str, str, str, str], str]:
    """A function that gives an engagement's message its id: opaque, stable, and of no use to guess customers by."""
    key = salt.encode()

    def message_id(campaign: str, action: str, customer: str, occasion: str) -> str:
        engagement = f"{campaign}\x1f{action}\x1f{customer}\x1f{occasion}".encode()
        return hashlib.blake2b(engagement, digest_size=_ID_BYTES, key=key).hexdigest()

    return message_id
