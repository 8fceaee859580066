"""``relate identity``: who is one customer under several ids, and who may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from relationship_core.cli.documents import attributes, print_document
from relationship_core.cli.project import actor_option, json_option, project_options

if TYPE_CHECKING:
    from relationship_core import Candidates, Identity, Merge, Relationships

F = TypeVar("F", bound=Callable[..., Any])

_UNCOMPARED_SHOWN = 10


def _log_options(command: F) -> F:
    reason = click.option("--reason", default="", metavar="TEXT", help="Why; kept in the log.")
    return actor_option(reason(command))


@click.group()
def identity() -> None:
    """Say who is one customer under several ids.

    What came under a merged id counts for the survivor, and keeps that id, so that every merge can be taken apart
    again.
    """


@identity.command()
@click.argument("id")
@click.option("--into", required=True, metavar="SURVIVOR", help="The customer who stays, with the id that stays.")
@_log_options
@json_option
@project_options
def merge(folder: Path, id: str, into: str, actor: str, reason: str, *, as_json: bool) -> None:
    """Make the id of one customer stand for another one.

    The numbers of both add up, no message reaches them twice, and the survivor is judged anew by the next review;
    until then it keeps its stage. ID stands for the survivor in every command, file and program from then on.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        done = relationships.identities.merge(id, into=into, actor=actor, reason=reason)
    _tell(done, f"{done.customer} is {done.survivor} from now on; `relate review` judges anew.", as_json=as_json)


@identity.command()
@click.argument("id")
@click.option("--to", required=True, metavar="CUSTOMER", help="The customer whose id it is as well.")
@_log_options
@json_option
@project_options
def link(folder: Path, id: str, to: str, actor: str, reason: str, *, as_json: bool) -> None:
    """Make an id that nobody has yet stand for a customer.

    For the id that another system has for somebody, before anything comes under it. ID is told apart again with
    `relate identity unmerge`.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        done = relationships.identities.link(id, to=to, actor=actor, reason=reason)
    _tell(done, f"Whatever comes under {done.customer} is for {done.survivor}.", as_json=as_json)


@identity.command()
@click.argument("id")
@_log_options
@json_option
@project_options
def unmerge(folder: Path, id: str, actor: str, reason: str, *, as_json: bool) -> None:
    """Make a merged id a customer of its own again.

    Both get back exactly what came under their own ids, before the merge and since. ID is the id that was merged.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        done = relationships.identities.unmerge(id, actor=actor, reason=reason)
    told = f"{done.customer} and {done.survivor} are two customers again; `relate review` judges both anew."
    _tell(done, told, as_json=as_json)


@identity.command()
@json_option
@project_options
def candidates(folder: Path, *, as_json: bool) -> None:
    """List customers who may be one, with the reason.

    They share an e-mail address, a telephone number, or name and postal address. Nobody is merged: families share
    telephones, and `relate identity merge` is for who knows. A telephone number without a country code is taken for
    one of its customer's country, or else of the country that [project] names.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        found = relationships.identities.candidates()
    if as_json:
        print_document(attributes(found))
    else:
        _show_candidates(found)


@identity.command()
@click.argument("id")
@json_option
@project_options
def show(folder: Path, id: str, *, as_json: bool) -> None:
    """Show who has an id, their other ids, and how that came about."""
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        who = relationships.identities.show(id)
        if as_json:
            print_document(attributes(who))
        else:
            _show(who, id, relationships)


COMMANDS = {"identity": identity}


def _tell(done: Merge, told: str, *, as_json: bool) -> None:
    if as_json:
        print_document(attributes(done))
        return
    from relationship_core.cli.show import clean

    click.echo(clean(told))


def _show(who: Identity, asked: str, relationships: Relationships) -> None:
    from relationship_core.cli.show import clean, console, table, when

    zone = relationships.settings.project.zone
    if asked != who.customer:
        click.echo(clean(f"{asked} is {who.customer}."))
    click.echo(clean(f"Other ids of {who.customer}: {', '.join(who.aliases) or 'none'}."))
    if who.merges:
        rows = [
            (when(each.at, zone), each.act, each.customer, each.survivor, each.actor, each.reason)
            for each in who.merges
        ]
        console().print(table("Merges", ("when", "what", "id", "survivor", "by", "because"), rows))


def _show_candidates(found: Candidates) -> None:
    from relationship_core.cli.show import console, table

    if found.found:
        rows = [(", ".join(each.customers), ", ".join(each.reasons)) for each in found.found]
        console().print(table("Who may be one customer", ("ids", "because of"), rows))
        click.echo("Nobody was merged; `relate identity merge ID --into SURVIVOR` merges.")
    else:
        click.echo("Nobody shares an e-mail address, a telephone number, or name and postal address with another.")
    for line in _uncompared(found):
        click.echo(line)


def _uncompared(found: Candidates) -> Iterator[str]:
    from relationship_core.cli.show import clean, counted

    if not found.uncompared:
        return
    yield f"{counted(len(found.uncompared), 'telephone number')} could not be compared:"
    for each in found.uncompared[:_UNCOMPARED_SHOWN]:
        yield f"  {clean(each.customer)}: {each.reason}"
    if len(found.uncompared) > _UNCOMPARED_SHOWN:
        yield f"  and {len(found.uncompared) - _UNCOMPARED_SHOWN:,} more; --json lists all"
