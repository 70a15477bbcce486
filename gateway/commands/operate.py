"""`carbonbook operate`: what an operator's session may do to a running venue. Every act is journaled as it was told."""

from __future__ import annotations

import click

from gateway.commands import operate_auctions, operate_corrections, operate_market, operate_registry
from gateway.commands.common import json_option, print_json
from gateway.commands.connect import Target, opened, pass_target
from gateway.commands.operating import (
    ID,
    Told,
    amount_of,
    cause_option,
    checked,
    date_of,
    do,
    firm_number,
    iso,
    position,
    say,
)

PHASES = ("CLOSED", "PRE_OPEN", "OPEN_CALL", "CONTINUOUS", "BREAK", "CLOSE_CALL", "VOLATILITY_CALL", "HALT")


@click.group()
def operate() -> None:
    """Run a venue's day by hand: firms, accounts, money, units, phases, auctions, holds, limits, corrections.

    Needs an operator's session (`carbonbook keys new OPS --role operator`). Options of the connection as in `client`.

    \b
    carbonbook operate open-account "Alpha Power" main --session OPS
    carbonbook operate cash 1 CNY 5000000.00 --session OPS
    """


@operate.command("open-firm")
@click.argument("name")
@json_option
@pass_target
def open_firm(target: Target, name: str, as_json: bool) -> None:
    """Open firm NAME. (A key file opens its firm at the server's start, too.)

    \b
    carbonbook operate open-firm "Gamma Steel" --session OPS
    """
    from engine.control import OpenFirm

    do(target, checked(OpenFirm, name=name), as_json, f"firm {{}} opened: {name}")


@operate.command("open-account")
@click.argument("firm")
@click.argument("name")
@click.option("--owner-group", type=click.IntRange(min=0), default=0, help="Accounts of one owner share a number.")
@json_option
@pass_target
def open_account(target: Target, firm: str, name: str, owner_group: int, as_json: bool) -> None:
    """Open account NAME for FIRM (its number, or its name where the server's data folder lies here).

    \b
    carbonbook operate open-account "Gamma Steel" main --session OPS
    """
    from engine.control import OpenAccount

    number = firm_number(target, firm)
    message = checked(OpenAccount, firm=number, name=name, owner_group=owner_group)
    do(target, message, as_json, f"account {{}} opened: {name}, firm {number}", "account")


@operate.command()
@click.argument("account", type=ID)
@click.argument("currency")
@click.argument("amount")
@click.option("--reference", default="", help="The bank's reference, for the journal.")
@json_option
@pass_target
def cash(target: Target, account: int, currency: str, amount: str, reference: str, as_json: bool) -> None:
    """Pay AMOUNT into an account, or out of it when it is below 0 (then -- comes before the arguments).

    \b
    carbonbook operate cash 1 CNY 5000000.00 --reference "wire 4711" --session OPS
    carbonbook operate cash --session OPS -- 1 CNY -250.50
    """
    from engine.control import MoveCash

    minor = amount_of(amount, "AMOUNT")
    if not minor:
        raise click.BadParameter(f"{amount!r}: write an amount with at most two decimals, not 0", param_hint="AMOUNT")
    number = position(target, "currencies", currency)
    message = checked(MoveCash, account=account, currency=number, amount=minor, reference=reference)
    do(target, message, as_json, f"account {account}: {amount} {currency}; free now: {{}} minor units", "aux2")


@operate.command()
@click.argument("account", type=ID)
@click.argument("asset")
@click.argument("amount", type=int)
@click.option("--reference", default="", help="The registry's reference, for the journal.")
@json_option
@pass_target
def units(target: Target, account: int, asset: str, amount: int, reference: str, as_json: bool) -> None:
    """Bring AMOUNT units in from the registry, or return them when it is below 0 (then -- comes before the arguments).

    \b
    carbonbook operate units 2 CEA24 50000 --session OPS
    """
    from engine.control import MoveUnits

    number = position(target, "assets", asset)
    message = checked(MoveUnits, account=account, asset=number, amount=amount, reference=reference)
    do(target, message, as_json, f"account {account}: {amount:,} {asset}; free now: {{}}", "aux2")


