"""Frames of consents, preferences and suppressions with our column names, to typed and checked rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias, TypeVar, get_args

import attrs
import polars as pl

from relationship_core.errors import RejectedError
from relationship_core.flow.permission.consents import REFUSALS
from relationship_core.flow.record import convert
from relationship_core.flow.record.addresses import (
    Media,
    address_problem,
    media_problems,
    named_address,
    one_address_rule,
)
from relationship_core.flow.record.checks import Rule, identity_rules, text_rules, time_rules
from relationship_core.flow.record.typed import typed_frame
from relationship_core.model.instants import EARLIEST, LATEST
from relationship_core.model.permission import (
    NARROW_REASONS,
    Consent,
    ConsentAct,
    LawfulBasis,
    Preference,
    Suppression,
    SuppressionReason,
)
from relationship_core.model.words import TASK_MEDIUM, Wish
from relationship_core.table import INSTANT

Said: TypeAlias = Consent | Preference | Suppression
T = TypeVar("T", Consent, Preference, Suppression)

CONSENT_COLUMNS = tuple(each.name for each in attrs.fields(Consent))
PREFERENCE_COLUMNS = tuple(each.name for each in attrs.fields(Preference))
SUPPRESSION_COLUMNS = tuple(each.name for each in attrs.fields(Suppression))
"""What files and frames of them may have."""

CONSENT_REQUIRED, PREFERENCE_REQUIRED = ("customer", "act", "at"), ("customer", "wish", "at")
SUPPRESSION_REQUIRED = ("medium", "address", "reason", "at")
NAMES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "consents": (CONSENT_REQUIRED, tuple(name for name in CONSENT_COLUMNS if name not in CONSENT_REQUIRED)),
    "preferences": (PREFERENCE_REQUIRED, tuple(name for name in PREFERENCE_COLUMNS if name not in PREFERENCE_REQUIRED)),
    "suppressions": (
        SUPPRESSION_REQUIRED,
        tuple(name for name in SUPPRESSION_COLUMNS if name not in SUPPRESSION_REQUIRED),
    ),
}
"""Of each: the columns that must be there, and those that may be."""
COLUMNS: Mapping[str, tuple[str, ...]] = {what: (*required, *optional) for what, (required, optional) in NAMES.items()}

_INSTANTS = frozenset({"at", "expires_at", "ask_again_at"})
_EVERY = "all"
"""What a refusal's topic may say instead of nothing."""

_SLUG = r"^[a-z][a-z0-9_-]*$"
_SCOPE = r"^(all|marketing|topic:[a-z0-9][a-z0-9_-]*)$"
_REFERENCE = r"^[^:]+:.+$"


def said_frame(objects: Sequence[T], of: type[T]) -> pl.DataFrame:
    """A row for each object, with its attributes for columns."""
    names = [each.name for each in attrs.fields(of)]
    schema = {name: INSTANT if name in _INSTANTS else pl.String for name in names}
    try:
        return pl.DataFrame({name: [getattr(one, name) for one in objects] for name in names}, schema=schema)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        message = (
            f"a {of.__name__.lower()} holds a value of the wrong type, or half a surrogate pair, which is no "
            "character; correct it and record again"
        )
        raise RejectedError(message) from error


def typed_said(frame: pl.DataFrame, columns: Iterable[str], zone: str | None) -> pl.DataFrame:
    """The frame with all of these columns and ``__problem``; text that is not there is empty; other columns stay.

    A refusal is read as widely as it may be meant; a suppression without a scope has that of its reason, and an e-mail
    address that stands behind a name is read without it.

    Args:
        frame: has some of them.
        columns: CONSENT_COLUMNS, PREFERENCE_COLUMNS or SUPPRESSION_COLUMNS.
        zone: how to read times without an offset; None refuses them.

    Raises:
        RejectedError: a column holds what it cannot.
    """
    converters: Mapping[str, convert.Converter] = {
        name: (lambda column: convert.instants(column, zone)) if name in _INSTANTS else convert.text for name in columns
    }
    schema = {name: INSTANT if name in _INSTANTS else pl.String() for name in columns}
    typed = typed_frame(frame, converters, schema)
    filled = typed.with_columns(pl.col(name).fill_null("") for name in columns if name not in _INSTANTS)
    if "act" in schema:
        return _widened(filled)
    return _scoped(filled) if "scope" in schema else filled


def _widened(consents: pl.DataFrame) -> pl.DataFrame:
    """Refusals without what matters to grants alone; and of every topic, where they name none that could be meant."""
    refusal = pl.col("act").is_in(REFUSALS)
    if not consents.select(refusal.any()).item():
        return consents
    named = pl.col("topic").str.strip_chars().str.to_lowercase()
    topic = pl.when(named.str.contains(_SLUG) & (named != _EVERY)).then(named).otherwise(pl.lit(""))
    known = pl.col("basis").is_in(get_args(LawfulBasis)) & (pl.col("basis") != "soft_opt_in")
    nothing = {
        "topic": topic,
        "basis": pl.when(known).then("basis").otherwise(pl.lit("")),
        "address": pl.when(pl.col("medium") != "").then("address").otherwise(pl.lit("")),
        "expires_at": pl.lit(None, INSTANT),
    }
    return consents.with_columns(
        pl.when(refusal).then(wide).otherwise(name).alias(name) for name, wide in nothing.items()
    )


