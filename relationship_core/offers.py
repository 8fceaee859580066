"""Offers and who took them up, as a program has it: ``Relationships.offers``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from relationship_core import arguments

if TYPE_CHECKING:
    from relationship_core.flow.offers.view import OffersView
    from relationship_core.project import Project


class Offers:
    """What messages offered, and who took it up: ``Relationships.offers``."""

    def __init__(self, project: Project) -> None:
        """Take the project."""
        self._project = project

    def show(
        self, campaign: str | None = None, *, customer: str | None = None, as_of: datetime | None = None
    ) -> OffersView:
        """What became of the coupons that messages issued, by campaign; of one customer also each of them.

        Args:
            campaign: one campaign alone.
            customer: the coupons of one customer alone.
            as_of: what was known at that instant; the present when None.

        Raises:
            RejectedError: nobody has that id.
            ConfigurationError: no campaign of that name carries an offer, or ever did.
        """
        from relationship_core.flow.offers.view import view_offers

        return view_offers(
            self._project.store,
            self._project.found.sound,
            self._project.cost_terms.coupons,
            self._project.moment(as_of).now,
            campaign=arguments.optional_campaign_name(campaign),
            customer=arguments.optional_customer_id(customer),
        )
