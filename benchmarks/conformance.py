"""The engine behind the public conformance kit `tracebook-conformance`: NDJSON in on stdin, out on stdout.

    tracebook-conformance qualify --profile fifo-full-v1 --output-dir out \\
        --candidate-cmd "python -m benchmarks.conformance"

The kit sends order-lifecycle events; each is put into commands of the preset `plain`, and the outcome, the trades and a
hash of the whole book in queue order go back. Where the kit's rules and ours differ, the adapter does what a firm would
do: a replacement that must lose its place although it only shrinks is a cancel and a new order; orders without an owner
share account 0, which has no owner group. Pro-rata matching is not offered and is refused at the start.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, NamedTuple, TextIO

import numpy as np

from engine.core import Engine, ImplementationName
from engine.schema import (
    COMMAND,
    MAX_QUANTITY,
    CommandKind,
    EventArray,
    EventKind,
    MassCancelScope,
    OrderType,
    Reason,
    Side,
    TimeInForce,
)
from engine.venue import Venue

PROTOCOL, PROTOCOL_VERSION = "tracebook.conformance", 1
LOT: Final = Decimal("0.00000001")
"""The kit's quantities are decimals; ours count lots. So 21.47 is the most."""
SYMBOLS: Final = 32
"""Books of one run at most."""
NO_OWNER: Final = -1
SELF_TRADE: Final = {"NONE": "OFF", "CANCEL_RESTING": "CANCEL_MAKER", "CANCEL_INCOMING": "CANCEL_TAKER"}
TERMS: Final = {
    "LIMIT": (OrderType.LIMIT, TimeInForce.GTC),
    "MARKET": (OrderType.MARKET, TimeInForce.IOC),
    "IOC": (OrderType.LIMIT, TimeInForce.IOC),
    "FOK": (OrderType.LIMIT, TimeInForce.FOK),
}
SIDES: Final = {"BUY": Side.BUY, "SELL": Side.SELL}


class ProtocolError(ValueError):
    """A line that the protocol does not allow, or a configuration that the engine does not offer."""


