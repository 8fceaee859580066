"""``relate doctor``: what is wrong with a project, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relationship_core.cli.documents import print_document
from relationship_core.cli.project import as_of_option, json_option, project_options

if TYPE_CHECKING:
    from relationship_core.cli.checks import Finding


@click.command()
@as_of_option
@json_option
@project_options
def doctor(folder: Path, as_of: datetime | None, *, as_json: bool) -> None:
    """Check the project, and say what to do about each problem.

    A line for each check of configuration, folder, plugins, channels, store, parameters, campaigns, measures, runs
    and messages. Messages that came to nothing in the last 30 days are to look at, older ones are counted. The exit
    status is 1 where there is a problem: something that has to be done now.
    """
    from relationship_core.cli.checks import examine

    findings = tuple(examine(folder, as_of))
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
        mark = Text("ok", style="green")
        if not finding.ok:
            mark = Text("problem", style="bold red")
        elif finding.look:
            mark = Text("look", style="yellow")
        lines.add_row(mark, finding.check, "\n".join(clean(line) for line in finding.found.splitlines()))
    problems, looks = sum(not each.ok for each in findings), sum(each.look for each in findings)
    to_look_at = f"{counted(looks, 'thing')} to look at."
    out = console()
    out.print(lines)
    out.print()
    if problems:
        out.print(f"{counted(problems, 'problem')}; {to_look_at}" if looks else f"{counted(problems, 'problem')}.")
    else:
        out.print(f"Nothing has to be done now; {to_look_at}" if looks else "All is well.")
