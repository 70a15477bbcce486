"""`carbonbook client`: trade from the command line. Uses the network and never the matching engine."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import click

from gateway.commands import client_mechanisms, client_registry
from gateway.commands.common import Failure, json_option, print_json, table
from gateway.commands.connect import Target, opened, pass_target
from gateway.commands.statements import client_statement
from gateway.commands.types import LOTS, PRICE, SIDE

if TYPE_CHECKING:
    from gateway.orders import OrderHandle


@click.group()
def client() -> None:
    """Trade: place, cancel, replace, take, look, watch; block trades, auctions, the registry.

    Options of the connection may also stand in the environment (CARBONBOOK_SESSION and so on). On the server's own
    machine --session is enough. Each call logs on as that session and ends an earlier connection of it: give a
    program and your own hands sessions of their own. Orders stay in the book when the call ends. A refusal gives exit
    code 1 with its reason.

    \b
    carbonbook client place CEA24 buy 100 73.20 --session ALPHA
    carbonbook client orders --connect tcp://10.0.0.5:7001 --key ALPHA.secret --server-key server.pub
    """


# --- orders -----------------------------------------------------------------------------------------------------------


@client.command()
@click.argument("instrument")
@click.argument("side", type=SIDE)
@click.argument("lots", type=LOTS)
@click.argument("price", type=PRICE, required=False)
@click.option("--market", is_flag=True, help="At any price up to the day's limit, or PRICE as the worst one.")
@click.option(
    "--tif", type=click.Choice(["day", "gtc", "ioc", "fok"]), help="Time in force (default: day; market: ioc)."
)
@click.option("--post-only", is_flag=True, help="Refuse instead of taking from the book.")
@click.option("--account", type=click.IntRange(min=1), help="Account number (default: the firm's first).")
@json_option
@pass_target
def place(
    target: Target,
    instrument: str,
    side: Literal["buy", "sell"],
    lots: int,
    price: Decimal | None,
    market: bool,
    tif: Literal["day", "gtc", "ioc", "fok"] | None,
    post_only: bool,
    account: int | None,
    as_json: bool,
) -> None:
    """Enter an order: INSTRUMENT buy|sell LOTS [PRICE].

    \b
    carbonbook client place CEA24 buy 100 73.20 --session ALPHA
    carbonbook client place CEA24 sell 50 --market --session ALPHA
    """
    if price is None and not market:
        raise click.UsageError("state a PRICE, or --market", click.get_current_context())
    with opened(target) as it:
        order = it.place(
            instrument, side, lots, price, market=market, time_in_force=tif, post_only=post_only, account=account
        )
        _say_order(order.wait(), as_json)


@client.command()
@click.argument("listing", type=click.IntRange(min=1))
@click.argument("instrument")
@click.argument("side", type=SIDE)
@click.argument("lots", type=LOTS)
@click.argument("price", type=PRICE)
@click.option("--account", type=click.IntRange(min=1), help="Account number (default: the firm's first).")
@json_option
@pass_target
def take(
    target: Target,
    listing: int,
    instrument: str,
    side: Literal["buy", "sell"],
    lots: int,
    price: Decimal,
    account: int | None,
    as_json: bool,
) -> None:
    """Pick one listing by its order id: LISTING INSTRUMENT buy|sell LOTS PRICE (listed agreement).

    SIDE is yours, PRICE what the listing was seen at.

    \b
    carbonbook client take 17 CEA24 sell 50 73.20 --session BETA
    """
    with opened(target) as it:
        _say_order(it.take(listing, instrument, side, lots, price, account=account).wait(), as_json)


def _say_order(order: OrderHandle, as_json: bool) -> None:
    """The order as it stands: what its own command gave comes together with the acceptance."""
    facts = {
        "order_id": order.order_id,
        "number": order.client_order_id,
        "status": order.status.value,
        "side": order.side.name.lower(),
        "instrument": order.instrument.symbol,
        "quantity": order.quantity,
        "price": order.price,
        "filled": order.filled,
        "remaining": order.remaining,
        "average_price": order.average_price,
        "fees": order.fees,
    }
    if as_json:
        print_json(facts)
        return
    average = f" at {order.average_price:.6g}" if order.average_price is not None else ""
    click.echo(
        f"order {order.order_id}: {order.status.value}; {facts['side']} {order.quantity:,} {order.instrument.symbol}"
        f" @ {order.price}, filled {order.filled:,}{average}, remaining {order.remaining:,}"
    )


@client.command()
@click.argument("order_id", type=click.IntRange(min=1))
@json_option
@pass_target
def cancel(target: Target, order_id: int, as_json: bool) -> None:
    """Cancel an order by its id.

    \b
    carbonbook client cancel 17 --session ALPHA
    """
    with opened(target) as it:
        event = it.cancel(order_id).wait().events[-1]
    cancelled = int(event["quantity"])
    if as_json:
        print_json({"order_id": order_id, "cancelled": cancelled})
    else:
        click.echo(f"order {order_id}: cancelled, {cancelled:,} lots were left")


@client.command()
@click.argument("order_id", type=click.IntRange(min=1))
@click.option("--lots", type=LOTS, help="New total, what is filled included (default: as it is).")
@click.option("--price", type=PRICE, help="New price (default: as it is).")
@json_option
@pass_target
def replace(target: Target, order_id: int, lots: int | None, price: Decimal | None, as_json: bool) -> None:
    """Change an order of this session. Fewer lots at the same price keep the place in the queue.

    \b
    carbonbook client replace 17 --price 73.30 --lots 80 --session ALPHA
    """
    if lots is None and price is None:
        raise click.UsageError("state --lots, --price or both", click.get_current_context())
    from engine.schema import REASON_TEXT, Reason

    with opened(target) as it:
        order = next((order for order in it.open_orders() if order.order_id == order_id), None)
        if order is None:
            reason = Reason.UNKNOWN_ORDER
            text = f"refused: {reason.name} ({int(reason)}): {REASON_TEXT[reason]} {order_id} of this session"
            raise Failure(text, reason=reason.name, code=int(reason))
        ticks = it.reference.ticks(order.symbol, order.price if price is None else price)
        events = it.replace(order_id, order.quantity if lots is None else lots, ticks=ticks).wait().events
        event = events[-1]
        made = {
            "order_id": order_id,
            "price": it.reference.price(order.symbol, int(event["price"])),
            "quantity": int(event["quantity"]),
            "remaining": int(event["remaining"]),
            "kept_priority": bool(event["aux2"]),
        }
    if as_json:
        print_json(made)
    else:
        place_kept = "kept its place" if made["kept_priority"] else "went to the end of its queue"
        click.echo(f"order {order_id}: now {made['quantity']:,} @ {made['price']}, {place_kept}")


@client.command("mass-cancel")
@click.option("--instrument", help="Only this one.")
@click.option("--side", type=SIDE, help="Only this side.")
@click.option("--account", type=click.IntRange(min=1), help="Only this account.")
@click.option("--this-session", is_flag=True, help="Only orders entered by this session, not the whole firm's.")
@json_option
@pass_target
def mass_cancel(
    target: Target,
    instrument: str | None,
    side: Literal["buy", "sell"] | None,
    account: int | None,
    this_session: bool,
    as_json: bool,
) -> None:
    """Cancel all orders of the firm that fit the options.

    \b
    carbonbook client mass-cancel --instrument CEA24 --side buy --session ALPHA
    """
    with opened(target) as it:
        answer = it.mass_cancel(instrument=instrument, side=side, account=account, this_session=this_session).wait()
        count = int(answer.events[-1]["quantity"])
    if as_json:
        print_json({"cancelled": count})
    else:
        click.echo(f"{count:,} order{'' if count == 1 else 's'} cancelled")


# --- looking ----------------------------------------------------------------------------------------------------------


@client.command()
@json_option
@pass_target
def orders(target: Target, as_json: bool) -> None:
    """List this session's live orders.

    \b
    carbonbook client orders --session ALPHA
    """
    with opened(target) as it:
        found = [order._asdict() | {"side": order.side.name.lower()} for order in it.open_orders()]
    if as_json:
        print_json(found)
    else:
        heads = ["order_id", "client_order_id", "symbol", "account", "side", "price", "quantity", "remaining"]
        click.echo(table(heads, [[order[name] for name in heads] for order in found]) if found else "no live orders")


@client.command()
@click.argument("instrument")
@json_option
@pass_target
def book(target: Target, instrument: str, as_json: bool) -> None:
    """Show the best five levels of each side.

    \b
    carbonbook client book CEA24 --session ALPHA
    """
    from gateway.commands.looks import book_json, book_table

    with opened(target) as it:
        found = it.book(instrument)
    if as_json:
        print_json(book_json(found))
    else:
        click.echo(f"{found.symbol}  {found.phase.name}\n{book_table(found)}")


@client.command()
@click.argument("instrument", required=False)
@json_option
@pass_target
def day(target: Target, instrument: str | None, as_json: bool) -> None:
    """Show the day's figures of INSTRUMENT, or of all.

    \b
    carbonbook client day --session ALPHA
    """
    from gateway.commands.looks import day_json, days_table

    with opened(target) as it:
        found = [it.day(instrument)] if instrument else it.days()
    if as_json:
        print_json([day_json(one) for one in found])
    else:
        click.echo(f"trading date {found[0].trading_date or 'none yet'}, {found[0].stage.name}\n{days_table(found)}")


@client.command()
@click.argument("number", type=click.IntRange(min=1), required=False)
@json_option
@pass_target
def account(target: Target, number: int | None, as_json: bool) -> None:
    """Show cash and holdings of account NUMBER (default: the firm's first).

    \b
    carbonbook client account --session ALPHA
    """
    from gateway.commands.looks import account_json, account_table

    with opened(target) as it:
        if number is None and not it.reference.accounts:
            raise Failure("this session has no account; an operator opens one: carbonbook operate open-account")
        found = it.account(number)
        name = dict(it.reference.accounts).get(found.number, "")
    if as_json:
        print_json(account_json(found) | {"name": name})
    else:
        click.echo(f"{name} (account {found.number})\n{account_table(found)}")


@client.command()
@click.option("--after", type=click.IntRange(min=0), help="Begin behind this event sequence; 0 = all this session got.")
@click.option("--for", "seconds", type=click.FloatRange(min=0), help="End after so many seconds (default: Ctrl-C).")
@click.option("--kind", "kinds", multiple=True, help="Only events of this kind, such as TRADE; may be repeated.")
@json_option
@pass_target
def watch(target: Target, after: int | None, seconds: float | None, kinds: tuple[str, ...], as_json: bool) -> None:
    """Print this session's events as they come: acceptances, trades, fees, ends.

    \b
    carbonbook client watch --session ALPHA
    carbonbook client watch --after 0 --for 1 --kind TRADE --session ALPHA       all fills so far
    """
    from gateway.commands.watching import follow, kinds_named

    wanted = kinds_named(kinds)
    with opened(target) as it, contextlib.suppress(KeyboardInterrupt):
        follow(it, after, seconds, wanted, as_json)


@client.command()
@json_option
@pass_target
def status(target: Target, as_json: bool) -> None:
    """Show what the venue takes, room in its journal, and what the sessions of the firm were refused.

    \b
    carbonbook client status --session ALPHA
    """
    from gateway.commands.looks import status_json, status_text

    with opened(target) as it:
        found = it.status()
    if as_json:
        print_json(status_json(found))
    else:
        click.echo(status_text(found))


client.add_command(client_statement)
for commands in (client_mechanisms, client_registry):
    for command in commands.COMMANDS:
        client.add_command(command)
