"""Holdout: who is left out of a campaign, or of all of them, so that one can see what they cause.

Every customer has a bucket from 0 to 9999 in each campaign, and one in the whole project. It follows from the
project's salt, the campaign's name and the customer's id alone: the same in every run and on every machine,
independent between campaigns, and of no use to guess anything by. A share of 0.1 leaves out the buckets below 1000,
so that a larger share leaves out the same customers and some more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import polars as pl
from attrs import field, frozen

from relationship_core.model.campaign import Campaign

BUCKETS = 10_000
"""How many buckets there are; a share is a multiple of one of them."""
OF_ALL = "held out of every campaign"
"""The detail where the project's holdout leaves a customer out."""
OF_CAMPAIGN = "held out of this campaign"
"""The detail where the campaign's own does."""

_DIGEST_BYTES = 8


def bucket(salt: str, campaign: str, customer: str) -> int:
    """A customer's bucket in a campaign; with an empty name, in the whole project.

    Args:
        salt: the project's own random text.
        campaign: the campaign's name.
        customer: the customer's id; of merged ids the survivor's.
    """
    text = f"holdout\x1f{campaign}\x1f{customer}".encode()
    digest = hashlib.blake2b(text, digest_size=_DIGEST_BYTES, key=salt.encode()).digest()
    return int.from_bytes(digest, "big") % BUCKETS


@frozen(kw_only=True)
class Holdout:
    """Which shares are left out.

    Attributes:
        salt: the project's own random text.
        share: of every campaign, 0 to 1.
        shares: of single campaigns, by name.
    """

    salt: str = field(repr=False)
    share: float = 0.0
    shares: Mapping[str, float] = field(factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nobody is left out of anything."""
        return not self.share and not any(self.shares.values())

    def of(self, campaign: str, customer: str) -> str | None:
        """Why a customer is left out of a campaign; None where they are not."""
        if self._is_below("", customer, self.share):
            return OF_ALL
        return OF_CAMPAIGN if self._is_below(campaign, customer, self.shares.get(campaign, 0.0)) else None

    def _is_below(self, campaign: str, customer: str, share: float) -> bool:
        return share > 0 and bucket(self.salt, campaign, customer) < round(share * BUCKETS)


def holdout_of(campaigns: Iterable[Campaign], *, share: float, salt: str) -> Holdout:
    """What these campaigns, and the project, leave out."""
    return Holdout(salt=salt, share=share, shares={each.name: each.holdout for each in campaigns})


def left_out(candidates: pl.DataFrame, holdout: Holdout, where: pl.Expr) -> pl.DataFrame:
    """Fill ``left_out`` in: why a candidate is not to get the message; null where it is.

    Service is never left out, and what this very plan has queued before stays what it was.

    Args:
        candidates: with ``left_out`` as it is known, which is of those that were queued before.
        holdout: the shares.
        where: of which candidates it is asked.
    """
    if holdout.is_empty or candidates.is_empty():
        return candidates
    asked = candidates.with_row_index("place").filter(where & ~pl.col("held") & (pl.col("purpose") == "marketing"))
    found = pl.Series("found", [holdout.of(*pair) for pair in asked.select("campaign", "customer").iter_rows()])
    told = asked.select("place").with_columns(found.cast(pl.String))
    return (
        candidates.with_row_index("place")
        .join(told, on="place", how="left", maintain_order="left")
        .with_columns(pl.coalesce("left_out", "found").alias("left_out"))
        .drop("place", "found")
    )
