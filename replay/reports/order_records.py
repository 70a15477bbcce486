"""A day's order records in the fields of Regulation (EU) 2017/580 (RTS 24), as far as the journal has them.

One row for each thing that happened to an order of the book. The header has all fields of the regulation in its order
and by its numbers; those that this venue neither asks for nor computes say so and stay empty. Prices are in currency
units, quantities in units of the asset (lots x units_per_lot), times UTC to the nanosecond. Bids in auctions and block
negotiations are no orders of the book: `settlement` has what they traded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from engine.schema import CommandKind, EventKind, OrderFlag, OrderType, Phase, Reason, Role, Side, TimeInForce
from engine.venue import Instrument, Venue
from replay.execute import Implementation
from replay.reader import JournalReader
from replay.reports.days import Sections, TradingDay, events_of, state_after, state_before, trading_day, utc
from replay.reports.live_orders import KINDS, LiveOrder, LiveOrders, Step

_NOT: Final = " [not recorded]"
FIELDS: Final = (
    "1 member (firm of the venue; no LEI)",
    "2 direct electronic access" + _NOT,
    "3 client (account of the venue; no LEI)",
    "4 investment decision within firm" + _NOT,
    "5 execution within firm" + _NOT,
    "6 non-executing broker" + _NOT,
    "7 trading capacity" + _NOT,
    "8 liquidity provision" + _NOT,
    "9 date and time",
    "10 validity period",
    "11 order restriction" + _NOT,
    "12 validity period date and time" + _NOT,
    "13 priority time stamp",
    "14 priority size",
    "15 sequence number",
    "16 segment MIC" + _NOT,
    "17 order book",
    "18 instrument code (ISIN)" + _NOT,
    "19 date of receipt",
    "20 order id",
    "21 event",
    "22 order type",
    "23 order type classification",
    "24 limit price",
    "25 additional limit price" + _NOT,
    "26 stop price (at TRIG)",
    "27 pegged limit price" + _NOT,
    "28 transaction price",
    "29 price currency",
    "30 currency of leg 2" + _NOT,
    "31 price notation",
    "32 side",
    "33 order status",
    "34 quantity notation",
    "35 quantity currency" + _NOT,
    "36 initial quantity",
    "37 remaining quantity",
    "38 displayed quantity",
    "39 traded quantity",
    "40 minimum acceptable quantity" + _NOT,
    "41 minimum executable size" + _NOT,
    "42 minimum executable size, first execution only" + _NOT,
    "43 passive only",
    "44 passive or aggressive",
    "45 self-execution prevention",
    "46 strategy linked order id" + _NOT,
    "47 routing strategy" + _NOT,
    "48 transaction id",
    "49 trading phase",
    "50 indicative auction price" + _NOT,
    "51 indicative auction volume" + _NOT,
)
"""The regulation's fields by number, as the file's header has them."""
OWN: Final = ("session", "client_order_id", "reason")
"""Columns of the venue's own behind them."""
COLUMNS: Final = (*FIELDS, *OWN)
_NAMES: Final = {int(name.split(" ")[0]): name for name in FIELDS}
_VALIDITY: Final = {
    TimeInForce.DAY: "DAVY",
    TimeInForce.GTC: "GTCV",
    TimeInForce.IOC: "IOCV",
    TimeInForce.FOK: "FOKV",
    TimeInForce.GTD: "GTDV",
}
_STOPS: Final = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.STOP_LIMIT_ICEBERG)
_REFUSED: Final = (CommandKind.NEW_ORDER, CommandKind.TAKE)
_READ: Final = [*KINDS, int(EventKind.REJECTED)]


def order_records(
    reader: JournalReader, date: int, implementation: Implementation
) -> tuple[TradingDay, Iterator[dict[str, Any]]]:
    """The day, and its records as dictionaries by COLUMNS, in event order; fields that are empty are left out.

    Raises NoSuchDay, JournalError (also while iterating).
    """
    day = trading_day(reader, date)
    before = state_before(reader, day, implementation)
    after = state_after(reader, day.last_command, day.last_event, implementation)
    roles = after["sessions"]["role"]
    operators = [0, *np.flatnonzero(roles == Role.OPERATOR).tolist()]
    live = carried(reader, day, before, operators)
    return day, _rows(reader, day, live, Sheet(reader.venue, after))


def carried(reader: JournalReader, day: TradingDay, before: Sections, operators: list[int]) -> LiveOrders:
    """The orders that live when a day begins, with their times: read back to where they were entered."""
    ids = before["orders"]["order_id"]
    live = LiveOrders(operators=operators)
    if len(ids):
        for events in events_of(reader, 1, day.first_event - 1):
            about = np.isin(events["order_id"], ids) | np.isin(events["contra_order_id"], ids)
            for _ in live.take(events[about & np.isin(events["kind"], KINDS)]):
                pass
    return live