class Refused(Exception):
    """The event changes nothing: a reason code of the kit and a text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Name(NamedTuple):
    """An order as the kit names it."""

    symbol: str
    number: int


class Adapter:
    """One engine for one run of the kit. Raises ProtocolError for a configuration that it does not offer."""

    def __init__(self, config: dict[str, Any], implementation: ImplementationName = "kernel") -> None:
        if config.get("matching_algorithm", "fifo") != "fifo":
            raise ProtocolError(f"matching_algorithm {config['matching_algorithm']!r} is not offered, only 'fifo'")
        policy = str(config.get("self_trade_policy", "NONE"))
        if policy not in SELF_TRADE:
            raise ProtocolError(f"self_trade_policy {policy!r} is unknown")
        self.tick = _decimal(config.get("tick_size", "0.01"))
        if self.tick <= 0:
            raise ProtocolError("tick_size must be above zero")
        venue = Venue.preset("plain").with_instruments(SYMBOLS).changed(self_trade=SELF_TRADE[policy])
        self.ceiling = venue.instruments[0].ceiling_ticks
        self.engine = Engine(venue, implementation)
        self.commands = 0
        self.instruments: dict[str, int] = {}  # symbols that have a book, by first use
        self.accounts: dict[int, int] = {NO_OWNER: 0}
        self.owners: dict[int, int] = {0: NO_OWNER}
        self.names: dict[int, Name] = {}  # by order id
        self.live: dict[Name, Any] = {}  # rows of section `orders`

    def apply(self, event: dict[str, Any], index: int) -> dict[str, Any]:
        """The observation after one event."""
        outcome: dict[str, Any] = {"status": "applied", "reason": None, "message": None}
        try:
            events = self._perform(event)
        except Refused as refused:
            events = self.engine.apply_all(np.zeros(0, COMMAND))
            outcome = {"status": "rejected", "reason": refused.code, "message": str(refused)}
        state = self.snapshot()
        return {
            "type": "observation",
            "index": index,
            "outcome": outcome,
            "trades": [self._trade(one) for one in events[events["kind"] == EventKind.TRADE]],
            "state_hash": _hash(state),
            "resting_order_count": len(self.live),
        }

    def snapshot(self) -> dict[str, Any]:
        """Every book with its resting orders, best price first and in queue order."""
        rows = self.engine.state()["orders"]
        self.live = {self.names[int(row["order_id"])]: row for row in rows}
        books: dict[str, dict[str, Any]] = {
            symbol: {"symbol": symbol, "bids": [], "asks": []} for symbol in sorted(self.instruments)
        }
        for name, row in self.live.items():
            side = "bids" if row["side"] == Side.BUY else "asks"
            books[name.symbol][side].append(
                {
                    "order_id": name.number,
                    "price": _text(int(row["price"]) * self.tick),
                    "remaining_quantity": _text(int(row["remaining"]) * LOT),
                    "owner": self.owners[int(row["account"])],
                    "order_type": "LIMIT",
                }
            )
        return {"books": list(books.values())}

    def _perform(self, event: dict[str, Any]) -> EventArray:
        what, symbol = event.get("op"), str(event.get("symbol"))
        if what in ("new", "clear"):
            self._book(symbol)
        if what == "clear":
            return self._send(
                kind=CommandKind.MASS_CANCEL, scope=MassCancelScope.INSTRUMENT, instrument=self._book(symbol)
            )
        name = Name(symbol, int(event["order_id"]))
        if what == "new":
            return self._new(name, event)
        row = self.live.get(name)
        if row is None:
            raise Refused("ORDER_NOT_ACTIVE", f"order {name.number} is not active")
        if what == "cancel":
            return self._send(kind=CommandKind.CANCEL_ORDER, target=int(row["order_id"]))
        if what == "reduce":
            return self._reduce(row, self._lots(event["quantity"], "INVALID_ORDER"))
        if what == "replace":
            return self._replace(name, row, event)
        raise ProtocolError(f"op {what!r} is unknown")

    def _new(self, name: Name, event: dict[str, Any]) -> EventArray:
        if name in self.live:
            raise Refused("DUPLICATE_ORDER_ID", f"order {name.number} is already active")
        order_type, time_in_force = TERMS[event.get("order_type") or "LIMIT"]
        side = SIDES[event["side"]]
        if order_type == OrderType.MARKET:
            price = self.ceiling if side == Side.BUY else 1  # whatever rests is within it
        else:
            price = self._ticks(event["price"], "INVALID_ORDER")
        quantity = self._lots(event["quantity"], "INVALID_ORDER")
        account = self._account(int(event.get("owner", NO_OWNER)))
        return self._enter(name, side, order_type, time_in_force, price, quantity, account)

    def _enter(
        self,
        name: Name,
        side: int,
        order_type: OrderType,
        time_in_force: TimeInForce,
        price: int,
        quantity: int,
        account: int,
    ) -> EventArray:
        events = self._send(
            kind=CommandKind.NEW_ORDER,
            side=side,
            order_type=order_type,
            time_in_force=time_in_force,
            instrument=self.instruments[name.symbol],
            account=account,
            price=price,
            quantity=quantity,
        )
        if events[0]["kind"] == EventKind.ACCEPTED:
            self.names[int(events[0]["order_id"])] = name
        return events

    def _reduce(self, row: Any, lots: int) -> EventArray:
        """By `lots`, keeping its place; all of it is a cancel."""
        if lots > row["remaining"]:
            raise Refused("INVALID_ORDER", "more than the order has left")
        if lots == row["remaining"]:
            return self._send(kind=CommandKind.CANCEL_ORDER, target=int(row["order_id"]))
        return self._amend(row, int(row["price"]), int(row["quantity"]) - lots)

    def _replace(self, name: Name, row: Any, event: dict[str, Any]) -> EventArray:
        """New price and new remaining quantity, at the end of the queue in any case."""
        price, lots = int(row["price"]), int(row["remaining"])
        if event.get("price") is not None:
            price = self._ticks(event["price"], "INVALID_REPLACEMENT")
        if event.get("quantity") is not None:
            lots = self._lots(event["quantity"], "INVALID_REPLACEMENT")
        filled = int(row["quantity"] - row["remaining"])
        if price != row["price"] or lots > row["remaining"]:
            return self._amend(row, price, filled + lots)
        cancelled = self._send(kind=CommandKind.CANCEL_ORDER, target=int(row["order_id"]))
        entered = self._enter(
            name, int(row["side"]), OrderType.LIMIT, TimeInForce.GTC, price, lots, int(row["account"])
        )
        return np.concatenate((cancelled, entered))

    def _amend(self, row: Any, price: int, quantity: int) -> EventArray:
        return self._send(kind=CommandKind.REPLACE_ORDER, target=int(row["order_id"]), price=price, quantity=quantity)

    def _send(self, **fields: int) -> EventArray:
        """One command of the venue's own session; its events. Raises Refused."""
        command = np.zeros(1, COMMAND)
        self.commands += 1
        command["sequence"] = self.commands
        for field, value in fields.items():
            command[field] = value
        events = self.engine.apply_all(command)
        first = events[0]
        # A fill-or-kill order that cannot be filled is, to the kit, an order that came and went.
        if first["kind"] == EventKind.REJECTED and first["reason"] != Reason.FOK_NOT_FILLABLE:
            code = "INVALID_REPLACEMENT" if fields["kind"] == CommandKind.REPLACE_ORDER else "INVALID_ORDER"
            raise Refused(code, Reason(int(first["reason"])).name)
        return events

    def _trade(self, event: Any) -> dict[str, Any]:
        taker, maker = self.names[int(event["order_id"])], self.names[int(event["contra_order_id"])]
        buyer, seller = (taker, maker) if event["aggressor"] == Side.BUY else (maker, taker)
        return {
            "symbol": taker.symbol,
            "buy_order_id": buyer.number,
            "sell_order_id": seller.number,
            "price": _text(int(event["price"]) * self.tick),
            "quantity": _text(int(event["quantity"]) * LOT),
        }

    def _book(self, symbol: str) -> int:
        if symbol not in self.instruments and len(self.instruments) == SYMBOLS:
            raise ProtocolError(f"more than {SYMBOLS} symbols")
        return self.instruments.setdefault(symbol, len(self.instruments) + 1)

    def _account(self, owner: int) -> int:
        account = self.accounts.setdefault(owner, len(self.accounts))
        self.owners[account] = owner
        return account

    def _ticks(self, price: Any, code: str) -> int:
        """The nearest tick."""
        ticks = int((_decimal(price) / self.tick).to_integral_value(ROUND_HALF_EVEN))
        if not 1 <= ticks <= self.ceiling:
            raise Refused(code, f"price {price} is not within 1 to {self.ceiling} ticks")
        return ticks

    def _lots(self, quantity: Any, code: str) -> int:
        lots = _decimal(quantity) / LOT
        if lots != lots.to_integral_value() or not 1 <= lots <= MAX_QUANTITY:
            raise Refused(code, f"quantity {quantity} is not 1 to {MAX_QUANTITY} lots of {LOT:f}")
        return int(lots)


