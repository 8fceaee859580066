"""The help: quick, complete, and the same as the reference."""

import re
import subprocess
import sys
from collections.abc import Callable
from inspect import cleandoc
from pathlib import Path

import click
import pytest
from click.testing import Result

from relationship_core.cli import COMMANDS, cli

Relate = Callable[..., Result]

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "commands.md"
HEAVY = ("polars", "rich", "sqlglot", "liquid", "sqlite3", "relationship_core.relationships")

PLUGIN = """
import click
from relationship_core import hookimpl

@hookimpl
def relationship_commands(cli):
    cli.add_command(wave)

@click.command()
def wave():
    "Wave to everybody."
    click.echo("hello")
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Installs a distribution ``relationship-waving`` with one module."""

    def install(source: str) -> None:
        site = tmp_path / "site"
        info = site / "relationship_waving-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: relationship-waving\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[relationship_core]\nwaving = relationship_waving\n")
        (site / "relationship_waving.py").write_text(source)
        monkeypatch.syspath_prepend(site)
        monkeypatch.delitem(sys.modules, "relationship_waving", raising=False)

    return install


def the_context() -> click.Context:
    return cli.make_context("relate", ["-"], resilient_parsing=True, terminal_width=200)


def commands() -> dict[str, tuple[click.Command, click.Context]]:
    """Every command of the package with its context; those of installed plugins are documented by them."""
    above = the_context()
    found: dict[str, tuple[click.Command, click.Context]] = {"": (cli, above)}
    for name in COMMANDS:
        command = cli.get_command(above, name)
        assert command is not None
        context = click.Context(command, parent=above, info_name=name)
        found[name] = (command, context)
        for part, inner in command.commands.items() if isinstance(command, click.Group) else ():
            found[f"{name} {part}"] = (inner, click.Context(inner, parent=context, info_name=part))
    return found


def sections() -> dict[str, str]:
    """The reference, command by command."""
    parts = re.split(r"^## relate ?", REFERENCE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {part.split("\n")[0]: part.partition("\n")[2] for part in parts}


def test_help_imports_nothing_heavy() -> None:
    probe = (
        "import sys\nfrom relationship_core.cli import cli\n"
        "sys.argv = ['relate', '--help']\n"
        "try:\n    cli()\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    told = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert told.stderr == "[]\n"


def test_the_module_is_the_same_as_the_command() -> None:
    command = [sys.executable, "-m", "relationship_core", "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout.startswith("Usage: relate [OPTIONS] COMMAND")


def test_the_version_is_told(relate: Relate) -> None:
    told = relate("--version")
    assert re.fullmatch(r"relate \d+\.\d+\.\d+\S*\n", told.stdout)


def test_summaries_are_those_of_the_commands(relate: Relate) -> None:
    shown = relate("--help").stdout
    width = max(map(len, COMMANDS))
    for name, (_, summary) in COMMANDS.items():
        command, _ = commands()[name]
        assert cleandoc(command.help or "").split("\n")[0] == summary
        assert f"  {name:<{width}}  {summary}\n" in shown


def test_every_summary_speaks_with_one_voice() -> None:
    for _, summary in COMMANDS.values():
        assert re.fullmatch(r"[A-Z][^.]*\.", summary)
        assert len(summary) <= 70


@pytest.mark.parametrize("name", commands())
def test_the_reference_says_what_the_help_says(name: str) -> None:
    command, context = commands()[name]
    section = sections()[name]
    usage = command.get_usage(context).removeprefix("Usage: ")
    assert section.lstrip().startswith(f"```text\n{usage}\n```\n\n{cleandoc(command.help or '')}\n")
    records = [each.get_help_record(context) for each in command.get_params(context) if isinstance(each, click.Option)]
    options = [(record[0], " ".join(record[1].split())) for record in records if record]
    documented = re.findall(r"^\| `(-[^`]*)` \| (.*) \|$", section, flags=re.MULTILINE)
    assert [(option, meaning.replace("\\|", "|")) for option, meaning in documented] == options


def test_the_reference_knows_no_other_command() -> None:
    assert list(sections()) == list(commands())


def test_every_command_that_tells_something_has_a_document() -> None:
    for name, (command, _) in commands().items():
        tells = not isinstance(command, click.Group) or command.invoke_without_command
        if name:
            assert any("--json" in option.opts for option in command.params) is tells, name


def test_a_command_of_a_plugin_is_listed_and_runs(install: Callable[[str], None], relate: Relate) -> None:
    install(PLUGIN)
    assert "  wave" in relate("--help").stdout
    assert "Wave to everybody." in relate("--help").stdout
    assert relate("wave").stdout == "hello\n"
    assert "did you mean 'wave'?" in relate("wavee").stderr


def test_a_plugin_that_the_project_disables_adds_nothing(
    install: Callable[[str], None], relate: Relate, tmp_path: Path
) -> None:
    install(PLUGIN)
    relate("init")
    settings = tmp_path / "shop" / "relationship.toml"
    settings.write_text(settings.read_text() + '[plugins]\ndisabled = ["waving"]\n')
    assert "wave" not in relate("--help").stdout
    assert relate("wave").exit_code == 2
    assert "disabled" in relate("plugins", "--json").stdout


@pytest.mark.parametrize("source", ["raise RuntimeError('no')", PLUGIN.replace("wave", "report")])
def test_a_broken_plugin_leaves_the_help_alone_and_is_told_of(
    install: Callable[[str], None], relate: Relate, source: str
) -> None:
    install(source)
    shown = relate("--help")
    assert shown.exit_code == 0
    assert shown.stdout.count("  report  ") == 1
    assert "waving" in relate("xyzzy").stderr


def test_a_plugin_that_cannot_be_imported_is_listed_with_its_reason(
    install: Callable[[str], None], relate: Relate
) -> None:
    install("raise RuntimeError('no')")
    told = relate("plugins")
    assert told.exit_code == 1
    assert "relationship-waving" in told.stdout
    assert "RuntimeError" in told.stdout