def _rows(reader: JournalReader, day: TradingDay, live: LiveOrders, sheet: Sheet) -> Iterator[dict[str, Any]]:
    for events in events_of(reader, day.first_event, day.last_event):
        for event in events[np.isin(events["kind"], _READ)]:
            if event["kind"] != EventKind.REJECTED:
                for step in live.take([event]):
                    yield sheet.row(step)
            elif event["aux"] in _REFUSED:
                yield sheet.refusal(event)


class Sheet:
    """Writes rows for one venue.

    Args:
        after: the state after the day: which firm sessions and accounts belong to.
    """

    def __init__(self, venue: Venue, after: Sections) -> None:
        self._venue = venue
        self._session_firms = after["sessions"]["firm"].tolist()
        self._account_firms = after["accounts"]["firm"].tolist()

    def row(self, step: Step) -> dict[str, Any]:
        """What happened to an order, which stands as it is afterwards."""
        order, event = step.order, step.event
        terms = self._venue.instruments[order.instrument - 1]
        traded = step.traded * terms.units_per_lot
        shown = _shown(order)
        found: dict[int, Any] = {
            **self._common(event, terms, order.account, order.session, order.side),
            10: _VALIDITY.get(TimeInForce(order.time_in_force)),
            13: utc(order.priority),
            14: shown * terms.units_per_lot if shown is not None else None,
            19: utc(order.entered)[:10],
            20: order.order_id,
            21: step.code,
            **_type(OrderType(order.order_type)),
            24: terms.price(order.price),
            33: "ACTI" if order.remaining else "INAC",
            36: order.quantity * terms.units_per_lot,
            37: order.remaining * terms.units_per_lot,
            38: shown * terms.units_per_lot if shown is not None else None,
            43: bool(order.flags & OrderFlag.POST_ONLY),
            45: bool(order.self_trade or self._venue.self_trade_mode),
        }
        if step.traded:
            found |= {28: terms.price(int(event["price"])), 39: traded, 48: int(event["sequence"])}
            found[44] = {None: None, True: "PASV", False: "AGRE"}[step.passive]
        if step.code == "TRIG":
            found[26] = terms.price(int(event["aux2"]))
        return self._named(found, order.session, order.client_order_id, int(event["reason"]))

    def refusal(self, event: Any) -> dict[str, Any]:
        """A new order that was rejected: what was sent, as far as the answer repeats it."""
        number, session = int(event["instrument"]), int(event["session"])
        known = 1 <= number <= len(self._venue.instruments)
        terms = self._venue.instruments[number - 1] if known else None
        found = {**self._common(event, terms, int(event["account"]), session, int(event["side"])), 21: "REMO"}
        found[22] = CommandKind(event["aux"]).name
        found[33] = "INAC"
        if terms is not None:
            found |= {24: terms.price(int(event["price"])), 36: int(event["quantity"]) * terms.units_per_lot}
        return self._named(found, session, int(event["client_order_id"]), int(event["reason"]))

    def _common(self, event: Any, terms: Instrument | None, account: int, session: int, side: int) -> dict[int, Any]:
        return {
            1: self._firm(account, session),
            3: account,
            9: utc(int(event["timestamp"])),
            15: int(event["sequence"]),
            17: terms.symbol if terms is not None else None,
            29: (terms.currency or None) if terms is not None else None,
            31: "MONE",
            32: {Side.BUY: "BUYI", Side.SELL: "SELL"}.get(side),  # type: ignore[call-overload]
            34: "UNIT",
            49: Phase(event["phase"]).name if terms is not None else None,
        }

    def _firm(self, account: int, session: int) -> int | None:
        """Of the session; orders that the venue itself entered belong to the account's."""
        firm = self._session_firms[session] if 0 < session < len(self._session_firms) else 0
        if not firm and 1 <= account <= len(self._account_firms):
            firm = self._account_firms[account - 1]
        return int(firm) or None

    @staticmethod
    def _named(found: dict[int, Any], session: int, number: int, reason: int) -> dict[str, Any]:
        row = {_NAMES[field]: value for field, value in found.items() if value is not None}
        row |= {"session": session, "client_order_id": number}
        return row | ({"reason": Reason(reason).name} if reason else {})


def _shown(order: LiveOrder) -> int | None:
    """Lots that the book shows; None of an iceberg whose shown part no event has stated yet."""
    if order.flags & OrderFlag.HIDDEN:
        return 0
    return order.shown if order.is_iceberg else order.remaining


def _type(order_type: OrderType) -> dict[int, str]:
    """The venue's name of the type, and its class. The order of a TAKE is a limit order at the listing's price."""
    name = order_type.name if order_type else CommandKind.TAKE.name
    return {22: name, 23: "STOP" if order_type in _STOPS else "LMTO"}