def _decimal(value: Any) -> Decimal:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise ProtocolError(f"{value!r} is no number") from None
    if not found.is_finite():
        raise ProtocolError(f"{value!r} is no finite number")
    return found


def _text(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _hash(state: dict[str, Any]) -> str:
    text = json.dumps(state, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def serve(source: TextIO, sink: TextIO, implementation: ImplementationName = "kernel") -> int:
    """Answer line by line until `finish` (returns 0) or a fault (one `error` line, returns 2)."""

    def answer(**message: Any) -> None:
        sink.write(json.dumps(message, separators=(",", ":")) + "\n")
        sink.flush()

    adapter: Adapter | None = None
    last = 0
    try:
        for line in source:
            message = json.loads(line)
            if adapter is None:
                adapter = _greeted(message, implementation)
                identity = {"name": f"carbonbook-{implementation}", "version": _version(), "language": "Python"}
                answer(type="ready", protocol=PROTOCOL, protocol_version=PROTOCOL_VERSION, engine=identity)
            elif message.get("type") == "event":
                if message.get("index") != last + 1:
                    raise ProtocolError(f"event {message.get('index')} after {last}")
                last += 1
                answer(**adapter.apply(message["event"], last))
            elif message.get("type") == "snapshot":
                answer(type="snapshot", index=last, state=adapter.snapshot())
            elif message.get("type") == "finish":
                answer(type="complete", event_count=last)
                return 0
            else:
                raise ProtocolError(f"a message of type {message.get('type')!r}")
        raise ProtocolError("the lines ended before a finish")
    except (ProtocolError, KeyError, TypeError, AttributeError, ValueError) as error:
        answer(type="error", code="PROTOCOL_ERROR", message=f"{type(error).__name__}: {error}")
        return 2


def _greeted(message: dict[str, Any], implementation: ImplementationName) -> Adapter:
    told = (message.get("type"), message.get("protocol"), message.get("protocol_version"))
    if told != ("hello", PROTOCOL, PROTOCOL_VERSION):
        raise ProtocolError(f"the first line must be hello of {PROTOCOL} {PROTOCOL_VERSION}")
    return Adapter(message.get("config", {}), implementation)


def _version() -> str:
    try:
        return version("carbonbook")
    except PackageNotFoundError:
        return "uninstalled"


def main() -> None:
    """The adapter as a process. Argument `reference`: the plain-Python engine instead of the kernel."""
    status = serve(sys.stdin, sys.stdout, "reference" if sys.argv[1:] == ["reference"] else "kernel")
    sys.stdout.flush()
    os._exit(status)  # the kit waits half a second for the end; taking a compiler down may take longer


if __name__ == "__main__":
    main()
