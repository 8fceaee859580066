"""Recording of objects and frames: each batch is checked, and kept whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from relationship_core.columns import CUSTOMERS, INTERACTIONS
from relationship_core.flow.record.addresses import PLACE, check_media, point_problems
from relationship_core.flow.record.checks import PROBLEM, Rule, customer_rules, interaction_rules, sift
from relationship_core.flow.record.commit import commit
from relationship_core.flow.record.customers import commit_customers
from relationship_core.flow.record.frames import batches, customers_frames, interactions_frame
from relationship_core.flow.record.mapping import check_frame, media_of
from relationship_core.flow.record.nested import attribute_problems
from relationship_core.flow.record.recorder import Recorded, Recorder
from relationship_core.flow.record.refusal import NUMBER, refuse
from relationship_core.flow.record.typed import typed_interactions
from relationship_core.flow.record.typed_customers import contact_points, typed_customers
from relationship_core.model.customer import Customer
from relationship_core.model.interaction import Interaction


def record(recorder: Recorder, interactions: Iterable[Interaction] | pl.DataFrame) -> Recorded:
    """Record interactions: objects, or a frame.

    The same interaction may come again: it counts as repeated and changes nothing. One whose (source, id) was
    recorded with another customer, kind, time, amount or reference is refused; lines and data are not compared.

    A frame has the columns ``source, id, customer, kind, at`` and may have ``amount`` (or ``amount_minor``; minor
    units both), ``currency``, ``reference``, ``lines`` and ``data``. It is checked as a whole before anything is
    kept, and against what is kept batch by batch; objects are taken, checked and kept batch by batch.

    Raises:
        RejectedError: something in it cannot be recorded; nothing of its batch was kept, nor what comes after.
            Record all of it again once it is corrected: what was kept already does not count twice.
        ConfigurationError: a measure is new or has changed since history was folded.
    """
    new = done = unknown = 0
    for rows in _interaction_frames(recorder, interactions):
        good = _accepted(
            rows,
            interaction_rules(recorder.kinds, recorder.currency, recorder.clock(), rows),
            done,
            "interaction",
        )
        # Neighbours in the store are written together, which is much cheaper.
        ordered = good.select(NUMBER, *INTERACTIONS.schema).sort("customer", maintain_order=True)
        for batch in ordered.iter_slices(recorder.batch):
            added, strangers = commit(recorder, batch, _all_kept)
            new += added
            unknown += strangers
        done += rows.height
    return Recorded(new=new, repeated=done - new, unknown_customers=unknown)


def record_customers(recorder: Recorder, customers: Iterable[Customer] | pl.DataFrame) -> Recorded:
    """Record customers: new ones are added, known ones brought up to date.

    A frame has the column ``customer`` and may have ``name``, ``locale``, ``zone``, ``country``, ``attributes``
    (JSON text), ``attribute.<name>`` and ``contact.<medium>``. What a customer leaves open stays as it is known,
    attribute by attribute and medium by medium; the contact points of a medium replace those that were known.

    Raises:
        RejectedError: something in it cannot be recorded; nothing of its batch was kept, nor what comes after.
        ConfigurationError: a column names a medium that nobody knows, or an attribute that is not declared.
    """
    new = done = 0
    for people, points in _customer_frames(recorder, customers):
        good = _accepted(people, customer_rules(), done, "customer").select(NUMBER, *CUSTOMERS.schema)
        for start in range(0, good.height, recorder.batch):
            own = pl.col(PLACE).is_between(start, start + recorder.batch - 1)
            batch = good[start : start + recorder.batch]
            new += commit_customers(recorder, batch, points.filter(own), _all_customers_kept)
        done += people.height
    return Recorded(new=new, repeated=done - new)


def _customer_frames(
    recorder: Recorder, customers: Iterable[Customer] | pl.DataFrame
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    if isinstance(customers, pl.DataFrame):
        check_frame("customers", customers.columns)
        check_media(media_of(customers.columns), recorder.media)
        typed = typed_customers(customers, recorder.attributes)
        yield typed, contact_points(typed)
        return
    for batch in batches(customers, Customer, recorder.batch):
        people, points = customers_frames(batch)
        told = people.with_row_index(PLACE).join(
            point_problems(points, recorder.media), on=PLACE, how="left", maintain_order="left"
        )
        if recorder.attributes is not None:
            problems = attribute_problems(people["attributes"], recorder.attributes)
            told = told.with_columns(pl.coalesce(problems, PROBLEM).alias(PROBLEM))
        yield told, points


def _interaction_frames(
    recorder: Recorder, interactions: Iterable[Interaction] | pl.DataFrame
) -> Iterator[pl.DataFrame]:
    if not isinstance(interactions, pl.DataFrame):
        for batch in batches(interactions, Interaction, recorder.batch):
            yield interactions_frame(batch)
        return
    check_frame("interactions", interactions.columns)
    yield typed_interactions(interactions, currency=recorder.currency, zone=None, major=False)


def _accepted(rows: pl.DataFrame, rules: list[Rule], before: int, what: str) -> pl.DataFrame:
    """All of the rows; or an error, if one of them is refused."""
    good, bad = sift(rows.with_row_index(NUMBER, offset=before + 1), rules)
    refuse(bad, what)
    return good


def _all_kept(_: int, refused: pl.DataFrame, __: int) -> None:
    refuse(refused, "interaction")


def _all_customers_kept(_: int, refused: pl.DataFrame) -> None:
    refuse(refused, "customer")
