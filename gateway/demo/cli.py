"""`carbonbook demo`."""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
from rich.console import Console

from gateway.demo import report
from gateway.demo.checks import Comparison, compare
from gateway.demo.conductor import Conductor, DemoFailed
from gateway.demo.plan import FULL, QUICK, TRADERS, Plan
from gateway.demo.rejects import OUT_OF_REACH
from gateway.demo.replays import Replays
from gateway.demo.screen import Screen

EXIT_DIFFERS: Final = 1
EXIT_INTERRUPTED: Final = 130


class Outcome(NamedTuple):
    """The figures of the last line."""

    commands: int
    trades: int
    digest: str


@click.command()
@click.option("--quick", is_flag=True, help="Fewer commands on a faster clock, all checks: less than a minute.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Keep everything in this new folder.")
@click.option("--falsify-price", is_flag=True, hidden=True, help="One scripted price a tick off: must fail.")
def demo(quick: bool, data: Path | None, falsify_price: bool) -> None:
    """Trade the market day of 2025-08-11 on a real server, kill it on the way, and prove that nothing was lost.

    Takes about two minutes, and once per machine another one to compile the kernel. Exit code 1 when anything differs
    from what was published, acknowledged or journaled.
    """
    if data is not None and data.exists() and any(data.iterdir()):
        raise click.BadParameter(f"{data} is not empty; name a new folder", param_hint="--data")
    folder = (data if data is not None else Path(tempfile.mkdtemp(prefix="carbonbook-demo-"))).absolute()
    plan = Plan(folder=str(folder), size=QUICK if quick else FULL, falsify=falsify_price)
    console = Console(highlight=False)
    if not console.is_terminal:
        # Lines of a log need not fit a window.
        console = Console(highlight=False, width=140, soft_wrap=True)
    try:
        outcome, faults = _perform(plan, console)
    except DemoFailed as failure:
        outcome, faults = None, [str(failure)]
    except KeyboardInterrupt:
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)
        click.echo("interrupted; every process of the demonstration has been stopped")
        raise SystemExit(EXIT_INTERRUPTED) from None
    if outcome is None or faults:
        for fault in faults:
            click.echo(f"DIFFERS: {fault}")
        click.echo(f"demo failed; journal, logs and keys are kept in {folder}")
        raise SystemExit(EXIT_DIFFERS)
    if data is None:
        shutil.rmtree(folder)
    click.echo(
        f"demo ok: {outcome.commands} commands, {outcome.trades} trades, digest {outcome.digest},"
        " replayed identically by kernel and reference"
    )


def _perform(plan: Plan, console: Console) -> tuple[Outcome, list[str]]:
    """The whole demonstration; returns the figures of the last line and every difference."""
    screen = Screen(console)
    conductor = Conductor(plan, screen)
    began = time.monotonic()
    with _terminable():
        try:
            with screen:
                before_close, after_close = _day(conductor)
                replays = Replays(conductor)
                logs = {name for sessions in TRADERS.values() for name in sessions}
                found = compare(plan, conductor.sessions, logs)
                faults = conductor.faults + conductor.missing_refusals() + found.faults
                faults += report.days_differences(before_close, after_close, conductor.composite_before)
                faults += report.statement_differences(conductor.statement, conductor.leveled)
                faults += replays.wait()
        finally:
            # A second Ctrl-C must not leave half of the processes behind.
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            conductor.stop_all()
            signal.signal(signal.SIGINT, before)
    if found.commands < plan.size.least:
        faults.append(f"{found.commands:,} commands, fewer than the {plan.size.least:,} of the plan")
    report.print_day(console, before_close, after_close)
    report.print_statement(console, conductor.statement)
    report.print_latencies(console, *_latencies(conductor), plan.size.frame)
    _print_checks(console, conductor, found, time.monotonic() - began)
    return Outcome(found.commands, found.trades, conductor.sealed[1]), faults


def _day(conductor: Conductor) -> tuple[dict[str, Any], dict[str, Any]]:
    """Everything up to the sealed journal; returns the figures before and after the close."""
    conductor.prepare()
    conductor.start_server()
    conductor.start_clients()
    conductor.provocations()
    conductor.kill_client()
    conductor.kill_server()
    conductor.trade_out()
    figures = conductor.read_day()
    conductor.finish()
    return figures


def _latencies(conductor: Conductor) -> tuple[Sequence[int], Sequence[int]]:
    frames = [value for name in TRADERS for value in conductor.finals[name]["latencies"]]
    return conductor.finals["provoker"]["probe"], frames


def _print_checks(console: Console, conductor: Conductor, found: Comparison, seconds: float) -> None:
    members = [member for final in conductor.finals.values() for member in final["members"].values()]
    again, done = (sum(member[name] for member in members) for name in ("sent_again", "found_done"))
    console.print(
        f"{found.commands:,} commands in the journal, {found.by_firms:,} of them from clients; {found.trades:,} trades;"
        f" {sum(found.rejects.values()):,} refusals of {len(found.rejects)} kinds\n"
        f"{len(conductor.provoked)} kinds of refusal provoked on purpose, the gateway's included;"
        f" {len(OUT_OF_REACH)} are out of a trader's reach here:"
    )
    for why in dict.fromkeys(OUT_OF_REACH.values()):
        names = ", ".join(reason.name for reason, cause in OUT_OF_REACH.items() if cause == why)
        console.print(f"  {names}: {why}", style="dim")
    console.print(
        f"orders ended as {', '.join(f'{name} {count:,}' for name, count in found.endings.items() if name != 'NONE')}"
    )
    console.print(
        f"{found.acknowledged:,} orders acknowledged to clients: each stands in the journal, none twice;"
        f" of the commands without an answer after a SIGKILL {done:,} were found done and {again:,} sent again\n"
        f"{found.records:,} event records at the clients: the journal's, byte for byte\n"
        f"{seconds:.0f} s in all"
    )


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM and SIGHUP end the demonstration as Ctrl-C does: with all of its processes."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
