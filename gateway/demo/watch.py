"""The figures, read over the socket by a client that knows nothing of the engine."""

from __future__ import annotations

import time
from typing import Any, Final

from engine.schema import DayStage, Phase
from gateway import wire
from gateway.client import Client
from gateway.demo.member import OUTAGE
from gateway.demo.plan import SIMULATED, Plan
from gateway.demo.published import VINTAGES
from gateway.demo.talk import Talk, loads_no_engine
from gateway.errors import NoAnswer, Rejected
from gateway.views import Day
from gateway.wire import QueryKind

EVERY: Final = 0.35
"""Seconds between two readings."""


class Watch:
    """A reader's session that asks for days and books."""

    def __init__(self, plan: Plan, endpoint: str) -> None:
        self.client = Client(
            endpoint,
            secret=plan.secret("BOARD"),
            server=plan.server_key,
            timeout=3.0,
            reconnect_timeout=OUTAGE,
            name="demo watch",
        )

    def read(self) -> dict[str, Any]:
        """Everything that the screen and the comparison need. Raises NoAnswer, Rejected."""
        asked = self.client.ask(QueryKind.DAY, 0, wire.DayAnswer)
        days = [self.client.reference.day(day) for day in asked.days]
        rows = {day.symbol: _row(day) for day in days[: len(VINTAGES)]}
        for symbol, row in rows.items():
            book = self.client.book(symbol)
            row["bid"] = str(book.bids[0].price) if book.bids else None
            row["ask"] = str(book.asks[0].price) if book.asks else None
        return {
            "time": self.client.journal_time,
            "phase": Phase(days[SIMULATED[0] - 1].phase).name,
            "stage": DayStage(days[0].stage).name,
            "date": days[0].trading_date,
            "composite": str(self.client.reference.price(1, asked.composite)),
            "rows": rows,
        }


def _row(day: Day) -> dict[str, Any]:
    prices = ("previous_close", "open", "high", "low", "last")
    found: dict[str, Any] = {name: _text(getattr(day, name)) for name in prices}
    return found | {"volume": day.volume, "turnover": str(day.turnover), "trades": day.trades}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def run_watch(plan: Plan, talk: Talk) -> int:
    """The process: a reading every third of a second until told to stop."""
    watch = Watch(plan, talk.wait_for("start")["endpoint"])
    talk.report("logged on", sessions={})
    while True:
        order = talk.order()
        if order is not None and order["do"] == "finish":
            break
        try:
            talk.report("figures", token=order["token"] if order else None, **watch.read())
        except (NoAnswer, Rejected):
            # Lost with a killed server, or asked too often: the next one will do. A demanded reading is made good.
            while order is not None:
                try:
                    talk.report("figures", token=order["token"], **watch.read())
                    order = None
                except (NoAnswer, Rejected):
                    continue
        deadline = time.monotonic() + EVERY
        while time.monotonic() < deadline:
            watch.client.poll(0.05)
    watch.client.close()
    talk.report("final", members={}, no_engine=loads_no_engine())
    return 0
