"""`carbonbook operate`: what the registry tells the venue: holds, allocations, obligations, carry-over, settlement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.commands.common import json_option
from gateway.commands.connect import Target, pass_target
from gateway.commands.operating import (
    ID,
    UNITS,
    Told,
    act,
    amount_of,
    asset_name,
    cause_option,
    checked,
    date_of,
    iso,
    numbered,
    reference_option,
    trading_date,
)
from gateway.commands.settlements import check_file, digest_cause

if TYPE_CHECKING:
    from engine.control import Control
    from gateway.client import Client

YEAR = click.IntRange(min=2000, max=2999)
creditor_option = click.option(
    "--creditor", type=ID, default=None, help="A pledge's creditor, whose instruction it is."
)


def _hold(it: Client, event: Any, done: str) -> Told:
    """What an event about a hold says."""
    asset = asset_name(it, int(event["aux"]))
    units, left, hold = int(event["quantity"]), int(event["remaining"]), int(event["order_id"])
    facts = {"hold": hold, "account": int(event["account"]), "asset": asset, "units": units, "left": left}
    return Told(f"hold {hold}: {units:,} {asset} of account {facts['account']} {done}; {left:,} held", facts)


@click.command("place-hold")
@click.argument("kind", type=click.Choice(["pledge", "judicial"], case_sensitive=False))
@click.argument("account", type=ID)
@click.argument("asset")
@click.argument("units", type=UNITS)
@click.option("--creditor", type=ID, default=None, help="The creditor's account; a pledge needs it.")
@click.option(
    "--loan", default=None, help="The loan's amount, such as 1000000.00; a note, nothing is computed with it."
)
@cause_option
@json_option
@pass_target
def place_hold(
    target: Target,
    kind: str,
    account: int,
    asset: str,
    units: int,
    creditor: int | None,
    loan: str | None,
    cause: str,
    as_json: bool,
) -> None:
    """Hold UNITS of ASSET of an account: a filed pledge, or a court's freeze (which cancels sell orders where needed).

    \b
    carbonbook operate place-hold pledge 2 CEA24 5000 --creditor 7 --loan 300000.00 --session OPS
    carbonbook operate place-hold judicial 2 CEA24 5000 --cause "court order 12/2026" --session OPS
    """
    from engine.control import PlaceHold
    from engine.schema import EventKind, HoldType

    pledge = kind.lower() == "pledge"
    if pledge != (creditor is not None):
        raise click.UsageError("a pledge names its --creditor, a judicial hold has none", click.get_current_context())
    reference = amount_of(loan, "--loan") if loan is not None else 0

    def make(it: Client) -> Control:
        return checked(
            PlaceHold,
            type=int(HoldType.PLEDGE if pledge else HoldType.JUDICIAL),
            account=account,
            asset=numbered(it, "assets", asset),
            units=units,
            creditor=creditor or 0,
            reference=reference,
            cause=cause,
        )

    act(target, as_json, make, EventKind.HOLD_PLACED, lambda it, event: _hold(it, event, "held"))


@click.command("release-hold")
@click.argument("hold", type=ID)
@click.argument("units", type=UNITS)
@creditor_option
@cause_option
@json_option
@pass_target
def release_hold(target: Target, hold: int, units: int, creditor: int | None, cause: str, as_json: bool) -> None:
    """Give UNITS of a hold back to their owner, or refuse a transfer; a pledge only in its creditor's name.

    \b
    carbonbook operate release-hold 3 5000 --creditor 7 --session OPS
    """
    from engine.control import ReleaseHold
    from engine.schema import EventKind

    message = checked(ReleaseHold, hold=hold, units=units, creditor=creditor or 0, cause=cause)
    act(target, as_json, lambda _: message, EventKind.HOLD_RELEASED, lambda it, e: _hold(it, e, "released"))


@click.command("realise-hold")
@click.argument("hold", type=ID)
@click.argument("units", type=UNITS)
@click.option("--receiver", type=ID, default=None, help="The account that gets them (default: they leave the venue).")
@creditor_option
@cause_option
@json_option
@pass_target
def realise_hold(
    target: Target, hold: int, units: int, receiver: int | None, creditor: int | None, cause: str, as_json: bool
) -> None:
    """Realise a pledge, carry out a court's deduction, or complete a transfer of the registry.

    \b
    carbonbook operate realise-hold 3 5000 --creditor 7 --receiver 7 --session OPS
    carbonbook operate realise-hold 4 20000 --session OPS
    """
    from engine.control import RealiseHold
    from engine.schema import EventKind

    fields = {"hold": hold, "units": units, "receiver": receiver or 0, "creditor": creditor or 0, "cause": cause}
    message = checked(RealiseHold, **fields)
    act(target, as_json, lambda _: message, EventKind.HOLD_REALISED, lambda it, e: _hold(it, e, "realised"))


@click.command()
@click.argument("account", type=ID)
@click.argument("asset")
@click.argument("units", type=UNITS)
@click.argument("year", type=YEAR)
@reference_option
@json_option
@pass_target
def allocate(target: Target, account: int, asset: str, units: int, year: int, reference: str, as_json: bool) -> None:
    """Allocate UNITS of ASSET to an account for compliance year YEAR.

    \b
    carbonbook operate allocate 2 CEA24 50000 2024 --reference "plan 2024, line 17" --session OPS
    """
    from engine.control import AllocateUnits
    from engine.schema import EventKind

    def make(it: Client) -> Control:
        number = numbered(it, "assets", asset)
        return checked(AllocateUnits, account=account, asset=number, units=units, year=year, reference=reference)

    def tell(_: Client, event: Any) -> Told:
        free, late = int(event["aux2"]), bool(event["contra_remaining"])
        after = " (after the year's date)" if late else ""
        text = f"account {account}: {units:,} {asset} allocated for {year}{after}; free now: {free:,}"
        facts = {"account": account, "asset": asset, "units": units, "year": year, "free": free, "late": late}
        return Told(text, facts)

    act(target, as_json, make, EventKind.UNITS_ALLOCATED, tell)


@click.command()
@click.argument("account", type=ID)
@click.argument("year", type=YEAR)
@click.argument("units", type=click.IntRange(min=0))
@click.option("--surrender-by", "by", default=None, help="Last day to surrender, YYYY-MM-DD (default: the venue's).")
@reference_option
@json_option
@pass_target
def obligation(
    target: Target, account: int, year: int, units: int, by: str | None, reference: str, as_json: bool
) -> None:
    """State what an account must surrender for compliance year YEAR; again for the same year: a correction.

    \b
    carbonbook operate obligation 2 2024 48000 --reference "verified emissions" --session OPS
    carbonbook operate obligation 2 2026 50000 --surrender-by 2027-12-31 --session OPS
    """
    from engine.control import SetObligation
    from engine.schema import EventKind

    def tell(_: Client, event: Any) -> Told:
        number, left = int(event["order_id"]), int(event["remaining"])
        ends = int(event["contra_remaining"])
        dated = f" by {iso(ends)}" if ends else ""
        text = f"obligation {number}: account {account} owes {units:,} for {year}{dated}; {left:,} still due"
        facts = {"obligation": number, "account": account, "year": year, "due": units, "left": left}
        return Told(text, {**facts, "surrender_by": iso(ends) if ends else None})

    day = date_of(by, "--surrender-by") if by else 0
    message = checked(SetObligation, account=account, year=year, units=units, surrender_by=day, reference=reference)
    act(target, as_json, lambda _: message, EventKind.OBLIGATION_SET, tell)


@click.command("carry-over")
@click.argument("account", type=ID)
@click.argument("source")
@click.argument("to")
@click.argument("units", type=UNITS)
@click.option("--year", type=YEAR, required=True, help="Compliance year.")
@click.option("--net-sales", type=click.IntRange(min=0), required=True, help="Units, from the registry: set the limit.")
@reference_option
@json_option
@pass_target
def carry_over(
    target: Target,
    account: int,
    source: str,
    to: str,
    units: int,
    year: int,
    net_sales: int,
    reference: str,
    as_json: bool,
) -> None:
    """Turn UNITS of asset SOURCE into units of the later asset TO, as far as the rules allow.

    \b
    carbonbook operate carry-over 2 CEA23 CEA25 8000 --year 2025 --net-sales 2000 --session OPS
    """
    from engine.control import CarryOver
    from engine.schema import EventKind

    def make(it: Client) -> Control:
        return checked(
            CarryOver,
            account=account,
            source=numbered(it, "assets", source),
            target=numbered(it, "assets", to),
            units=units,
            net_sales=net_sales,
            year=year,
            reference=reference,
        )

    def tell(_: Client, event: Any) -> Told:
        so_far = int(event["remaining"])
        text = f"account {account}: {units:,} {source} are {to} now; carried over from {source} so far: {so_far:,}"
        return Told(text, {"account": account, "from": source, "to": to, "units": units, "carried_over": so_far})

    act(target, as_json, make, EventKind.UNITS_CARRIED_OVER, tell)


@click.command()
@click.argument("date", required=False)
@click.option("--refused", is_flag=True, help="The registry refused the file: the day cannot be settled yet.")
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The settlement file that this answers: its SHA-256 goes into the journal, before the cause.",
)
@cause_option
@json_option
@pass_target
def acknowledge(target: Target, date: str | None, refused: bool, file: Path | None, cause: str, as_json: bool) -> None:
    """Pass on the registry's answer to the settlement file of DATE (YYYY-MM-DD; default: the trading date).

    With --file and a journal in the server's data folder here, the file must be the one that the journal gives.

    \b
    carbonbook operate acknowledge 2025-08-11 --file settlement-2025-08-11.csv --session OPS
    """
    from engine.control import AcknowledgeSettlement
    from engine.schema import EventKind

    given = date_of(date, "DATE") if date else 0
    said = digest_cause(file, cause) if file else cause

    def make(it: Client) -> Control:
        day = given or trading_date(it)
        if file and not refused:
            check_file(target.data, day, file)
        return checked(AcknowledgeSettlement, date=day, accepted=not refused, cause=said)

    def tell(_: Client, event: Any) -> Told:
        day = iso(int(event["aux"]))
        return Told(
            f"settlement of {day}: {'refused' if refused else 'accepted'}", {"date": day, "accepted": not refused}
        )

    act(target, as_json, make, EventKind.SETTLEMENT_ACKNOWLEDGED, tell)


@click.command()
@click.argument("state", type=click.Choice(["open", "close"], case_sensitive=False))
@cause_option
@json_option
@pass_target
def transfers(target: Target, state: str, cause: str, as_json: bool) -> None:
    """Open or close the transfer window, until the calendar's next moment: whether owners may ask for transfers.

    \b
    carbonbook operate transfers close --cause "registry not reachable" --session OPS
    """
    from engine.control import SetTransferWindow
    from engine.schema import EventKind

    def tell(_: Client, event: Any) -> Told:
        is_open, was_open = bool(event["aux"]), bool(event["aux2"])
        before = "as before" if is_open == was_open else f"{'open' if was_open else 'closed'} before"
        text = f"transfers: {'open' if is_open else 'closed'} ({before})"
        return Told(text, {"open": is_open, "was_open": was_open})

    message = checked(SetTransferWindow, open=state.lower() == "open", cause=cause)
    act(target, as_json, lambda _: message, EventKind.TRANSFER_WINDOW_SET, tell)


COMMANDS: Final = (place_hold, release_hold, realise_hold, allocate, obligation, carry_over, transfers, acknowledge)
