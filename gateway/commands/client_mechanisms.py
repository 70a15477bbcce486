"""`carbonbook client`: block trades, auctions, the registry, the firm's own kill switch."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from gateway.commands.common import Failure, json_option, parse_time, print_json, table
from gateway.commands.connect import Target, opened, pass_target
from gateway.commands.types import ACCOUNT, LOTS, NUMBER, PRICE, SIDE

if TYPE_CHECKING:
    from gateway.client import Client
    from gateway.handles import Followed
    from gateway.register_views import Negotiation

account_option = click.option("--account", type=ACCOUNT, help="Account number (default: the firm's first).")


def rows_out(rows: Sequence[Any], as_json: bool, none: str) -> None:
    """NamedTuples as a table or as JSON; enums by name."""
    found = [{k: getattr(v, "name", v) for k, v in row._asdict().items()} for row in rows]
    if as_json:
        print_json(found)
    else:
        click.echo(table(list(found[0]), [list(row.values()) for row in found]) if found else none)


def _tell(handle: Followed, what: str, as_json: bool) -> None:
    facts = {
        what: handle.number,
        "number": handle.client_order_id,
        "status": handle.stage.value,
        "price": handle.price,
        "quantity": handle.quantity,
        "filled": handle.filled,
        "fees": handle.fees,
    }
    if as_json:
        print_json(facts)
    else:
        click.echo(f"{what} {handle.number}: {handle.stage.value}; {handle.quantity:,} @ {handle.price}")


# --- block trades -----------------------------------------------------------------------------------------------------


@click.group()
def block() -> None:
    """Negotiate a block trade: offer, list, counter, accept, withdraw.

    \b
    carbonbook client block offer CEA24 sell 200000 72.00 --to 2 --session ALPHA
    """


@block.command()
@click.argument("instrument")
@click.argument("side", type=SIDE)
@click.argument("lots", type=LOTS)
@click.argument("price", type=PRICE)
@click.option("--to", "counterparty", type=ACCOUNT, help="Only this account may answer (default: everybody).")
@click.option("--until", help="Last moment, ISO 8601 (default: the end of the day).")
@account_option
@json_option
@pass_target
def offer(
    target: Target,
    instrument: str,
    side: Literal["buy", "sell"],
    lots: int,
    price: Decimal,
    counterparty: int | None,
    until: str | None,
    account: int | None,
    as_json: bool,
) -> None:
    """Offer a block: INSTRUMENT buy|sell LOTS PRICE. What it needs is locked until it ends.

    \b
    carbonbook client block offer CEA24 sell 200000 72.00 --to 2 --session ALPHA
    """
    with opened(target) as it:
        moment = parse_time(until, it.reference.data.timezone, "--until") if until else 0
        made = it.block_offer(
            instrument, side, lots, price, counterparty=counterparty, until=moment, account=account
        ).wait()
    _tell(made, "negotiation", as_json)


@block.command("list")
@json_option
@pass_target
def list_(target: Target, as_json: bool) -> None:
    """List the negotiations that you may see: public offers and your own.

    \b
    carbonbook client block list --session ALPHA
    """
    with opened(target) as it:
        found = it.negotiations()
    rows_out(found, as_json, "no negotiations")


def _seen(it: Client, number: int) -> Negotiation:
    """A negotiation by its id. Raises Failure."""
    from engine.schema import REASON_TEXT, Reason

    for one in it.negotiations():
        if one.number == number:
            return one
    reason = Reason.UNKNOWN_NEGOTIATION
    text = f"refused: {reason.name} ({int(reason)}): {REASON_TEXT[reason]}"
    raise Failure(text, reason=reason.name, code=int(reason))


@block.command()
@click.argument("number", type=NUMBER)
@click.argument("lots", type=LOTS)
@click.argument("price", type=PRICE)
@account_option
@json_option
@pass_target
def counter(target: Target, number: int, lots: int, price: Decimal, account: int | None, as_json: bool) -> None:
    """Answer negotiation NUMBER with other terms: LOTS PRICE.

    \b
    carbonbook client block counter 7 150000 71.50 --session BETA
    """
    with opened(target) as it:
        made = it.block_counter(_seen(it, number), lots, price, account=account).wait()
    _tell(made, "negotiation", as_json)


@block.command()
@click.argument("number", type=NUMBER)
@click.argument("lots", type=LOTS)
@click.argument("price", type=PRICE)
@account_option
@json_option
@pass_target
def accept(target: Target, number: int, lots: int, price: Decimal, account: int | None, as_json: bool) -> None:
    """Accept the terms of negotiation NUMBER, restated: LOTS PRICE. Refused when they have changed.

    \b
    carbonbook client block accept 7 150000 71.50 --session ALPHA
    """
    with opened(target) as it:
        made = it.block_accept(_seen(it, number), lots, price, account=account).wait()
    _tell(made, "negotiation", as_json)


@block.command()
@click.argument("number", type=NUMBER)
@account_option
@json_option
@pass_target
def withdraw(target: Target, number: int, account: int | None, as_json: bool) -> None:
    """End negotiation NUMBER: your own offer, or as one of its two parties.

    \b
    carbonbook client block withdraw 7 --session ALPHA
    """
    with opened(target) as it:
        it.block_withdraw(number, account=account).wait()
    print_json({"negotiation": number, "ended": True}) if as_json else click.echo(f"negotiation {number}: ended")


# --- auctions ---------------------------------------------------------------------------------------------------------


@click.group()
def bid() -> None:
    """Bid in auctions: list them, enter, replace, withdraw. Bids are sealed: nobody else sees them.

    \b
    carbonbook client bid enter 3 60000 74.00 --session ALPHA
    """


@bid.command()
@json_option
@pass_target
def auctions(target: Target, as_json: bool) -> None:
    """List the auctions that are announced, open, or closed and waiting for their seed.

    \b
    carbonbook client bid auctions --session ALPHA
    """
    with opened(target) as it:
        found = it.auctions()
    rows_out(found, as_json, "no auctions")


@bid.command("list")
@json_option
@pass_target
def bids(target: Target, as_json: bool) -> None:
    """List the firm's live bids.

    \b
    carbonbook client bid list --session ALPHA
    """
    with opened(target) as it:
        found = it.bids()
    rows_out(found, as_json, "no live bids")


@bid.command()
@click.argument("auction", type=NUMBER)
@click.argument("lots", type=LOTS)
@click.argument("price", type=PRICE)
@account_option
@json_option
@pass_target
def enter(target: Target, auction: int, lots: int, price: Decimal, account: int | None, as_json: bool) -> None:
    """Bid in AUCTION: LOTS PRICE; in a reverse auction that is an offer to sell.

    \b
    carbonbook client bid enter 3 60000 74.00 --session ALPHA
    """
    from engine.schema import REASON_TEXT, Reason, Side

    with opened(target) as it:
        seen = next((one for one in it.auctions() if one.number == auction), None)
        if seen is None:
            reason = Reason.UNKNOWN_AUCTION
            text = f"refused: {reason.name} ({int(reason)}): {REASON_TEXT[reason]}"
            raise Failure(text, reason=reason.name, code=int(reason))
        side = Side.BUY if seen.side == Side.SELL else Side.SELL
        made = it.bid(auction, seen.symbol, lots, price, side=side, account=account).wait()
    _tell(made, "bid", as_json)


@bid.command("replace")
@click.argument("number", type=NUMBER)
@click.argument("lots", type=LOTS)
@click.argument("price", type=PRICE)
@json_option
@pass_target
def replace_bid(target: Target, number: int, lots: int, price: Decimal, as_json: bool) -> None:
    """Change bid NUMBER to LOTS PRICE.

    \b
    carbonbook client bid replace 812 60000 74.50 --session ALPHA
    """
    with opened(target) as it:
        symbol = next((one.symbol for one in it.bids() if one.number == number), None)
        event = it.replace_bid(number, lots, price, instrument=symbol or 1).wait().events[-1]
    kept = bool(event["aux2"])
    if as_json:
        print_json({"bid": number, "price": price, "quantity": lots, "kept_time": kept})
    else:
        click.echo(f"bid {number}: now {lots:,} @ {price}, {'kept its time' if kept else 'lost its time'}")


@bid.command("withdraw")
@click.argument("number", type=NUMBER)
@json_option
@pass_target
def withdraw_bid(target: Target, number: int, as_json: bool) -> None:
    """Take bid NUMBER back.

    \b
    carbonbook client bid withdraw 812 --session ALPHA
    """
    with opened(target) as it:
        it.withdraw_bid(number).wait()
    print_json({"bid": number, "ended": True}) if as_json else click.echo(f"bid {number}: withdrawn")


# --- the firm's own kill switch ---------------------------------------------------------------------------------------


@click.command()
@click.option("--resume", is_flag=True, help="Trade again.")
@json_option
@pass_target
def kill(target: Target, resume: bool, as_json: bool) -> None:
    """Stop your own firm: every order, negotiation and bid of it ends, nothing new is taken.

    \b
    carbonbook client kill --session ALPHA
    carbonbook client kill --resume --session ALPHA
    """
    with opened(target) as it:
        ended = (it.resume_firm() if resume else it.kill()).wait().ended
    if as_json:
        print_json({"stopped": not resume, "ended": ended})
    else:
        click.echo("the firm trades again" if resume else f"the firm is stopped; {ended:,} things ended")


COMMANDS: Final = (block, bid, kill)
