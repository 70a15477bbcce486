"""`carbonbook operate`: what an operator's session may do to a running venue. Every act is journaled as it was told."""

from __future__ import annotations

from datetime import date as Date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from gateway.commands.common import Failure, json_option, locate_journal, print_json
from gateway.commands.connect import Target, opened, pass_target

if TYPE_CHECKING:
    from engine.control import Control

ID = click.IntRange(min=1)
cause_option = click.option("--cause", default="", help="Why, for the journal.")


@click.group()
def operate() -> None:
    """Run a venue's day by hand: firms, accounts, money, units, phases.

    Needs an operator's session (`carbonbook keys new OPS --role operator`). Options of the connection as in `client`.

    \b
    carbonbook operate open-account "Alpha Power" main --session OPS
    carbonbook operate cash 1 CNY 5000000.00 --session OPS
    """


def _do(
    target: Target, message: Control, as_json: bool, said: str, result: str = "aux", *, dated: bool = False
) -> None:
    """Send one message; print what was done, `{}` in `said` standing for a field (a date?) of its first event."""
    with opened(target) as it:
        events = it.control(message)
    number = int(events[0][result])
    if as_json:
        print_json({"done": type(message).__name__, "number": number, "event": int(events[-1]["sequence"])})
    else:
        click.echo(said.format(number if dated else f"{number:,}"))


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

    _do(target, _checked(OpenFirm, name=name), as_json, f"firm {{}} opened: {name}")


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

    number = int(firm) if firm.isdigit() else _firm_number(target, firm)
    message = _checked(OpenAccount, firm=number, name=name, owner_group=owner_group)
    _do(target, message, as_json, f"account {{}} opened: {name}, firm {number}", "account")


def _firm_number(target: Target, name: str) -> int:
    from gateway.commands.common import journal_errors
    from gateway.commands.moment import names_at
    from replay import JournalReader

    with journal_errors():
        number = names_at(JournalReader(locate_journal(target.data))).firm_number(name)
    if not number:
        raise Failure(f"no firm {name!r}; open it first: carbonbook operate open-firm {name!r}")
    return number


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

    minor = Decimal(_number(amount)) * 100
    if minor != minor.to_integral_value() or not minor:
        raise click.BadParameter(f"{amount!r}: write an amount with at most two decimals, not 0", param_hint="AMOUNT")
    number = _position(target, "currencies", currency)
    message = _checked(MoveCash, account=account, currency=number, amount=int(minor), reference=reference)
    _do(target, message, as_json, f"account {account}: {amount} {currency}; free now: {{}} minor units", "aux2")


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

    number = _position(target, "assets", asset)
    message = _checked(MoveUnits, account=account, asset=number, amount=amount, reference=reference)
    _do(target, message, as_json, f"account {account}: {amount:,} {asset}; free now: {{}}", "aux2")


@operate.command()
@click.argument("name", type=click.Choice(["CLOSED", "PRE_OPEN", "CONTINUOUS", "BREAK", "HALT"], case_sensitive=False))
@click.option("--date", "day", help="Trading date YYYY-MM-DD; a later one opens a new day (default: the current one).")
@click.option("--instrument", default="", help="Only this one.")
@cause_option
@json_option
@pass_target
def phase(target: Target, name: str, day: str | None, instrument: str, cause: str, as_json: bool) -> None:
    """Set the phase of listed trading: halt, resume, open a day. The calendar goes on as written.

    \b
    carbonbook operate phase HALT --instrument CEA24 --cause "news pending" --session OPS
    carbonbook operate phase CONTINUOUS --instrument CEA24 --session OPS
    """
    from engine.control import SetPhase
    from engine.schema import Phase

    with opened(target) as it:
        number = it.reference.instrument(instrument).number if instrument else 0
        current = it.days()[0].trading_date
    message = _checked(
        SetPhase, phase=int(Phase[name.upper()]), date=_date(day) if day else current, instrument=number, cause=cause
    )
    _do(target, message, as_json, f"{instrument or 'all instruments'}: {name.upper()} on trading date {{}}", dated=True)


@operate.command("end-day")
@cause_option
@json_option
@pass_target
def end_day(target: Target, cause: str, as_json: bool) -> None:
    """End the trading day now: stop, expire day orders, fix the closes, settle. The journal begins a new segment.

    \b
    carbonbook operate end-day --session OPS
    """
    from engine.control import EndDay

    _do(target, _checked(EndDay, cause=cause), as_json, "day ended and settled")


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
    message = _checked(SetAccountStatus, account=account, status=int(status), cause=cause)
    _do(target, message, as_json, f"account {account}: {status.name}")


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
    message = _checked(SetSessionStatus, session=number, status=int(status), cause=cause)
    _do(target, message, as_json, f"session {number}: {status.name}")


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


def _checked(kind: Any, **fields: Any) -> Any:
    """The message, its texts and ranges checked as the server would. Raises click.UsageError."""
    import msgspec

    try:
        return msgspec.convert({"do": kind.__name__, **fields}, kind)
    except msgspec.ValidationError as error:
        raise click.UsageError(f"{error}; names: up to 40 letters, digits, space, _ . -", None) from None


def _position(target: Target, what: str, name: str) -> int:
    """A currency's or asset's number by its name."""
    with opened(target) as it:
        known = getattr(it.reference.data, what)
    if name not in known:
        raise click.UsageError(f"no {name!r} among the venue's {what}: {', '.join(known) or 'it has none'}", None)
    return int(known.index(name)) + 1


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except ArithmeticError:
        value = Decimal("NaN")
    if not value.is_finite():
        raise click.BadParameter(f"{text!r} is no amount; write a number such as 5000.00", param_hint="AMOUNT")
    return value


def _date(text: str) -> int:
    from engine.venue import date_number

    try:
        return date_number(Date.fromisoformat(text))
    except ValueError:
        raise click.BadParameter(f"{text!r} is no date; write YYYY-MM-DD", param_hint="--date") from None
