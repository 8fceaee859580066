"""``relate doctor``: what is wrong with a project, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relationship_core.cli.documents import print_document
from relationship_core.cli.project import json_option, project_options

if TYPE_CHECKING:
    from relationship_core.cli.checks import Finding


@click.command()
@json_option
@project_options
def doctor(folder: Path, *, as_json: bool) -> None:
    """Check the project, and say what to do about each problem.

    A line for each check of configuration, folder, plugins, channels, campaigns, store, measures, runs and
    messages. The exit status is 1 where there is a problem.
    """
    from relationship_core.cli.checks import examine

    findings = tuple(examine(folder))
    is_healthy = all(finding.ok for finding in findings)
    if as_json:
        print_document({"ok": is_healthy, "checks": findings})
    else:
        _show(findings)
    if not is_healthy:
        raise click.exceptions.Exit(1)


COMMANDS = {"doctor": doctor}


def _show(findings: Sequence[Finding]) -> None:
    from rich.table import Table
    from rich.text import Text

    from relationship_core.cli.show import clean, console, counted

    lines = Table.grid(padding=(0, 2))
    for finding in findings:
        mark = Text("ok", style="green") if finding.ok else Text("problem", style="bold red")
        lines.add_row(mark, finding.check, "\n".join(clean(line) for line in finding.found.splitlines()))
    problems = sum(not finding.ok for finding in findings)
    out = console()
    out.print(lines)
    out.print()
    out.print(f"{counted(problems, 'problem')}." if problems else "All is well.")
