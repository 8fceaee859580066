"""Rendering: a queued message and what is known about its customer, to a message ready for its channel."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import repeat

from attrs import field, frozen

from relationship_core.chosen import assignees_of, variants_of
from relationship_core.columns import CUSTOMERS, Page
from relationship_core.config.project import ProjectSettings
from relationship_core.errors import ConfigurationError, RejectedError, nearest
from relationship_core.flow.catalog import Catalog
from relationship_core.flow.offers.templates import check_offer, offer_names, offer_words
from relationship_core.flow.permission.links import Links, link_names, link_words
from relationship_core.flow.standing import Moment, standing
from relationship_core.flow.united import ties_of
from relationship_core.model.campaign import Action, Campaign, Variant
from relationship_core.model.engagement import Engagement
from relationship_core.model.message import Message
from relationship_core.model.words import LINKS
from relationship_core.ports import Renderer, Store

Row = Mapping[str, object]

_PROFILE = ("name", "locale", "country", "attributes")


@frozen(kw_only=True)
class Studio:
    """What rendering needs beside the message.

    Attributes:
        renderer: the template language.
        catalog: the columns that templates may name as ``facts.<column>``.
        project: name, sender and postal address.
        moment: the instant that these columns are as of.
        salt: the project's, which codes of coupons and links are made with; empty where nothing is sent and a sample
            is shown.
    """

    renderer: Renderer
    catalog: Catalog
    project: ProjectSettings
    moment: Moment
    salt: str = field(default="", repr=False)

    @property
    def links(self) -> Links:
        """Where the links of its messages lead."""
        return Links(base=self.project.links, salt=self.salt)


def columns_named(variant: Variant, renderer: Renderer) -> frozenset[str]:
    """The columns that a variant's templates name as ``facts.<column>``."""
    return columns_in(_templates(variant), renderer)


def columns_in(templates: Iterable[str], renderer: Renderer) -> frozenset[str]:
    """The columns that templates name as ``facts.<column>``."""
    try:
        paths = [path.split(".") for template in templates for path in renderer.variables(template)]
    except Exception:  # noqa: BLE001  a template that cannot be read fails where it is rendered, its message alone
        return frozenset()
    return frozenset(path[1] for path in paths if path[0] == "facts" and len(path) > 1)


def _templates(variant: Variant) -> tuple[str, str, str]:
    return variant.subject, variant.text, variant.html


def known_of(store: Store, studio: Studio, customers: Sequence[str], names: frozenset[str]) -> Mapping[str, Row]:
    """What is known of these customers, by id; of one that was merged, what is known of the survivor.

    The profile, the stage, and under ``facts`` the named columns that have a value.
    """
    ties = ties_of(store)
    page = Page.of(map(ties.survivor, customers))
    named = sorted(names & studio.catalog.types.keys())
    frame = standing(store, studio.catalog, page, frozenset(named) | {"stage"}, studio.moment)
    profiles = store.read(CUSTOMERS, page=page, columns=["customer", *_PROFILE])
    joined = frame.select("customer", "stage").join(profiles, on="customer", how="left", maintain_order="left")
    facts = frame.select(named).iter_rows() if named else repeat(())
    known = {
        customer: {
            "stage": stage,
            **dict(zip(_PROFILE, profile, strict=True)),
            "facts": {name: _readable(value) for name, value in zip(named, values, strict=True) if value is not None},
        }
        for (customer, stage, *profile), values in zip(joined.iter_rows(), facts, strict=False)
    }
    return {each: known[ties.survivor(each)] for each in customers}


def variant_of(campaign: Campaign, row: Row) -> Variant:
    """The variant that the plan chose for a queued message."""
    return _action(campaign, str(row["action"])).variants[int(str(row["variant"]))]


def _action(campaign: Campaign, name: str) -> Action:
    return next(action for action in campaign.actions if action.name == name)


def rendered(row: Row, variant: Variant, campaign: Campaign, known: Row, studio: Studio) -> Message:
    """One message, filled in.

    Raises:
        RejectedError: a template names what is not known about this customer.
    """
    context = {
        **message_context(row, campaign, known, studio.project),
        **offer_words(
            campaign.offer, str(row["id"]), salt=studio.salt, moment=studio.moment, currency=studio.project.currency
        ),
    }
    id, now, links = str(row["id"]), studio.moment.now, studio.links
    if any(LINKS in template for template in _templates(variant)):
        context |= link_words(links, id, now)
    render = studio.renderer.render
    subject = render(variant.subject, context, html=False)
    if "\n" in subject or "\r" in subject:
        message = f"the subject of campaign {campaign.name!r} came out with a line break; keep it on one line"
        raise RejectedError(message)
    return Message(
        id=id,
        engagement=Engagement(
            campaign=campaign.name,
            action=str(row["action"]),
            customer=str(row["customer"]),
            occasion=str(row["occasion"]),
        ),
        channel=str(row["channel"]),
        address=str(row["address"]),
        recipient=str(known["name"] or ""),
        locale=variant.locale,
        subject=subject,
        text=render(variant.text, context, html=False),
        html=render(variant.html, context, html=True) if variant.html else "",
        at=now,
        country=_text_or_none(known["country"]),
        expires_at=_instant_or_none(row.get("expires_at")),
        attachments=tuple(each.attachment for each in variant.attachments),
        unsubscribe=links.of(id, "unsubscribe", now) if campaign.purpose == "marketing" else "",
    )


