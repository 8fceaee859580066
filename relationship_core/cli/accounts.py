"""``relate account``: who is a contact of which firm."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relationship_core.cli.documents import attributes, print_document
from relationship_core.cli.project import instant_option, json_option, project_options

if TYPE_CHECKING:
    from relationship_core import Account, Contact, Relationships


@click.group()
def account() -> None:
    """Say who is a contact of which firm.

    An account is a customer with contacts. What they do counts for them and for the account, whose numbers, stage
    and messages are those of any customer.
    """


@account.command()
@click.argument("account")
@click.argument("customer")
@click.option("--role", default="", metavar="TEXT", help="What they are there, such as buyer.")
@instant_option("--since", help="From when on their history counts for the account. [default: all of it]")
@json_option
@project_options
def link(folder: Path, account: str, customer: str, role: str, since: datetime | None, *, as_json: bool) -> None:
    """Make a customer a contact of an account.

    ACCOUNT and CUSTOMER are ids of this project. A link that is there already takes the role and the beginning that
    are told. The account is judged anew by the next review.
    """
    from relationship_core import Relationships
    from relationship_core.cli.show import clean

    with Relationships.open(folder) as relationships:
        done = relationships.accounts.link(account, customer, role=role, since=since)
    if as_json:
        print_document(attributes(done))
    else:
        click.echo(clean(f"{customer} is a contact of {account}; `relate review` judges the account anew."))


@account.command()
@click.argument("account")
@click.argument("customer")
@instant_option("--until", help="When they left. [default: now]")
@click.option("--mistaken", is_flag=True, help="They never were a contact: nothing of theirs counts for the account.")
@json_option
@project_options
def unlink(folder: Path, account: str, customer: str, until: datetime | None, *, mistaken: bool, as_json: bool) -> None:
    """End a link between an account and a contact.

    What they did as a contact stays with the account, unless the link was a mistake.
    """
    from relationship_core import Relationships
    from relationship_core.cli.show import clean

    with Relationships.open(folder) as relationships:
        ended = relationships.accounts.unlink(account, customer, until=until, mistaken=mistaken)
    if as_json:
        print_document({"account": account, "customer": customer, "mistaken": mistaken, "ended": ended})
    else:
        never = "never was" if mistaken else "is no longer"
        click.echo(clean(f"{customer} {never} a contact of {account}; `relate review` judges the account anew."))


@account.command()
@click.argument("id")
@json_option
@project_options
def show(folder: Path, id: str, *, as_json: bool) -> None:
    """Show the contacts of an account, or the accounts of a contact."""
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        found = relationships.accounts.show(id)
        if as_json:
            print_document(attributes(found))
        else:
            _show(found, relationships)


COMMANDS = {"account": account}


def _show(found: Account, relationships: Relationships) -> None:
    from relationship_core.cli.show import clean, console, table

    zone = relationships.settings.project.zone
    out = console()
    if found.contacts:
        rows = [(each.customer, *_link(each, zone)) for each in found.contacts]
        out.print(table(f"Contacts of {clean(found.customer)}", ("contact", "role", "since", "until"), rows))
    if found.accounts:
        rows = [(each.account, *_link(each, zone)) for each in found.accounts]
        out.print(table(f"Accounts of {clean(found.customer)}", ("account", "role", "since", "until"), rows))
    if not found.contacts and not found.accounts:
        click.echo(clean(f"{found.customer} is no account and no contact; `relate account link` makes one of each."))


def _link(contact: Contact, zone: str) -> tuple[str, str, str]:
    from relationship_core.cli.show import when

    since = when(contact.since, zone) if contact.since else "always"
    return contact.role, since, when(contact.until, zone) if contact.until else ""
