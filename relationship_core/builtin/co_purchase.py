"""The calibration of co-purchase: which categories are bought by the same customers more often than by chance.

Each category is a set of customers, kept as bits, so that two of them are compared in one step however many customers
bought both: 300 categories of a million customers take seconds.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

from relationship_core import TableCalibration

if TYPE_CHECKING:
    import polars as pl

NAME = "co-purchase"
MOST_CATEGORIES = 1000
"""Only so many categories, those with most customers, are compared with each other."""
MOST_PARTNERS = 20
"""Each category proposes at most so many others, those with the highest lift."""


def calibration(parameters: Mapping[str, float]) -> TableCalibration:
    """Pairs that so many customers have bought both of, and such a share of all who bought."""
    support, share = parameters["co_purchase_support"], parameters["co_purchase_share"]
    return TableCalibration(
        name=NAME,
        keyed="category",
        gather=buyers_of_each,
        fit=partial(fit_pairs, support=support, share=share),
        summary="The lift of two categories (Brin et al. 1997): P(both) / (P(one) P(other)) over the customers who "
        f"bought any. Kept are lifts above 1 of pairs that {support:g} customers and {100 * share:g} % of them have "
        f"both of; of each category the {MOST_PARTNERS} highest.",
    )


def buyers_of_each(rows: pl.DataFrame) -> pl.DataFrame:
    """Of each category, who of these customers bought it: a bit for each customer, in one order for all categories."""
    import polars as pl

    size = rows["customer"].n_unique()
    places = rows.select("key", place=pl.col("customer").rank("dense") - 1).group_by("key").agg("place")
    found = [(key, len(held), size, zlib.compress(_bits(held, size), 1)) for key, held in places.iter_rows()]
    types = {"key": pl.String, "customers": pl.Int64, "size": pl.Int64, "bits": pl.Binary}
    return pl.DataFrame(found, schema=types, orient="row")


def _bits(places: Sequence[int], size: int) -> bytes:
    bits = bytearray(-(-size // 8))
    for place in places:
        bits[place >> 3] |= 1 << (place & 7)
    return bytes(bits)


def fit_pairs(parts: Sequence[pl.DataFrame], *, support: float, share: float) -> pl.DataFrame | None:
    """Who bought ``bought`` may want ``other``: pairs with their ``lift`` and how many ``customers`` have both.

    They come in the order in which they are proposed: by lift, then by customers, the most first, then by name.
    """
    import polars as pl

    everybody = sum(int(part["size"][0]) for part in parts)
    least = max(support, share * everybody)
    totals = pl.concat(parts).group_by("key").agg(pl.col("customers").sum())
    frequent = totals.filter(pl.col("customers") >= least).sort(["customers", "key"], descending=[True, False])
    if frequent.is_empty():
        return None
    names = sorted(frequent["key"].head(MOST_CATEGORIES).to_list())
    count = dict(totals.iter_rows())
    sets = _sets(parts, names)
    found = []
    for one, other in combinations(names, 2):
        both = (sets[one] & sets[other]).bit_count()
        # Whole numbers are exact, so that equal lifts are equal to the last digit.
        if both >= least and both * everybody > count[one] * count[other]:
            lift = both * everybody / (count[one] * count[other])
            found += [(one, other, lift, both), (other, one, lift, both)]
    types = {"bought": pl.String, "other": pl.String, "lift": pl.Float64, "customers": pl.Int64}
    pairs = pl.DataFrame(found, schema=types, orient="row")
    order = pairs.sort(["lift", "customers", "other", "bought"], descending=[True, True, False, False])
    return (
        order.group_by("bought", maintain_order=True)
        .head(MOST_PARTNERS)
        .sort(["lift", "customers", "other", "bought"], descending=[True, True, False, False])
    )


def _sets(parts: Sequence[pl.DataFrame], names: Sequence[str]) -> Mapping[str, int]:
    """Of each of the categories its customers, all pages in a row."""
    pages = list(_pages(parts, set(names)))
    return {
        name: int.from_bytes(b"".join(bits.get(name, bytes(size)) for bits, size in pages), "little") for name in names
    }


def _pages(parts: Sequence[pl.DataFrame], names: set[str]) -> Iterator[tuple[dict[str, bytes], int]]:
    """Of each page the bits of the categories, and how many bytes they take."""
    for part in parts:
        rows = part.select("key", "bits").iter_rows()
        yield {key: zlib.decompress(bits) for key, bits in rows if key in names}, -(-int(part["size"][0]) // 8)
