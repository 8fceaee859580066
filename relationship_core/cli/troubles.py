"""What goes wrong, as people see it: one sentence on standard error, and more only with ``--debug``."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper

import click

_WRITERS = {"click.utils", "rich.console"}
"""The modules that write to standard output; an error of another's file comes from elsewhere."""


class Failure(click.ClickException):
    """Something failed: it is reported, and the exit status says so."""

    exit_code = 1


class Interrupted(click.ClickException):
    """Somebody pressed Ctrl-C."""

    exit_code = 130  # 128 and the number of SIGINT, as shells have it


def lost_output(error: OSError) -> Failure | None:
    """What to say where standard output cannot be written; None where the error is about something else."""
    *_, (frame, _line) = traceback.walk_tb(error.__traceback__)
    if frame.f_globals.get("__name__") not in _WRITERS:
        return None
    # Or Python would try once more when it ends, and complain in its own words.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    cause = (error.strerror or type(error).__name__).lower()
    return Failure(f"the output could not be written: {cause.removesuffix(' on device')}")


def traced(error: BaseException, *, debug: bool) -> None:
    """With ``--debug``, show where an error came from."""
    if debug:
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)


class _StandardError(logging.Handler):
    """Writes a line for each record."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(self.format(record), err=True)


class _Line(logging.Formatter):
    """Level and message; a traceback may hold personal data, and is for ``--debug``."""

    def __init__(self, *, debug: bool) -> None:
        super().__init__("%(levelname)s: %(message)s")
        self._debug = debug

    def format(self, record: logging.LogRecord) -> str:
        if not self._debug:
            record = logging.makeLogRecord({**vars(record), "exc_info": None, "exc_text": None, "stack_info": None})
        return super().format(record)


def replace_unknown_letters() -> None:
    """A letter that the console has no code for is shown as a question mark, instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


@contextmanager
def warnings_shown(*, debug: bool) -> Iterator[None]:
    """While a command runs, what the package logs as a warning or worse goes to standard error."""
    logger = logging.getLogger(__name__.partition(".")[0])
    handler = _StandardError(logging.WARNING)
    handler.setFormatter(_Line(debug=debug))
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
