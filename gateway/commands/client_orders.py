"""`carbonbook client`: orders and quotes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from gateway.commands.client_mechanisms import account_option
from gateway.commands.common import Failure, json_option, print_json
from gateway.commands.connect import Target, opened, pass_target
from gateway.commands.operating import iso
from gateway.commands.types import ACCOUNT, DATE, LOTS, NUMBER, PRICE, SIDE

if TYPE_CHECKING:
    from gateway.client import Client
    from gateway.order_entry import TimeInForceName
    from gateway.orders import OrderHandle
    from gateway.quotes import QuoteHandle
    from gateway.views import OpenOrder

SIDE_OPTION: Final = (LOTS, PRICE)
PLACED: Final = (
    "stops and icebergs are day, gtc or gtd orders, market orders ioc or fok; --minimum, at most LOTS, and --hidden do "
    "not go with --stop or --shown, --post-only not with --stop"
)
REPLACED: Final = "--stop is for a stop order that waits, --shown for an iceberg, --good-till for an order with a date"
QUOTED: Final = "the bid must be below the offer"


@contextmanager
def hinted(it: Client, instrument: str, together: str = "") -> Iterator[None]:
    """Add to a refusal what can be done about it; `together`: what goes together in this command."""
    from gateway.errors import Rejected

    try:
        yield
    except Rejected as error:
        hint = _hint(it, instrument, error.reason.name, together)
        error.text += f"; {hint}" if hint else ""
        raise


def _hint(it: Client, symbol: str, reason: str, together: str) -> str:
    known = {i.symbol: i for i in it.reference.instruments}.get(symbol)
    if known is None:
        return ""
    flags = [name for name, offered in (("--post-only", known.post_only), ("--hidden", known.hidden)) if offered]
    hints = {
        "INVALID_ORDER_TYPE": f"{symbol} offers: {', '.join(known.order_types)}",
        "INVALID_TIME_IN_FORCE": f"{symbol} offers: {', '.join(known.times_in_force)}",
        "INVALID_FLAGS": f"{symbol} offers {' and '.join(flags) or 'neither --post-only nor --hidden'}",
        "INVALID_COMBINATION": together,
        "INVALID_DATE": "write the present trading date or a later one (`carbonbook client day`)",
        "MODE_NOT_OFFERED": f"{symbol} takes no quotes: enter a bid and an offer with `carbonbook client place`",
        "WRONG_PHASE": f"see `carbonbook client day {symbol}`; a call takes limit, market and iceberg orders",
        "MIN_QUANTITY_NOT_MET": f"look at `carbonbook client book {symbol}`, or state a smaller --minimum",
        "FOK_NOT_FILLABLE": f"look at `carbonbook client book {symbol}`, or take what is there with --tif ioc",
        "PRICE_REQUIRED": "state the worst PRICE as well",
    }
    if "iceberg" in known.order_types:
        hints["INVALID_QUANTITY"] = "of an iceberg more than --shown, and at most 100 times as many"
    return hints.get(reason, "")


@click.command()
@click.argument("instrument")
@click.argument("side", type=SIDE)
@click.argument("lots", type=LOTS)
@click.argument("price", type=PRICE, required=False)
@click.option("--market", is_flag=True, help="At any price up to the day's limit, or PRICE as the worst one.")
@click.option(
    "--tif",
    type=click.Choice(["day", "gtc", "ioc", "fok", "gtd"]),
    help="Time in force (default: day; market: ioc; with --good-till: gtd).",
)
@click.option("--post-only", is_flag=True, help="Refuse instead of taking from the book.")
@click.option("--stop", type=PRICE, help="Wait until the last price is here (buy: or higher, sell: or lower).")
@click.option("--shown", type=LOTS, help="An iceberg: show so many lots at a time.")
@click.option("--hidden", is_flag=True, help="Show nothing; behind all displayed orders of the price.")
@click.option("--minimum", type=LOTS, help="Refuse unless so many lots trade at once.")
@click.option("--good-till", type=DATE, help="Last trading date YYYY-MM-DD.")
@account_option
@json_option
@pass_target
def place(
    target: Target,
    instrument: str,
    side: Literal["buy", "sell"],
    lots: int,
    price: Decimal | None,
    market: bool,
    tif: TimeInForceName | None,
    post_only: bool,
    stop: Decimal | None,
    shown: int | None,
    hidden: bool,
    minimum: int | None,
    good_till: date | None,
    account: int | None,
    as_json: bool,
) -> None:
    """Enter an order: INSTRUMENT buy|sell LOTS [PRICE].

    \b
    carbonbook client place CEA24 buy 100 73.20 --session ALPHA
    carbonbook client place CEA24 sell 50 --market --session ALPHA
    carbonbook client place EUA-DEC25 sell 50 70.10 --shown 5 --session ALPHA            an iceberg
    carbonbook client place EUA-DEC25 sell 50 69.40 --stop 69.50 --session ALPHA         a stop-limit order
    carbonbook client place EUA-DEC25 sell 50 69.00 --market --stop 69.50 --session ALPHA   a stop, not below 69.00
    carbonbook client place EUA-DEC25 buy 50 70.10 --minimum 20 --session ALPHA
    carbonbook client place EUA-DEC25 buy 50 68.00 --good-till 2025-08-29 --session ALPHA
    """
    wrong = _wrong_terms(price, market, tif, shown, good_till)
    if wrong:
        raise click.UsageError(wrong, click.get_current_context())
    with opened(target) as it, hinted(it, instrument, PLACED):
        order = it.place(
            instrument,
            side,
            lots,
            price,
            market=market,
            time_in_force=tif,
            post_only=post_only,
            stop=stop,
            shown=shown or 0,
            hidden=hidden,
            minimum=minimum or 0,
            good_till=good_till,
            account=account,
        )
        _say_order(order.wait(), as_json)


def _wrong_terms(
    price: Decimal | None, market: bool, tif: str | None, shown: int | None, good_till: date | None
) -> str:
    """What does not go together, and what to write instead; "" when all does."""
    if price is None and not market:
        return "state a PRICE, or --market"
    if market and shown:
        return "--shown is for limit orders: state a PRICE without --market"
    if good_till and tif not in (None, "gtd"):
        return f"--good-till does not go with --tif {tif}: leave --tif out"
    if tif == "gtd" and not good_till:
        return "--tif gtd needs its last trading date: --good-till YYYY-MM-DD"
    return ""


@click.command()
@click.argument("listing", type=NUMBER)
@click.argument("instrument")
@click.argument("side", type=SIDE)
@click.argument("lots", type=LOTS)
@click.argument("price", type=PRICE)
@account_option
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
    with opened(target) as it, hinted(it, instrument):
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
        "stop": order.stop,
        "shown": order.shown,
        "visible": order.visible,
        "triggered": order.triggered,
        "good_till": order.good_till,
    }
    if as_json:
        print_json(facts)
        return
    average = f" at {order.average_price:.6g}" if order.average_price is not None else ""
    click.echo(
        f"order {order.order_id}: {order.status.value}; {facts['side']} {order.quantity:,} {order.instrument.symbol}"
        f" @ {order.price}, filled {order.filled:,}{average}, remaining {order.remaining:,}{_more(order)}"
    )


def _more(order: OrderHandle) -> str:
    """What an order has that most have not."""
    parts = [
        f"stop {order.stop}{' (met)' if order.triggered else ''}" if order.stop is not None else "",
        f"shows {order.visible:,}" if order.shown and order.visible else "",
        "hidden" if order.hidden else "",
        f"good till {iso(order.good_till)}" if order.good_till else "",
    ]
    return "".join(f", {part}" for part in parts if part)


@click.command()
@click.argument("order_id", type=NUMBER)
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


@click.command()
@click.argument("order_id", type=NUMBER)
@click.option("--lots", type=LOTS, help="New total, what is filled included (default: as it is).")
@click.option("--price", type=PRICE, help="New price (default: as it is).")
@click.option("--stop", type=PRICE, help="New stop price, while the order waits for it.")
@click.option("--shown", type=LOTS, help="New shown part of an iceberg.")
@click.option("--good-till", type=DATE, help="New last trading date of an order that has one, YYYY-MM-DD.")
@json_option
@pass_target
def replace(
    target: Target,
    order_id: int,
    lots: int | None,
    price: Decimal | None,
    stop: Decimal | None,
    shown: int | None,
    good_till: date | None,
    as_json: bool,
) -> None:
    """Change an order of this session. Fewer lots at the same price keep the place in the queue.

    \b
    carbonbook client replace 17 --price 73.30 --lots 80 --session ALPHA
    carbonbook client replace 18 --stop 69.20 --session ALPHA
    """
    if all(new is None for new in (lots, price, stop, shown, good_till)):
        text = "state what to change: --lots, --price, --stop, --shown or --good-till"
        raise click.UsageError(text, click.get_current_context())
    with opened(target) as it:
        order = _own_order(it, order_id)
        kept = 0 if order.waiting else it.reference.ticks(order.symbol, order.price)
        with hinted(it, order.symbol, REPLACED):
            asked = it.replace(
                order_id,
                order.quantity if lots is None else lots,
                price,
                ticks=kept if price is None else None,
                stop=stop,
                shown=shown,
                good_till=good_till,
                instrument=order.symbol,
            ).wait()
        event = asked.events[-1]
        made = {
            "order_id": order_id,
            "price": it.reference.price(order.symbol, int(event["price"])),
            "quantity": int(event["quantity"]),
            "remaining": int(event["remaining"]),
            "kept_priority": asked.kept_place,
        }
    if as_json:
        print_json(made)
    else:
        place_kept = "kept its place" if made["kept_priority"] else "went to the end of its queue"
        click.echo(f"order {order_id}: now {made['quantity']:,} @ {made['price']}, {place_kept}")


def _own_order(it: Client, order_id: int) -> OpenOrder:
    """A live order of this session. Raises Failure."""
    from engine.schema import REASON_TEXT, Reason

    order = next((order for order in it.open_orders() if order.order_id == order_id), None)
    if order is None:
        reason = Reason.UNKNOWN_ORDER
        text = f"refused: {reason.name} ({int(reason)}): {REASON_TEXT[reason]} {order_id} of this session"
        raise Failure(text, reason=reason.name, code=int(reason))
    return order


@click.command("mass-cancel")
@click.option("--instrument", help="Only this one.")
@click.option("--side", type=SIDE, help="Only this side.")
@click.option("--account", type=ACCOUNT, help="Only this account.")
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


@click.command()
@click.argument("instrument")
@click.option("--bid", type=SIDE_OPTION, metavar="LOTS PRICE", help="Buy so many lots at this price.")
@click.option("--offer", type=SIDE_OPTION, metavar="LOTS PRICE", help="Sell so many lots at this price.")
@click.option("--withdraw", is_flag=True, help="End the quote.")
@click.option("--post-only", is_flag=True, help="Refuse instead of taking from the book.")
@account_option
@json_option
@pass_target
def quote(
    target: Target,
    instrument: str,
    bid: tuple[int, Decimal] | None,
    offer: tuple[int, Decimal] | None,
    withdraw: bool,
    post_only: bool,
    account: int | None,
    as_json: bool,
) -> None:
    """Quote INSTRUMENT as a market maker: both sides at once, in the place of the quote before.

    A side that is left out is not quoted any more. Fewer lots at the same price keep the place in the queue.

    \b
    carbonbook client quote EUA --bid 10 69.95 --offer 10 70.05 --session ALPHA
    carbonbook client quote EUA --withdraw --session ALPHA
    """
    if withdraw == bool(bid or offer):
        text = "state --bid LOTS PRICE, --offer LOTS PRICE or both; or --withdraw alone"
        raise click.UsageError(text, click.get_current_context())
    with opened(target) as it, hinted(it, instrument, QUOTED):
        if withdraw:
            made = it.withdraw_quote(instrument, account=account)
        else:
            made = it.quote(instrument, bid, offer, post_only=post_only, account=account)
        _say_quote(made.wait(), as_json)


def _say_quote(made: QuoteHandle, as_json: bool) -> None:
    if as_json:
        sides = {"bid": made.bid, "offer": made.offer}
        facts: dict[str, Any] = {name: _side_json(order) if order else None for name, order in sides.items()}
        print_json({"number": made.client_order_id, **facts})
        return
    for order in made.orders:
        name = "bid" if order is made.bid else "offer"
        left = f"{order.remaining:,} @ {order.price}"
        click.echo(f"{name}, order {order.order_id}: {order.status.value}; {left}, filled {order.filled:,}")
    if not made.orders:
        click.echo(f"{made.instrument.symbol}: quote withdrawn")


def _side_json(order: OrderHandle) -> dict[str, Any]:
    names = ("order_id", "price", "quantity", "filled", "remaining")
    return {"status": order.status.value} | {name: getattr(order, name) for name in names}


COMMANDS: Final = (place, take, cancel, replace, mass_cancel, quote)
