"""The group of commands: looks a command up when it is asked for, and ends every error in a sentence."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from relationship_core import Plugins, RejectedError, RelationshipError, load_plugins
from relationship_core.cli.troubles import Failure, Interrupted, lost_output, traced

_PLUGINS = "relationship_core.plugins"
"""Under this key the outermost context keeps the plugins, once they have been asked for commands."""


class Relate(click.Group):
    """Knows the names and summaries of the package's own commands; plugins are asked only when they must be."""

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        """Take the table of commands: the module and the summary of each."""
        super().__init__(*args, **kwargs)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The package's own commands in the order of the work, then those of plugins by name."""
        self._ask_plugins(ctx)
        return [*self.lazy, *sorted(self.commands)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command of the package, or find it among those of the plugins."""
        if cmd_name in self.lazy:
            module = import_module(f"{__package__}.{self.lazy[cmd_name][0]}")
            command: click.Command = module.COMMANDS[cmd_name]
            return command
        self._ask_plugins(ctx)
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one may have been meant."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            ctx.fail(self._unknown(ctx, name))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the summaries, without importing what they are about."""
        try:
            self._ask_plugins(ctx)
        except RelationshipError:  # help is there even then; `relate doctor` tells
            self.commands.clear()
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self.lazy.items()])
        if self.commands:
            rows = [(name, self.commands[name].get_short_help_str(limit=70)) for name in sorted(self.commands)]
            with formatter.section("Commands of plugins"):
                formatter.write_dl(rows)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run as a program; help that cannot be written is told like everything else."""
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            lost = lost_output(error)
            if lost is None:
                raise
            lost.show()
            sys.exit(lost.exit_code)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; whatever goes wrong ends in one sentence on standard error."""
        given = (*ctx._protected_args, *ctx.args)  # noqa: SLF001  click empties them on the way
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except (KeyboardInterrupt, Exception) as error:
            debug = bool(ctx.params["debug"])
            traced(error, debug=debug)
            if isinstance(error, (UnicodeEncodeError, RejectedError)) and not all(map(_is_text, given)):
                message = "an argument is not UTF-8; write it in UTF-8"
                raise click.UsageError(message, ctx) from error
            raise _failure(error, f"relate {ctx.invoked_subcommand}", debug=debug) from error

    def _ask_plugins(self, ctx: click.Context) -> None:
        """Let plugins add their commands, once for each time ``relate`` is called."""
        root = ctx.find_root()
        if _PLUGINS not in root.meta:
            self.commands.clear()
            plugins = load_plugins(disabled=_disabled(root.params.get("project") or Path()), builtin=False)
            plugins.commands(self, reserved=self.lazy)
            root.meta[_PLUGINS] = plugins

    def _unknown(self, ctx: click.Context, name: str) -> str:
        message = f"there is no command {name!r}"
        near = get_close_matches(name, self.list_commands(ctx), n=1)
        if near:
            return f"{message}; did you mean {near[0]!r}?"
        plugins: Plugins = ctx.find_root().meta[_PLUGINS]
        if plugins.broken:
            names = ", ".join(plugin.name for plugin in plugins.broken)
            message += f"; it may be one of a broken plugin ({names}), see `relate plugins`"
        return message


def _failure(error: BaseException, command: str, *, debug: bool) -> click.ClickException:
    if isinstance(error, KeyboardInterrupt):
        message = f"interrupted; what was done is kept, and `{command}` goes on from there"
        return Interrupted(message)
    if isinstance(error, RelationshipError):
        return Failure(str(error))
    if isinstance(error, OSError) and (lost := lost_output(error)):
        return lost
    # The words of an error that nobody foresaw may hold anything, personal data too.
    hint = "" if debug else "; run it again with --debug to see where"
    return Failure(f"`{command}` failed with {type(error).__name__}{hint}")


def _is_text(argument: str) -> bool:
    """Bytes of the command line that are no UTF-8 are surrogates in Python, which UTF-8 has no code for."""
    return argument.isascii() or argument == argument.encode(errors="ignore").decode()


def _disabled(project: Path) -> Collection[str]:
    """The plugins that the project leaves alone; what is wrong with its settings is told by whoever needs them."""
    import tomllib

    try:
        settings = tomllib.loads((project / "relationship.toml").read_text(encoding="utf-8"))
        return frozenset(map(str, settings["plugins"]["disabled"]))
    except (OSError, ValueError, KeyError, TypeError):
        return ()