def _scoped(suppressions: pl.DataFrame) -> pl.DataFrame:
    narrow = pl.when(pl.col("reason").is_in(NARROW_REASONS)).then(pl.lit("marketing")).otherwise(pl.lit("all"))
    return suppressions.with_columns(
        pl.when(pl.col("scope") == "").then(narrow).otherwise("scope").alias("scope"),
        named_address(pl.col("medium"), pl.col("address")).alias("address"),
    )


def consent_rules(now: datetime, frame: pl.DataFrame, media: Media) -> list[Rule]:
    """The rules for rows of typed consents by themselves."""
    act, medium, topic, basis = (pl.col(name) for name in ("act", "medium", "topic", "basis"))
    gives = act.is_in(["grant", "confirm"])
    proof = (pl.col("method") != "") & (pl.col("source") != "") & (
        (pl.col("wording") != "") | (pl.col("evidence") != "")
    )  # fmt: skip
    soft = basis == "soft_opt_in"
    return [
        *identity_rules("customer"),
        *text_rules(name for name in CONSENT_COLUMNS if name not in _INSTANTS),
        _one_of("act", get_args(ConsentAct)),
        *time_rules(now),
        (~basis.is_in(["", *get_args(LawfulBasis)]), f"the basis is not {' or '.join(get_args(LawfulBasis))}"),
        *_medium_rules(frame, media),
        (
            (topic != "") & ~topic.str.contains(_SLUG),
            "the topic is no campaign's: lower-case letters, digits, underscores and hyphens",
        ),
        (gives & (medium == ""), "permission is given for each medium, and none is named"),
        (
            gives & ~proof,
            "there is no proof: a grant or a confirmation needs method, source, and wording or evidence",
        ),
        (
            (act == "grant") & soft & ~pl.col("evidence").str.contains(_REFERENCE),
            "a soft opt-in must name the order that it rests on as evidence, as SOURCE:ID",
        ),
        (soft & (act != "grant"), "only a grant can be a soft opt-in"),
        ((pl.col("address") != "") & (medium == ""), "an address is named without its medium"),
        *_address_rules(gives),
        *_bounds("expires_at", "the end of the grant"),
        ((act == "grant") & (pl.col("expires_at") <= pl.col("at")), "the grant ends before it begins"),
    ]


def preference_rules(now: datetime) -> list[Rule]:
    """The rules for rows of typed preferences by themselves."""
    return [
        *identity_rules("customer"),
        *text_rules(("wish", "source", "actor")),
        _one_of("wish", get_args(Wish)),
        *time_rules(now),
        *_bounds("ask_again_at", "the time of the next asking"),
    ]


def suppression_rules(now: datetime, frame: pl.DataFrame, media: Media) -> list[Rule]:
    """The rules for rows of typed suppressions by themselves; an address need not be one that could be kept."""
    return [
        (pl.col("medium") == "", "there is no medium"),
        *_medium_rules(frame, media),
        (
            pl.col("medium") == TASK_MEDIUM,
            "a task goes to no address of the customer's; record an objection on the medium task instead",
        ),
        (pl.col("address").str.strip_chars() == "", "there is no address"),
        one_address_rule(pl.col("medium"), pl.col("address")),
        *text_rules(("medium", "address", "scope", "reason", "source", "actor")),
        (
            (pl.col("scope") != "") & ~pl.col("scope").str.contains(_SCOPE),
            "the scope is not all, marketing, or topic: and the topic's name",
        ),
        _one_of("reason", get_args(SuppressionReason)),
        (pl.col("reason") == "erased", "the reason erased is only of those who are forgotten; use `relate forget`"),
        *time_rules(now),
    ]


def said_rules(what: str, now: datetime, frame: pl.DataFrame, media: Media) -> list[Rule]:
    """The rules for typed rows of consents, preferences or suppressions."""
    if what == "consents":
        return consent_rules(now, frame, media)
    return preference_rules(now) if what == "preferences" else suppression_rules(now, frame, media)


def _one_of(name: str, known: Sequence[str]) -> Rule:
    return ~pl.col(name).is_in(list(known)), f"the {name} is not one of {', '.join(known)}"


def _medium_rules(frame: pl.DataFrame, media: Media) -> list[Rule]:
    named = [each for each in frame["medium"].unique() if each]
    strange = media_problems(named, media)
    told = pl.col("medium").replace_strict(strange, default="", return_dtype=pl.String) if strange else pl.lit("")
    return [(pl.col("medium").is_in(list(strange)), told)]


def _address_rules(gives: pl.Expr) -> list[Rule]:
    """Only permission is for one address; a refusal is for all of them, whatever it names."""
    address = pl.when(gives & (pl.col("address") != "")).then(pl.col("address"))
    problem = address_problem(pl.col("medium"), address)
    return [(problem.is_not_null(), problem)]


def _bounds(name: str, words: str) -> list[Rule]:
    at = pl.col(name)
    return [((at < EARLIEST) | (at >= LATEST), f"{words} is not in the years {EARLIEST.year} to {LATEST.year - 1}")]
