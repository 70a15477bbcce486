"""`carbonbook operate`: cancel an order, cancel a trade."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from gateway.commands.common import Failure, journal_errors, json_option, locate_journal
from gateway.commands.connect import Target, pass_target
from gateway.commands.operating import ID, Told, act, checked, date_of, needed_cause_option
from gateway.commands.types import LOTS, PRICE

if TYPE_CHECKING:
    from engine.control import Control
    from gateway.client import Client


@click.command("cancel-order")
@click.argument("order_id", type=ID)
@needed_cause_option
@json_option
@pass_target
def cancel_order(target: Target, order_id: int, cause: str, as_json: bool) -> None:
    """Cancel one order of anybody.

    \b
    carbonbook operate cancel-order 17 --cause "entered by mistake, told by phone" --session OPS
    """
    from engine.control import CancelOrder
    from engine.schema import EventKind

    def tell(_: Client, event: Any) -> Told:
        lots = int(event["quantity"])
        return Told(f"order {order_id}: cancelled, {lots:,} lots were left", {"order_id": order_id, "cancelled": lots})

    message = checked(CancelOrder, order=order_id, cause=cause)
    act(target, as_json, lambda _: message, EventKind.CANCELLED, tell)


class Terms(NamedTuple):
    """A trade as it stands in the journal; price in ticks."""

    mode: int
    instrument: int
    buyer: int
    seller: int
    price: int
    quantity: int
    date: int


@click.command()
@click.argument("trade", type=ID)
@click.option("--mode", type=click.Choice(["listed", "block", "bidding"]), help="How it was traded.")
@click.option("--instrument", help="Its instrument.")
@click.option("--buyer", type=ID, help="The buyer's account.")
@click.option("--seller", type=ID, help="The seller's account.")
@click.option("--price", type=PRICE, help="Its price.")
@click.option("--lots", type=LOTS, help="Its lots.")
@click.option("--date", help="Its trading date YYYY-MM-DD.")
@needed_cause_option
@json_option
@pass_target
def bust(target: Target, trade: int, cause: str, as_json: bool, **stated: Any) -> None:
    """Cancel trade TRADE (its event sequence): units and money go back, fees stay.

    Where the server's data folder lies here its terms are read from the journal; elsewhere state all of them.

    \b
    carbonbook operate bust 1207 --cause "obvious error, rule 31" --session OPS
    """
    from engine.control import BustTrade
    from engine.schema import EventKind, Mode

    given = {name: value for name, value in stated.items() if value is not None}
    if given and len(given) < len(stated):
        missing = ", ".join(f"--{name}" for name in stated if name not in given)
        raise click.UsageError(f"state all of the trade's terms or none; missing: {missing}", None)
    found = None if given else terms_of(target.data, trade)

    def make(it: Client) -> Control:
        terms = found or Terms(
            mode=int(Mode[given["mode"].upper()]),
            instrument=it.reference.instrument(given["instrument"]).number,
            buyer=given["buyer"],
            seller=given["seller"],
            price=it.reference.ticks(given["instrument"], given["price"]),
            quantity=given["lots"],
            date=date_of(given["date"], "--date"),
        )
        return checked(BustTrade, trade=trade, cause=cause, **terms._asdict())

    def tell(it: Client, event: Any) -> Told:
        number = int(event["instrument"])
        symbol, price = it.reference.instrument(number).symbol, it.reference.price(number, int(event["price"]))
        facts = {
            "trade": trade,
            "instrument": symbol,
            "price": price,
            "quantity": int(event["quantity"]),
            "buyer": int(event["account"]),
            "seller": int(event["contra_account"]),
            "cash_returned": int(event["aux"]),
            "units_returned": int(event["aux2"]),
        }
        parties = f"account {facts['buyer']} had bought from account {facts['seller']}"
        return Told(f"trade {trade} cancelled: {facts['quantity']:,} {symbol} @ {price}, {parties}", facts)

    act(target, as_json, make, EventKind.TRADE_BUSTED, tell)


def terms_of(data: Path, trade: int) -> Terms:
    """What a trade's event in the journal says, and the trading date at that moment. Raises Failure."""
    import numpy as np

    from engine.schema import EventKind, Mode, Side
    from replay import JournalReader

    modes = {EventKind.TRADE: Mode.LISTED, EventKind.BLOCK_TRADE: Mode.BLOCK, EventKind.AUCTION_TRADE: Mode.BIDDING}
    with journal_errors():
        reader = JournalReader(locate_journal(data))
        event = next((part[0] for part in reader.events(trade, trade)), None)
        if event is None or int(event["kind"]) not in modes:
            raise Failure(f"event {trade} of the journal is no trade; the number of a trade is its event sequence")
        date, end = 0, trade
        for segment in reversed([s for s in reader.segments() if s.first_event <= trade]):
            for part in reader.events(segment.first_event, end):
                opened = part[part["kind"] == EventKind.DAY_OPENED]
                date = int(np.max(opened["aux"], initial=date))
            if date:
                break
            end = segment.first_event
    buys = event["side"] != Side.SELL
    buyer, seller = int(event["account"]), int(event["contra_account"])
    return Terms(
        mode=int(modes[EventKind(int(event["kind"]))]),
        instrument=int(event["instrument"]),
        buyer=buyer if buys else seller,
        seller=seller if buys else buyer,
        price=int(event["price"]),
        quantity=int(event["quantity"]),
        date=date,
    )


COMMANDS: Final = (cancel_order, bust)
