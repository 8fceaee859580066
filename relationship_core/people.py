"""Two subjects of a project beside its steps: who is who, and who is a contact of which account."""

from __future__ import annotations

from datetime import datetime

from relationship_core import arguments
from relationship_core.flow import accounts, identities
from relationship_core.flow.accounts import Account, Contact
from relationship_core.flow.identities import Candidates, Identity, Merge
from relationship_core.project import Project


class Identities:
    """Who is who in a project: ``Relationships.identities``."""

    def __init__(self, project: Project) -> None:
        """Take the project."""
        self._project = project

    def merge(self, customer: str, *, into: str, actor: str = "", reason: str = "") -> Merge:
        """Make a customer's id stand for another one's, which survives: their numbers add up.

        Args:
            customer: the id that is merged.
            into: the id that stays, or one that was merged into it.
            actor: who decides it.
            reason: why.

        Raises:
            RejectedError: there is no such id; both are one customer already; or one is a person and one an account.
            RetriableError: the same message is being sent to both of them right now.
            ConfigurationError: a measure is new or has changed since history was folded.
        """
        return identities.merge(
            self._project.recording(),
            arguments.customer_id(customer),
            arguments.text(into, "into", "a customer's id, as text"),
            **_said(actor, reason),
        )

    def link(self, id: str, *, to: str, actor: str = "", reason: str = "") -> Merge:
        """Make an id that nobody has yet stand for a customer, so that whatever comes under it is theirs.

        Args:
            id: the new id, such as the one that another system has for them.
            to: the customer.
            actor: who decides it.
            reason: why.

        Raises:
            RejectedError: the id is a customer's already, or cannot be one; or there is no such customer.
            ConfigurationError: a measure is new or has changed since history was folded.
        """
        return identities.link(
            self._project.recording(),
            arguments.text(id, "id", "a customer's id, as text"),
            arguments.text(to, "to", "a customer's id, as text"),
            **_said(actor, reason),
        )

    def unmerge(self, customer: str, *, actor: str = "", reason: str = "") -> Merge:
        """Make a merged id a customer of its own again: each gets back exactly what is theirs.

        Args:
            customer: the merged id.
            actor: who decides it.
            reason: why.

        Raises:
            RejectedError: there is no such id, or it is not merged.
            ConfigurationError: a measure is new or has changed since history was folded.
        """
        return identities.unmerge(self._project.recording(), arguments.customer_id(customer), **_said(actor, reason))

    def show(self, customer: str) -> Identity:
        """Who has an id, under which others they are known, and how that came about.

        Raises:
            RejectedError: nobody has that id.
        """
        return identities.identity(self._project.store, arguments.customer_id(customer))

    def candidates(self) -> Candidates:
        """Customers who may be one, with the reason. Nobody is merged.

        They share an e-mail address, a telephone number, or name and postal address. A telephone number without a
        country code is taken for one of its customer's country, or of the project's.
        """
        return identities.candidates(self._project.store, self._project.settings.project.country)


def _said(actor: str, reason: str) -> dict[str, str]:
    return {"actor": arguments.text(actor, "actor"), "reason": arguments.text(reason, "reason")}


class Accounts:
    """Who is a contact of which account: ``Relationships.accounts``."""

    def __init__(self, project: Project) -> None:
        """Take the project."""
        self._project = project

    def link(self, account: str, customer: str, *, role: str = "", since: datetime | None = None) -> Contact:
        """Make a customer a contact of an account, or say anew in which role and since when.

        Args:
            account: the account's id; a customer becomes an account with the first contact.
            customer: the contact's id.
            role: what they are there, such as ``buyer``.
            since: from when on their history counts for the account; all of it when None.

        Raises:
            RejectedError: there is no such id, both are one, a contact is an account itself, or the time is not in
                history.
            ConfigurationError: a measure is new or has changed since history was folded.
        """
        return accounts.link(
            self._project.recording(),
            arguments.text(account, "account", "an account's id, as text"),
            arguments.customer_id(customer),
            role=arguments.text(role, "role"),
            since=arguments.instant(since, "since"),
        )

    def unlink(
        self, account: str, customer: str, *, until: datetime | None = None, mistaken: bool = False
    ) -> tuple[Contact, ...]:
        """End a link: what the contact does from then on counts for the account no more.

        Args:
            account: the account's id.
            customer: the contact's id.
            until: when they left; the present when None.
            mistaken: true where they never were a contact, so that nothing of theirs counts for the account.

        Raises:
            RejectedError: they are no contact of this account, or were none yet at that time.
            ConfigurationError: a measure is new or has changed since history was folded.
        """
        return accounts.unlink(
            self._project.recording(),
            arguments.text(account, "account", "an account's id, as text"),
            arguments.customer_id(customer),
            until=arguments.instant(until, "until"),
            mistaken=arguments.yes_or_no(mistaken, "mistaken"),
        )

    def show(self, customer: str) -> Account:
        """The contacts of an account, or the accounts of a contact.

        Raises:
            RejectedError: nobody has that id.
        """
        return accounts.account(self._project.store, arguments.customer_id(customer))
