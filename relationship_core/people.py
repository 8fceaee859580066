"""Subjects of a project beside its steps: who is who, who is a contact of which account, and who permits what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from relationship_core import arguments, steps
from relationship_core.flow.progress import Listener, silent
from relationship_core.flow.record.rows import Said

if TYPE_CHECKING:
    import polars as pl

    from relationship_core.flow.accounts import Account, Contact
    from relationship_core.flow.identities import Candidates, Identity, Merge
    from relationship_core.flow.permission.view import PermissionView
    from relationship_core.flow.record.recorder import Recorded
    from relationship_core.model.permission import Consent, Preference, Suppression
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
        from relationship_core.flow.identities import merge

        return merge(
            self._project.recording(),
            arguments.customer_id(customer),
            arguments.text(into, "into", "a customer's id, as text"),
            **said(actor, reason),
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
        from relationship_core.flow.identities import link

        return link(
            self._project.recording(),
            arguments.text(id, "id", "a customer's id, as text"),
            arguments.text(to, "to", "a customer's id, as text"),
            **said(actor, reason),
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
        from relationship_core.flow.identities import unmerge

        return unmerge(self._project.recording(), arguments.customer_id(customer), **said(actor, reason))

    def show(self, customer: str) -> Identity:
        """Who has an id, under which others they are known, and how that came about.

        Raises:
            RejectedError: nobody has that id.
        """
        from relationship_core.flow.identities import identity

        return identity(self._project.store, arguments.customer_id(customer))

    def candidates(self) -> Candidates:
        """Customers who may be one, with the reason. Nobody is merged.

        They share an e-mail address, a telephone number, or name and postal address. A telephone number without a
        country code is taken for one of its customer's country, or of the project's.
        """
        from relationship_core.flow.identities import candidates

        return candidates(self._project.store, self._project.settings.project.country)


def said(actor: str, reason: str) -> dict[str, str]:
    """Who does something and why, for the log."""
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
        from relationship_core.flow.accounts import link

        return link(
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
        from relationship_core.flow.accounts import unlink

        return unlink(
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
        from relationship_core.flow.accounts import account

        return account(self._project.store, arguments.customer_id(customer))


class Permissions:
    """What customers allow and wish, and addresses not to use: ``Relationships.permissions``."""

    def __init__(self, project: Project) -> None:
        """Take the project."""
        self._project = project

    def record_consents(self, consents: Iterable[Consent] | pl.DataFrame) -> Recorded:
        """Keep acts of consent, each once.

        A frame has the columns ``customer``, ``act`` and ``at``, and may have the other attributes of Consent.

        Raises:
            RejectedError: one cannot be kept: its customer is unknown, it lacks its proof, the order of a soft opt-in
                is not recorded, or its id is that of another act. Nothing of the batch was.
        """
        from relationship_core.flow.record.said import record_said
        from relationship_core.model.permission import Consent

        return record_said(
            self._project.recording(), "consents", arguments.records(consents, Consent, "consent"), Consent
        )

    def record_preferences(self, preferences: Iterable[Preference] | pl.DataFrame) -> Recorded:
        """Keep which relationship customers want, each answer once.

        A frame has the columns ``customer``, ``wish`` and ``at``, and may have the other attributes of Preference.

        Raises:
            RejectedError: one cannot be kept, such as that of an unknown customer; nothing of the batch was.
        """
        from relationship_core.flow.record.said import record_said
        from relationship_core.model.permission import Preference

        given = arguments.records(preferences, Preference, "preference")
        return record_said(self._project.recording(), "preferences", given, Preference)

    def suppress(self, suppressions: Iterable[Suppression] | pl.DataFrame) -> Recorded:
        """Note addresses that are not used any more, whoever has them; only their keyed hashes are kept.

        A frame has the columns ``medium``, ``address``, ``reason`` and ``at``, and may have the other attributes of
        Suppression.

        Raises:
            RejectedError: one cannot be kept; nothing of the batch was.
        """
        from relationship_core.flow.record.said import record_said
        from relationship_core.model.permission import Suppression

        given = arguments.records(suppressions, Suppression, "suppression")
        return record_said(self._project.recording(), "suppressions", given, Suppression)

    def unsuppress(self, medium: str, address: str, *, scope: str | None = None, actor: str) -> int:
        """Use an address again; how many suppressions were lifted. Who did it, and when, is kept.

        Args:
            medium: the kind of contact point.
            address: the address.
            scope: only the suppression with this scope; None for all.
            actor: who decides it.

        Raises:
            RejectedError: it is not suppressed, nobody says who decides it, or its owner was erased.
        """
        from relationship_core.flow.record.suppressions import lift

        return lift(
            self._project.recording(),
            arguments.text(medium, "medium", "a kind of contact point, as text"),
            arguments.text(address, "address", "an address, as text"),
            scope=arguments.optional_text(scope, "scope", "a scope, as text"),
            actor=arguments.text(actor, "actor", "the name of whoever decides it, as text"),
        )

    def import_file(
        self,
        what: Said,
        path: Path | str,
        *,
        columns: Mapping[str, str] | None = None,
        source: str | None = None,
        zone: str | None = None,
        rejects: Path | str | None = None,
        progress: Listener = silent,
    ) -> Recorded:
        """Record a CSV, Parquet or JSON lines file; what cannot be kept goes to a file of rejects.

        Args:
            what: consents, preferences or suppressions.
            path: the file; its extension says how to read it.
            columns: the file's column for each of ours that is called otherwise there.
            source: the source, where no column says it.
            zone: the zone of times that have none.
            rejects: where rejected rows go; beside the file when None.
            progress: told how many rows are done.

        Raises:
            ConfigurationError: the file is not there, a named column is not in it, or there is no such zone.
            RejectedError: the file cannot be read at all, or lacks a column.
            UnsupportedError: no file with this extension can be read.
        """
        from relationship_core.flow.record.presets import How

        how = How(
            what=arguments.said(what),
            columns=arguments.columns(columns) or {},
            source=arguments.optional_text(source, "source"),
            zone=arguments.optional_text(zone, "zone", "the name of a time zone, as text"),
            rejects=arguments.optional_path(rejects, "rejects"),
        )
        return steps.import_from(self._project, arguments.path(path, "path"), how, arguments.listener(progress))

    def show(self, customer: str, *, as_of: datetime | None = None) -> PermissionView:
        """Where permission of one customer stands, with every act that proves it.

        Raises:
            RejectedError: nobody has that id.
        """
        from relationship_core.flow.permission.view import view_permission

        return view_permission(
            self._project.store,
            arguments.customer_id(customer),
            self._project.terms(keep=False),
            (campaign.topic for campaign in self._project.found.sound),
            self._project.moment(as_of).now,
        )
