"""The exchange at one moment of its journal, for people and for machines."""

from __future__ import annotations

from typing import Any, Final

from engine.core import Engine
from engine.schema import DayStage, OrderFlag, OrderType, Role, Side, Status
from gateway import wire
from gateway.commands.common import table, when
from gateway.commands.looks import account_json, account_table, book_json, book_table, day_json, days_table
from gateway.journal import messages_of
from gateway.queries import Queries
from gateway.seats import Bucket
from gateway.sessions import Registry, Session
from gateway.views import Account, Book, Day, Reference
from gateway.wire import QueryKind
from replay import JournalReader

_VENUE: Final = Session(0, "venue", 0, int(Role.OPERATOR), "", Bucket(0, 0), Bucket(0, 0), Bucket(0, 0))


def names_at(reader: JournalReader, command: int | None = None) -> Registry:
    """Firms, accounts and sessions by name, as opened by the commands up to `command` (default: all)."""
    registry = Registry(0, 0, 0)
    for batch in reader.noted(command):
        events = batch.events
        known = events if command is None else events[events["command_sequence"] <= command]
        registry.learn(known, messages_of(batch))
    return registry


class Moment:
    """An engine's state with the venue's names; answers as the running server would."""

    def __init__(self, engine: Engine, reader: JournalReader) -> None:
        self.engine = engine
        self.venue = engine.venue
        self.state = engine.state()
        self.header = self.state["header"][0]
        self.sequence = int(self.header["command_sequence"])
        self.registry = names_at(reader, self.sequence)
        self._queries = Queries(engine, self.registry)
        self._reference = Reference(self._ask(QueryKind.REFERENCE, 0, wire.ReferenceData))

    @property
    def accounts(self) -> int:
        return len(self.state["accounts"])

    def _ask(self, kind: QueryKind, number: int, answer: type[Any]) -> Any:
        found = self._queries.answer(wire.Query(int(kind), number), _VENUE, self.sequence)
        assert isinstance(found, answer)
        return found

    def days(self) -> list[Day]:
        return [self._reference.day(day) for day in self._ask(QueryKind.DAY, 0, wire.DayAnswer).days]

    def books(self) -> list[Book]:
        count = len(self.venue.instruments)
        return [self._reference.book(self._ask(QueryKind.BOOK, n, wire.BookData)) for n in range(1, count + 1)]

    def account(self, number: int) -> Account:
        row = self.state["accounts"][number - 1]
        if number in self.registry.accounts:
            return self._reference.account(self._ask(QueryKind.ACCOUNT, number, wire.AccountData))
        return Account(number, Status(int(row["status"])), (), ())

    def orders_of(self, number: int) -> list[dict[str, Any]]:
        """Live orders of an account, in the book's order."""
        found = []
        for row in self.state["orders"][self.state["orders"]["account"] == number]:
            instrument = self.venue.instruments[int(row["instrument"]) - 1]
            found.append(
                {
                    "order_id": int(row["order_id"]),
                    "symbol": instrument.symbol,
                    "side": Side(int(row["side"])).name.lower(),
                    "price": instrument.price(int(row["price"])),
                    "quantity": int(row["quantity"]),
                    "remaining": int(row["remaining"]),
                    "type": OrderType(int(row["order_type"])).name.lower(),
                    "stop": instrument.price(int(row["stop_price"])) if row["stop_price"] else None,
                    "waiting": bool(row["waiting"]),
                    "shown": int(row["shown"]) or None,
                    "hidden": bool(row["flags"] & OrderFlag.HIDDEN),
                    "session": int(row["session"]),
                }
            )
        return found

    def summary(self) -> dict[str, Any]:
        header = self.header
        return {
            "command": self.sequence,
            "event": int(header["event_sequence"]),
            "timestamp": int(header["timestamp"]),
            "time": when(int(header["timestamp"]), self.venue.calendar.timezone),
            "timezone": self.venue.calendar.timezone,
            "venue": self.venue.name,
            "trading_date": int(header["trading_date"]),
            "stage": DayStage(int(header["day_stage"])).name,
            "firms": int(header["firms"]),
            "accounts": self.accounts,
            "sessions": len(self.state["sessions"]) - 1,
            "live_orders": len(self.state["orders"]),
            "digest": self.engine.digest().hex(),
        }

    def as_json(self, account: int | None) -> dict[str, Any]:
        instruments = [day_json(day) | book_json(book) for day, book in zip(self.days(), self.books(), strict=True)]
        found = self.summary() | {"instruments": instruments}
        if account is not None:
            found["account"] = account_json(self.account(account)) | {
                "name": self._name(account),
                "orders": self.orders_of(account),
            }
        return found

    def as_text(self, account: int | None) -> str:
        s = self.summary()
        parts = [
            f"{s['venue']} after command {s['command']:,} (event {s['event']:,}), {s['time'] or 'no time yet'}"
            f" {s['timezone']}",
            f"trading date {s['trading_date'] or 'none yet'}, stage {s['stage']}; {s['firms']} firms,"
            f" {s['accounts']} accounts, {s['sessions']} sessions, {s['live_orders']:,} live orders",
            f"state {s['digest']}",
            "",
            days_table(self.days()),
        ]
        for book in self.books():
            if book.bids or book.asks:
                parts += ["", f"{book.symbol}  {book.phase.name}", book_table(book)]
        if account is not None:
            parts += ["", f"{self._name(account)} (account {account})", account_table(self.account(account))]
            orders = self.orders_of(account)
            parts.append(table(list(orders[0]), [list(o.values()) for o in orders]) if orders else "no live orders")
        return "\n".join(parts)

    def _name(self, account: int) -> str:
        name, firm = self.registry.accounts.get(account, (f"account {account}", 0))
        return f"{name}, firm {self.registry.firms[firm]}" if firm in self.registry.firms else name
