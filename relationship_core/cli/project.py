"""What commands share: their options, the opened project, and how they tell how far they are."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from relationship_core import parse_instant

if TYPE_CHECKING:
    from relationship_core import Listener, Progress

F = TypeVar("F", bound=Callable[..., Any])


def _instant(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    try:
        return None if value is None else parse_instant(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def instant_option(name: str, *, help: str) -> Callable[[F], F]:
    """An option that takes an instant."""
    return click.option(name, callback=_instant, metavar="INSTANT", help=help)


as_of_option = click.option(
    "--as-of",
    callback=_instant,
    metavar="INSTANT",
    help="The instant to act as of, such as 2017-03-01T09:00:00Z. [default: now]",
)
past_option = click.option(
    "--as-of",
    callback=_instant,
    metavar="INSTANT",
    help="The instant to count as of, such as 2017-03-01T09:00:00Z. [default: all there is]",
)


def _user() -> str:
    """The name of whoever is at the keyboard, where the machine knows it."""
    from getpass import getuser

    try:
        return getuser()
    except (OSError, KeyError, ImportError):
        return ""


def actor(does: str) -> Callable[[F], F]:
    """An option ``--actor``; its help says what they do."""
    return click.option("--actor", default=_user, metavar="NAME", help=f"Who {does} it. [default: the user]")


actor_option = actor("decides")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")


def html_option(*, help: str) -> Callable[[F], F]:
    """The option that takes the file of a page."""
    return click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help=help)


def project_options(command: F) -> F:
    """Hand the command its project ``folder``; --project and --debug may also follow the command's name."""
    folder = click.option(
        "--project",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        callback=lambda context, _, value: value or context.find_root().params["project"],
        hidden=True,
    )
    debug = click.option("--debug", is_flag=True, hidden=True, expose_value=False, callback=_note_debug)
    return folder(debug(command))


def _note_debug(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.find_root().params["debug"] = True


@contextmanager
def following() -> Iterator[Listener]:
    """Show progress on standard error: a bar for each step on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress as Bars, TextColumn, TimeElapsedColumn

    count = TextColumn("{task.completed:,.0f}")
    with Bars(
        TextColumn("{task.description:<8}"),
        BarColumn(),
        count,
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bars:
        tasks = {}

        def listen(progress: Progress) -> None:
            if progress.step not in tasks:
                tasks[progress.step] = bars.add_task(progress.step, total=None)
            bars.update(tasks[progress.step], completed=progress.done, total=progress.total)

        yield listen
