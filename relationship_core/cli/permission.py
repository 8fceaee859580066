"""``relate consent``: who allows and wishes what, the proof of it, and addresses that are not used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from relationship_core import Consent, Preference, Suppression
from relationship_core.cli.documents import attributes, print_document
from relationship_core.cli.importing import columns_option, rejects_option, show_recorded
from relationship_core.cli.project import actor, as_of_option, following, instant_option, json_option, project_options

if TYPE_CHECKING:
    from relationship_core import ConsentEntry, PermissionView, Relationships

F = TypeVar("F", bound=Callable[..., Any])

_PERMIT = frozenset({"grant", "confirm"})
"""The acts that need a medium and their proof."""


def _act_options(command: F) -> F:
    """What every act of consent may say, and a permission has to."""
    permits = command.__name__ in _PERMIT
    needed: dict[str, Any] = {"required": True} if permits else {"default": ""}
    medium = "Such as email." if permits else "Such as email; without it every one."
    for option in reversed(
        (
            click.option("--medium", metavar="MEDIUM", help=medium, **needed),
            click.option("--topic", default="", metavar="TOPIC", help="As campaigns name it; without it every one."),
            instant_option("--at", help="When it was done. [default: now]"),
            click.option("--method", metavar="TEXT", help="How, such as web-form.", **needed),
            click.option("--source", metavar="NAME", help="The system that it comes from.", **needed),
            click.option("--wording", default="", metavar="TEXT", help="What the customer agreed to, or its name."),
            click.option("--version", default="", metavar="TEXT", help="Which version of the wording."),
            click.option("--evidence", default="", metavar="TEXT", help="What proves it."),
            click.option("--address", default="", metavar="ADDRESS", help="The one address that it is for."),
            click.option("--id", "id", default="", metavar="ID", help="Tells it from others. [default: its content]"),
        )
    ):
        command = option(command)
    return command


_actor_option = actor("enters")


def _act(command: F) -> F:
    """A command that records an act of consent which needs to say no more than every act may."""
    for option in (project_options, json_option, _actor_option, _act_options, click.argument("customer", metavar="ID")):
        command = option(command)
    return command


@click.group()
def consent() -> None:
    """Record and show who may be contacted, and who wants it.

    Marketing needs a consent on every medium but those of [consent] without; a withdrawal or an objection is obeyed
    on all of them, also by messages that wait in the outbox.
    """


@consent.command()
@click.argument("id")
@as_of_option
@json_option
@project_options
def show(folder: Path, id: str, as_of: datetime | None, *, as_json: bool) -> None:
    """Show where permission of one customer stands, and whether marketing may go to each of their addresses."""
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        view = relationships.permissions.show(id, as_of=as_of)
        if as_json:
            print_document(attributes(view))
        else:
            _show(view, id, relationships)


@consent.command()
@click.argument("id")
@json_option
@project_options
def proof(folder: Path, id: str, *, as_json: bool) -> None:
    """Print every act of consent of one customer with every field, oldest first."""
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        view = relationships.permissions.show(id)
    if as_json:
        print_document({"customer": view.customer, "acts": view.acts})
        return
    for line in _proof(view.acts):
        click.echo(line)


@consent.command()
@click.argument("customer", metavar="ID")
@_act_options
@click.option(
    "--basis", type=click.Choice(["consent", "soft_opt_in"]), default="consent", show_default=True, help="Its ground."
)
@click.option("--jurisdiction", default="", metavar="CODE", help="Whose law it was given under, such as DE.")
@instant_option("--expires-at", help="When it ends. [default: never]")
@_actor_option
@json_option
@project_options
def grant(folder: Path, *, as_json: bool, **said: Any) -> None:
    """Record that a customer allows marketing, with the proof.

    Permission is given for one medium. Its proof is how it was given (--method), the system that it comes from
    (--source), and what the customer agreed to (--wording) or what proves it (--evidence). A soft opt-in names the
    order that it rests on as evidence, as SOURCE:ID.
    """
    _record(folder, {"act": "grant", **said}, as_json=as_json)


@consent.command()
@_act
def confirm(folder: Path, *, as_json: bool, **said: Any) -> None:
    """Record the answer to the message of a double opt-in.

    It is for one medium, and has its proof as `relate consent grant` has.
    """
    _record(folder, {"act": "confirm", **said}, as_json=as_json)


@consent.command()
@_act
def withdraw(folder: Path, *, as_json: bool, **said: Any) -> None:
    """Record that a customer takes permission back; it acts at once.

    The customer must be known. The address of somebody else is held back with `relate consent suppress`.
    """
    _record(folder, {"act": "withdraw", **said}, as_json=as_json)


@consent.command(name="object")
@_act
def object_(folder: Path, *, as_json: bool, **said: Any) -> None:
    """Record that a customer objects to marketing; only their own later consent lifts it.

    The customer must be known. The address of somebody else is held back with `relate consent suppress`.
    """
    _record(folder, {"act": "object", **said}, as_json=as_json)


@consent.command()
@click.argument("id")
@click.argument("wish", type=click.Choice(["close", "occasional", "transactional", "none"]))
@instant_option("--at", help="When they said so. [default: now]")
@click.option("--source", default="", metavar="NAME", help="The system that it comes from.")
@instant_option("--ask-again-at", help="When they may be asked again. [default: as [preference] says]")
@_actor_option
@json_option
@project_options
def prefer(
    folder: Path,
    *,
    id: str,
    wish: Literal["close", "occasional", "transactional", "none"],
    at: datetime | None,
    source: str,
    ask_again_at: datetime | None,
    actor: str,
    as_json: bool,
) -> None:
    """Record which relationship a customer wants: close, occasional, transactional or none.

    With transactional nothing but service messages goes to them, and with none not even a thank-you.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        when = at or relationships.clock()
        relationships.permissions.show(id)
        said = Preference(customer=id, wish=wish, at=when, source=source, actor=actor, ask_again_at=ask_again_at)
        recorded = relationships.permissions.record_preferences([said])
    _tell(recorded.new, f"{id} wants: {wish}.", as_json=as_json, recorded=attributes(recorded))


