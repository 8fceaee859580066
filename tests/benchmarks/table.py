"""The figures as a table for people and as JSON."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from measuring import Figure


def machine() -> dict[str, str]:
    """What it was measured on."""
    names = ("relationship-core", "polars", "click", "attrs", "pluggy", "sqlglot")
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB, {platform.system()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in names},
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3


def show(figures: Sequence[Figure], failures: Mapping[str, str], size: str) -> None:
    """Print the table."""
    console = Console(width=None if Console().is_terminal else 150)
    table = Table(title=f"Benchmarks, size {size}", show_lines=True)
    for heading in ("figure", "product", "raw probe", "ratio", "target", "verdict", "load"):
        table.add_column(heading, justify="right" if heading in {"product", "raw probe", "ratio", "load"} else "left")
    for figure in figures:
        table.add_row(
            "\n".join([f"[bold]{figure.name}[/bold]: {figure.what}", *(f"[dim]{note}[/dim]" for note in figure.notes)]),
            _times(figure.product, figure.unit),
            _times(figure.probe, figure.unit),
            f"{figure.ratio:.2f}{_spread(figure.ratios, 2)}{_cpu(figure)}",
            figure.target,
            verdict(figure),
            f"{figure.load:.1f}",
        )
    for name, reason in failures.items():
        table.add_row(f"[bold]{name}[/bold]", "", "", "", "", f"[red]not measured[/red]: {reason}", "")
    console.print(table)
    console.print(", ".join(f"{name} {value}" for name, value in machine().items()), style="dim")


def as_markdown(figures: Sequence[Figure], size: str) -> str:
    """The table as a documentation page shows it, with the machine below."""
    lines = [
        f"Size {size}, {date.today().isoformat()}:",  # noqa: DTZ011  the day on which somebody ran it
        "",
        "| figure | product | raw probe | ratio | cpu | target | verdict | load |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for figure in figures:
        cpu = "" if figure.cpu_ratio is None else f"{figure.cpu_ratio:.2f}"
        ratio = f"{figure.ratio:.2f}{_spread(figure.ratios, 2)}"
        cells = (f"`{figure.name}`", _times(figure.product, figure.unit), _times(figure.probe, figure.unit), ratio, cpu)
        row = (*cells, figure.target, verdict(figure), f"{figure.load:.1f}")
        lines.append(f"| {' | '.join(cell.replace(chr(10), ' ') for cell in row)} |")
    lines += ["", *(f"- `{figure.name}`: {'; '.join((figure.what, *figure.notes))}" for figure in figures), ""]
    lines.append(", ".join(f"{name} {value}" for name, value in machine().items()))
    return "\n".join(lines)


def verdict(figure: Figure) -> str:
    """Met, missed, or nothing where there is no target."""
    return {True: "met", False: "missed", None: ""}[figure.met]


def _times(values: Sequence[float], unit: str) -> str:
    digits = 0 if unit == "MB" else 2 if median(values) >= 1 else 3
    return f"{median(values):.{digits}f} {unit}{_spread(values, digits)}"


def _cpu(figure: Figure) -> str:
    return "" if figure.cpu_ratio is None else f"\ncpu {figure.cpu_ratio:.2f}"


def _spread(values: Sequence[float], digits: int) -> str:
    return f"\n({min(values):.{digits}f}-{max(values):.{digits}f})" if len(values) > 1 else ""


def as_json(figures: Sequence[Figure], failures: Mapping[str, str], size: str) -> str:
    """One document with every single measurement."""
    document: dict[str, Any] = {
        "size": size,
        "machine": machine(),
        "figures": [
            {
                "name": figure.name,
                "what": figure.what,
                "unit": figure.unit,
                "product": list(figure.product),
                "probe": list(figure.probe),
                "ratios": list(figure.ratios),
                "ratio": figure.ratio,
                "cpu_ratio": figure.cpu_ratio,
                "target": figure.target,
                "verdict": verdict(figure),
                "notes": list(figure.notes),
                "load": figure.load,
            }
            for figure in figures
        ],
        "not_measured": dict(failures),
    }
    return json.dumps(document, indent=2)