def _text_or_none(value: object) -> str | None:
    return str(value) if value else None


def _instant_or_none(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None


def message_context(row: Row, campaign: Campaign, known: Row, project: ProjectSettings) -> Mapping[str, object]:
    """What templates may name: customer, stage, occasion, campaign, project and facts."""
    attributes = json.loads(str(known["attributes"])) if known["attributes"] else {}
    occasion = campaign.occasion_of(str(row["action"]))
    return {
        "customer": {
            **attributes,
            "id": row["customer"],
            "name": known["name"] or "",
            "locale": known["locale"],
            "country": known["country"],
        },
        "stage": known["stage"],
        "occasion": {"name": occasion.name, "key": row["occasion"]},
        "campaign": {"name": campaign.name, "owner": campaign.owner},
        "project": {
            "name": project.name,
            "sender": project.sender,
            "postal_address": project.postal_address,
            "currency": project.currency,
        },
        "facts": known["facts"],
    }


def known_variables(catalog: Catalog, links: str = "") -> Mapping[str, frozenset[str]]:
    """What templates may name of every customer: its names, each with the names in it."""
    attributes = {name for name, column in catalog.columns.items() if column.origin == "attribute"}
    return {
        "customer": frozenset({"id", "name", "locale", "country", *attributes}),
        "stage": frozenset(),
        "occasion": frozenset({"name", "key"}),
        "campaign": frozenset({"name", "owner"}),
        "project": frozenset({"name", "sender", "postal_address", "currency"}),
        "facts": frozenset(catalog.types),
        **link_names(links),
    }


def check_variables(campaign: Campaign, renderer: Renderer, catalog: Catalog, links: str = "") -> None:
    """Refuse templates that name what no customer has.

    Raises:
        ConfigurationError: a template does not parse, names a variable that there is not, or an offer that its campaign
            does not carry; or none tells of the offer that it does.
    """
    check_offer(campaign, renderer)
    known = known_variables(catalog, links)
    offered = {**known, **offer_names(campaign.offer)}
    said = [(where, template, offered) for where, variant in variants_of(campaign) for template in _templates(variant)]
    assigned = [(where, template, known) for where, template in assignees_of(campaign)]
    for where, template, names in [*said, *assigned]:
        for path in sorted(renderer.variables(template)):
            _check_variable(path, names, where)


def _check_variable(path: str, known: Mapping[str, frozenset[str]], where: str) -> None:
    root, *inside = path.split(".")
    if root == LINKS and LINKS not in known:
        message = (
            f"{where}: the template names {path!r}, and the project has no address for links; give one as "
            "[project] links, or leave the link out"
        )
        raise ConfigurationError(message)
    if root not in known:
        names = [*known, *(f"{each}.{name}" for each in known for name in sorted(known[each]))]
        message = (
            f"{where}: the template names {path!r}, and there is no {root!r}{nearest(path, names)}; "
            f"templates know {', '.join(known)}"
        )
        raise ConfigurationError(message)
    if root == "facts" and not inside:
        message = f"{where}: the template names 'facts' without a column; name one, such as 'facts.orders'"
        raise ConfigurationError(message)
    if known[root] and not inside:
        such_as = f"{root}.{min(known[root])}"
        message = f"{where}: the template names {root!r} alone; name one of it, such as {such_as}"
        raise ConfigurationError(message)
    if known[root] and inside[0] not in known[root]:
        listed = f"it has {', '.join(sorted(known[root]))}"
        also = "the reference of measures lists the columns there are" if root == "facts" else listed
        message = (
            f"{where}: the template names {root + '.' + inside[0]!r}, and {root} has no {inside[0]!r}"
            f"{nearest(inside[0], sorted(known[root]))}; {also}"
        )
        raise ConfigurationError(message)


def _readable(value: object) -> object:
    """Numbers without a fraction as integers, dates in ISO form."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value
