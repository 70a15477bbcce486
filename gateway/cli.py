"""`carbonbook`: one command with subcommands.

Every subject is a file of `gateway.commands`, imported only when it is asked for, so that help comes at once and a
client command never loads the matching engine. Other packages add commands through the entry point group
`carbonbook.commands`. Exit codes stand in `EXIT_CODES`; every error goes to stderr as a sentence.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import Any, Final

import click

GROUP: Final = "carbonbook.commands"
COMMANDS: Final = {
    "serve": ("gateway.commands.serve:serve", "Run a venue: accept orders, match, journal."),
    "feed": ("gateway.commands.feed:feed", "Publish market data, beside a server."),
    "monitor": ("gateway.commands.monitor:monitor", "Raise alerts: controls, halts, throttles, disk, clock."),
    "demo": ("gateway.demo.cli:demo", "A trading day at high speed, in this terminal."),
    "client": ("gateway.commands.client:client", "Trade: place, cancel, replace, take, look, watch."),
    "operate": ("gateway.commands.operate:operate", "Run a venue's day by hand: accounts, phases, auctions, limits."),
    "venue": ("gateway.commands.venue:venue", "Explain or check a venue's rules."),
    "journal": ("gateway.commands.journal:journal", "List, read and check a journal."),
    "replay": ("gateway.commands.replay:replay", "Recompute a journal; look at any moment of it."),
    "keys": ("gateway.commands.keys:keys", "Make, replace and list the keys of sessions."),
}
"""Name -> where it is and the line that `--help` shows, so that help needs no import."""
EXIT_CODES: Final = """\b
Exit codes
  0  done
  1  refused by the venue, or another failure; the message says which
  2  the command line is wrong, or the folder named holds no journal
  3  the journal is corrupt
  4  replay gives something else than the journal holds
  5  another process writes this journal
  6  the disk failed: nothing was answered that is not durable
  7  the disk is full
  8  the server stopped itself after an unexpected failure"""
EXIT_INTERRUPTED: Final = 130
EXIT_USAGE: Final = 2


class Commands(click.Group):
    """The root: finds commands late, and turns every error into a sentence and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *sorted(_extra())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            return _load(cmd_name, COMMANDS[cmd_name][0])
        entry = _extra().get(cmd_name)
        return None if entry is None else _load(cmd_name, entry.value)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            known = ", ".join(self.list_commands(ctx))
            raise click.UsageError(f"no command {args[0]!r}; there are: {known}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, text) for name, (_, text) in COMMANDS.items()]
        rows += [(name, _short_help(entry)) for name, entry in sorted(_extra().items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> int:
        """Run; exits with the code, or returns it when not `standalone_mode`."""
        given = sys.argv[1:] if args is None else list(args)
        run = super().main
        code = _guarded(lambda: run(given, prog_name, standalone_mode=False, **extra), given)
        if standalone_mode:
            sys.exit(code)
        return code


def _guarded(run: Any, arguments: list[str]) -> int:
    """Run and return the exit code; errors are printed, as JSON when that was asked for."""
    as_json = "--json" in arguments
    try:
        code = run()
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.NoSuchOption as error:
        text = error.format_message()
        if error.option_name.removeprefix("-").replace(".", "").isdigit():
            text = f"{error.option_name} was read as an option; for a number below 0 write -- before the arguments"
        return _say(text, EXIT_USAGE, as_json, hint=_usage(error))
    except click.UsageError as error:
        return _say(error.format_message(), EXIT_USAGE, as_json, hint=_usage(error))
    except click.ClickException as error:
        return _say(error.format_message(), error.exit_code, as_json, details=getattr(error, "details", None))
    except (KeyboardInterrupt, click.Abort):
        return _say("interrupted", EXIT_INTERRUPTED, as_json)
    except BrokenPipeError:
        # Whoever read our output has gone, such as `head`; nothing may be written any more, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _say(f"{where}{error.strerror or error}", 1, as_json)
    except Exception as error:
        if os.environ.get("CARBONBOOK_TRACEBACK"):
            raise
        text = f"{type(error).__name__}: {error}; set CARBONBOOK_TRACEBACK=1 to see where, and report it"
        return _say(f"internal error: {text}", 1, as_json)


def _usage(error: click.UsageError) -> str:
    return f"See: {error.ctx.command_path} --help" if error.ctx else ""


def _say(text: str, code: int, as_json: bool, hint: str = "", details: dict[str, Any] | None = None) -> int:
    if as_json:
        click.echo(json.dumps({"error": {"text": text, "exit_code": code, **(details or {})}}), err=True)
    else:
        click.echo(f"carbonbook: {text}", err=True)
        if hint:
            click.echo(hint, err=True)
    return code


def _extra() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in COMMANDS}


def _load(name: str, target: str) -> click.Command:
    module, _, attribute = target.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{name}: not part of this installation ({error.name} is missing)") from None
    if not isinstance(found, click.Command):
        raise click.ClickException(f"{name}: {target} is no command; reinstall the package that provides it")
    return found


def _short_help(entry: EntryPoint) -> str:
    try:
        return _load(entry.name, entry.value).get_short_help_str(90)
    except Exception as error:  # somebody else's package must not break our help
        return f"(cannot be loaded: {error})"


def _version() -> str:
    try:
        return version("carbonbook")
    except PackageNotFoundError:
        return "not installed"


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"carbonbook {_version()}")
        ctx.exit()


@click.group(cls=Commands, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Say it.")
def cli() -> None:
    """An open carbon allowance exchange.

    \b
    carbonbook demo                                     see a day of it
    carbonbook serve                                    run one, with practice firms
    carbonbook client place CEA24 buy 100 73.20 --session ALPHA
    carbonbook replay verify                            prove what happened
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script; returns the exit code."""
    return cli.main(arguments, "carbonbook", standalone_mode=False)


if __name__ == "__main__":
    sys.exit(main())