@operate.command()
@click.argument("name", type=click.Choice(PHASES, case_sensitive=False))
@click.option("--date", "day", help="Trading date YYYY-MM-DD; a later one opens a new day (default: the current one).")
@click.option("--instrument", default="", help="Only this one.")
@click.option(
    "--mode",
    type=click.Choice(["LISTED", "BLOCK", "BIDDING"], case_sensitive=False),
    default="LISTED",
    show_default=True,
    help="Of listed trading, of block trades, of auctions.",
)
@click.option("--no-cancel", is_flag=True, help="Of a call: from now on orders are entered, not cancelled.")
@cause_option
@json_option
@pass_target
def phase(
    target: Target, name: str, day: str | None, instrument: str, mode: str, no_cancel: bool, cause: str, as_json: bool
) -> None:
    """Set the phase of a trading mode: halt, resume, call, open a day. The calendar goes on as written.

    A call gathers orders and trades them at one price when the next phase begins. VOLATILITY_CALL is begun by trading
    itself; setting CONTINUOUS ends it. `carbonbook client indicative` shows what a call would do.

    \b
    carbonbook operate phase HALT --instrument CEA24 --cause "news pending" --session OPS
    carbonbook operate phase CONTINUOUS --instrument CEA24 --session OPS
    carbonbook operate phase CONTINUOUS --mode BLOCK --session OPS
    carbonbook operate phase CLOSE_CALL --session OPS                     a call, where the instruments have them
    carbonbook operate phase CLOSE_CALL --no-cancel --session OPS         its last minute: no cancels any more
    """
    from engine.control import SetPhase
    from engine.schema import Mode, Phase

    if no_cancel and not name.upper().endswith("_CALL"):
        calls = ", ".join(phase for phase in PHASES if phase.endswith("_CALL"))
        raise click.BadParameter(
            f"{name.upper()} is no call; orders can only be held fast in {calls}", None, None, "--no-cancel"
        )
    with opened(target) as it:
        number = it.reference.instrument(instrument).number if instrument else 0
        current = it.days()[0].trading_date
    date = date_of(day, "--date") if day else current
    which = int(Mode[mode.upper()])
    phase_number = int(Phase[name.upper()])
    message = checked(
        SetPhase, phase=phase_number, date=date, mode=which, instrument=number, no_cancel=no_cancel, cause=cause
    )
    with opened(target) as it:
        event = it.control(message)[-1]
    text = f"{instrument or 'all instruments'}: {name.upper()} on trading date {iso(date)}"
    say(message, Told(text, {"number": date}), event, as_json)


@operate.command()
@click.argument("account", type=ID)
@click.option("--resume", is_flag=True, help="Lift the suspension.")
@cause_option
@json_option
@pass_target
def suspend(target: Target, account: int, resume: bool, cause: str, as_json: bool) -> None:
    """Suspend an account: it may cancel, and enter nothing.

    \b
    carbonbook operate suspend 3 --cause "limit breached" --session OPS
    """
    from engine.control import SetAccountStatus
    from engine.schema import Status

    status = Status.ACTIVE if resume else Status.SUSPENDED
    message = checked(SetAccountStatus, account=account, status=int(status), cause=cause)
    do(target, message, as_json, f"account {account}: {status.name}")


@operate.command("owner-group")
@click.argument("account", type=ID)
@click.argument("group", type=click.IntRange(min=0))
@click.option("--from", "day", default=None, help="Date YYYY-MM-DD, for the record; it is in force at once.")
@json_option
@pass_target
def owner_group(target: Target, account: int, group: int, day: str | None, as_json: bool) -> None:
    """Say which accounts have one beneficial owner: they share GROUP (0 = none) and do not trade with each other.

    \b
    carbonbook operate owner-group 3 7 --session OPS
    """
    from engine.control import SetOwnerGroup

    since = date_of(day, "--from") if day else 0
    message = checked(SetOwnerGroup, account=account, owner_group=group, group_from=since)
    do(target, message, as_json, f"account {account}: owner group {{}}")


@operate.command("end-session")
@click.argument("number", type=ID)
@click.option("--resume", is_flag=True, help="Let it in again.")
@cause_option
@json_option
@pass_target
def end_session(target: Target, number: int, resume: bool, cause: str, as_json: bool) -> None:
    """Cut a session off: its connection ends, its key is refused.

    \b
    carbonbook operate end-session 2 --cause "key lost" --session OPS
    """
    from engine.control import SetSessionStatus
    from engine.schema import Status

    status = Status.ACTIVE if resume else Status.ENDED
    message = checked(SetSessionStatus, session=number, status=int(status), cause=cause)
    do(target, message, as_json, f"session {number}: {status.name}")


@operate.command()
@json_option
@pass_target
def status(target: Target, as_json: bool) -> None:
    """Show what the venue takes, room in its journal, every session, and the counters.

    \b
    carbonbook operate status --session OPS
    """
    from gateway.commands.looks import status_json, status_text

    with opened(target) as it:
        found = it.status()
    if as_json:
        print_json(status_json(found))
    else:
        click.echo(status_text(found))


for commands in (operate_market, operate_corrections, operate_registry, operate_auctions):
    for command in commands.COMMANDS:
        operate.add_command(command)
