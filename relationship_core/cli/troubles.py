"""What goes wrong, as people see it: one sentence on standard error, and more only with ``--debug``."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import click

from relationship_core import PROJECT

INTERRUPTED = 130
"""The exit status of what ended with Ctrl-C: 128 and the number of SIGINT."""


class Failure(click.ClickException):
    """Something failed: it is reported, and the exit status says so."""

    def __init__(self, message: str, *, status: int = 1) -> None:
        """Take one sentence."""
        super().__init__(message)
        self.exit_code = status


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


@contextmanager
def warnings_shown(*, debug: bool) -> Iterator[None]:
    """While a command runs, what the package logs as a warning or worse goes to standard error."""
    logger = logging.getLogger(PROJECT)
    handler = _StandardError(logging.WARNING)
    handler.setFormatter(_Line(debug=debug))
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
