"""``relate``: the command line. Each group of commands is a module of its own, imported when it is used."""

from __future__ import annotations

import atexit
import gc
from pathlib import Path

import click

from relationship_core.cli.lazy import Relate
from relationship_core.cli.troubles import replace_unknown_letters, warnings_shown

COMMANDS = {
    "init": ("starting", "Make a project folder: configuration, campaigns, an outbox."),
    "import": ("importing", "Record a file of customers, interactions or contacts."),
    "review": ("steps", "Judge every due customer: stage, moves, next due time."),
    "plan": ("steps", "Decide whom to engage, and put messages into the outbox."),
    "deliver": ("steps", "Hand the messages of the outbox to their channels."),
    "run": ("steps", "Review and plan as of one instant, and deliver."),
    "receive": ("receiving", "Take what was heard of messages, from saved requests or a mailbox."),
    "customer": ("person", "Show past, present and future of one relationship."),
    "explain": ("explaining", "Show why a customer did, or did not, get a message."),
    "ladder": ("numbers", "Show where customers stand, and how they moved."),
    "report": ("numbers", "Show the project in numbers."),
    "identity": ("identities", "Say who is one customer under several ids."),
    "account": ("accounts", "Say who is a contact of which firm."),
    "export": ("privacy", "Print everything that is kept about one customer."),
    "forget": ("privacy", "Erase everything about one customer, for ever."),
    "consent": ("permission", "Record and show who may be contacted, and who wants it."),
    "campaign": ("campaigns", "Bring campaigns to life, send tests of them, and copy ready ones."),
    "tasks": ("tasks", "List the work for people, and say what came of it."),
    "offers": ("offers", "Show what was offered, and who took it up."),
    "preview": ("previewing", "Show what a campaign would say, without sending it."),
    "calibrate": ("calibrating", "Fit parameters and tables to the customers there are."),
    "rebuild": ("steps", "Fold the whole history again, after measures have changed."),
    "copy": ("copying", "Copy everything that this project keeps into another store."),
    "plugin": ("authoring", "Begin a plugin of your own."),
    "plugins": ("installation", "Show the installed plugins, and the broken ones."),
    "doctor": ("examining", "Check the project, and say what to do about each problem."),
}
"""Of each command, in the order of the work: its module, and its summary, for which nothing is imported."""

_SELDOM = 100_000
"""After so many more objects than before garbage is looked for."""


@click.group(
    cls=Relate,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 done, 1 something failed and was reported, 2 wrong use.",
)
@click.option(
    "--project",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    is_eager=True,  # the help asks the project which plugins it leaves alone
    metavar="DIR",
    help="The project folder. [default: the current folder]",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="relationship-core", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context, project: Path, *, debug: bool) -> None:  # noqa: ARG001  commands read the folder from the context
    """Know where each customer relationship stands, and act at the right moment."""
    replace_unknown_letters()
    context.with_resource(warnings_shown(debug=debug))


def main() -> None:
    """The entry point of ``relate`` and of ``python -m relationship_core``."""
    # What is imported stays until the end: to look through it for garbage again and again takes a tenth of the time
    # of a quick command.
    gc.set_threshold(_SELDOM)
    atexit.register(gc.freeze)
    cli(prog_name="relate")