@consent.command()
@click.argument("medium")
@click.argument("address")
@click.option(
    "--scope",
    default="",
    metavar="SCOPE",
    help="all, marketing, or topic: and the topic. [default: marketing for unsubscribe and complaint, otherwise all]",
)
@click.option(
    "--reason",
    type=click.Choice(["hard_bounce", "soft_bounces", "complaint", "unsubscribe", "stop", "manual"]),
    default="manual",
    show_default=True,
    help="Why.",
)
@click.option("--source", default="", metavar="NAME", help="The system that it comes from.")
@click.option(
    "--lift", is_flag=True, help="Use the address again instead: of every scope, or of the one that is named."
)
@_actor_option
@json_option
@project_options
def suppress(
    folder: Path,
    *,
    medium: str,
    address: str,
    scope: str,
    reason: Literal["hard_bounce", "soft_bounces", "complaint", "unsubscribe", "stop", "manual"],
    source: str,
    lift: bool,
    actor: str,
    as_json: bool,
) -> None:
    """Note an address that is not used any more, whoever has it.

    Only its keyed hash is kept. MEDIUM is email, sms, post or that of a channel. With --lift it is used again; an
    address whose owner was erased never is.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        if lift:
            number = relationships.permissions.unsuppress(medium, address, scope=scope or None, actor=actor)
            _tell(number, f"The {medium} address is used again.", as_json=as_json, recorded={"lifted": number})
            return
        said = Suppression(
            medium=medium,
            address=address,
            scope=scope,
            reason=reason,
            at=relationships.clock(),
            source=source,
            actor=actor,
        )
        recorded = relationships.permissions.suppress([said])
    told = f"The {medium} address is not used any more ({said.holds_back})."
    _tell(recorded.new, told, as_json=as_json, recorded=attributes(recorded))


@consent.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--what",
    type=click.Choice(["consents", "preferences", "suppressions"]),
    default="consents",
    show_default=True,
    help="What the rows are.",
)
@columns_option
@click.option("--source", help="The source, where no column says it.")
@click.option("--zone", help="The IANA time zone of times that have none.")
@rejects_option
@json_option
@project_options
def import_(
    folder: Path,
    *,
    what: Literal["consents", "preferences", "suppressions"],
    file: Path,
    columns: dict[str, str],
    source: str | None,
    zone: str | None,
    rejects: Path | None,
    as_json: bool,
) -> None:
    """Record a file of consents, of preferences or of suppressions.

    FILE is CSV, Parquet or JSON lines. The columns of consents are customer, act (grant, confirm, withdraw or object)
    and at, and where known medium, topic, basis, jurisdiction, wording, version, method, source, actor, evidence,
    address, expires_at and id; those of preferences are customer, wish and at, and where known source, actor and
    ask_again_at; those of suppressions are medium, address, reason and at, and where known scope, source and actor.

    What was recorded before is not recorded again. Rows that are refused go to a file, each with its reason; the
    others are kept. The exit status is 1 where rows were refused.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships, following() as progress:
        recorded = relationships.permissions.import_file(
            what, file, columns=columns, source=source, zone=zone, rejects=rejects, progress=progress
        )
    show_recorded(recorded, what, file, as_json=as_json)


