"""`relate --help` as a process, against a Python that imports only what the command line is made of."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from measuring import Figure, at_most, timed
from projects import Prepared

LIMIT = 2.5
REPEATS = 15
HEAVY = {"polars", "rich", "liquid", "sqlglot", "requests", "sendgrid", "twilio", "lob", "reportlab", "psycopg"}
"""Libraries that have no business in a help text: columns, tables, templates, and the SDKs of providers."""


def measure(_prepared: Prepared, repeats: int) -> list[Figure]:
    """Alternating runs, each a whole process."""
    shown = [*relate(), "--help"]
    bare = [sys.executable, "-c", "import click, attrs, pluggy"]
    for command in (shown, bare):
        _run(command)
    pairs = []
    for _ in range(repeats):
        raw, _ = timed(_run, bare)
        seconds, _ = timed(_run, shown)
        pairs.append((seconds, raw))
    heavy = sorted(_imported(shown) & HEAVY)
    if heavy:
        message = f"relate --help imports {', '.join(heavy)}"
        raise RuntimeError(message)
    return [
        at_most(
            "help",
            "relate --help as a process",
            pairs,
            LIMIT,
            notes=(f"imports none of {', '.join(sorted(HEAVY))}",),
        )
    ]


def relate() -> list[str]:
    """The installed command."""
    script = shutil.which("relate", path=str(Path(sys.executable).parent))
    if script is None:
        message = "there is no relate beside this Python; install the package first"
        raise RuntimeError(message)
    return [script]


def printed(command: Sequence[str]) -> str:
    """What a process prints; an error where it fails."""
    # An installation keeps compiled modules, and so may the source tree: the first run writes them.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode:
        message = f"{command[0]} ended with status {done.returncode}: {done.stderr.strip()[-300:]}"
        raise RuntimeError(message)
    return done.stdout


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _imported(command: list[str]) -> set[str]:
    """The top-level names of every module that Python imports while it runs a script."""
    watched = [sys.executable, "-X", "importtime", *command]
    report = subprocess.run(watched, check=True, capture_output=True, text=True).stderr
    return set(re.findall(r"^import time:.*\|\s*([\w]+)", report, flags=re.MULTILINE))