COMMANDS = {"consent": consent}


def _record(folder: Path, said: dict[str, Any], *, as_json: bool) -> None:
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        act = Consent(**said | {"at": said["at"] or relationships.clock()})
        # An import knows people of another system; here a slip of the hand would make somebody up.
        relationships.permissions.show(act.customer)
        recorded = relationships.permissions.record_consents([act])
    of = f" on {act.medium}" if act.medium else " on every medium"
    about = f" about {act.topic}" if act.topic else ""
    told = f"Recorded: {act.customer}, {act.act}{of}{about}."
    _tell(recorded.new, told, as_json=as_json, recorded=attributes(recorded))


def _tell(new: int, told: str, *, as_json: bool, recorded: dict[str, Any]) -> None:
    if as_json:
        print_document(recorded)
        return
    from relationship_core.cli.show import clean

    click.echo(clean(told) if new else "That was recorded before; nothing was done.")


def _show(view: PermissionView, asked: str, relationships: Relationships) -> None:
    from relationship_core.cli.show import clean, console, table, when

    zone = relationships.settings.project.zone
    if asked != view.customer:
        click.echo(clean(f"{asked} is {view.customer}."))
    assumed = f" (not asked; {view.wish} is assumed)" if view.preference != view.wish else ""
    again = f" May be asked again from {when(view.ask_at, zone)}." if view.ask_at else ""
    click.echo(clean(f"{view.customer} wants: {view.preference}{assumed}.{again}"))
    out = console()
    if view.consents:
        rows = [
            (
                each.medium,
                each.address,
                each.topic or "any",
                each.state,
                "yes" if each.permitted else f"no: {each.reason}",
            )
            for each in view.consents
        ]
        out.print(table("Consent", ("medium", "address", "topic", "state", "marketing"), rows))
    else:
        click.echo("There is neither an address nor an act of consent.")
    held = [
        (each.medium, each.address, each.scope, each.reason, when(each.at, zone))
        for each in view.suppressions
        if each.lifted_at is None
    ]
    if held:
        out.print(table("Suppressed", ("medium", "address", "scope", "reason", "since"), held))
    if view.acts:
        click.echo(clean(f"`relate consent proof {view.customer}` prints what was recorded, with every field."))


def _proof(acts: Sequence[ConsentEntry]) -> Iterator[str]:
    from relationship_core.cli.show import clean, counted

    for number, act in enumerate(acts, 1):
        yield f"{number}. {act.act}"
        for name, value in attributes(act).items():
            yield f"   {name}: {clean(str('' if value is None else value))}".rstrip()
    yield f"{counted(len(acts), 'act')} of consent."
