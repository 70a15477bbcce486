"""Random but repeatable streams of icebergs, stops, hidden orders, quotes, dates, minima and calls with interruptions.

The market itself, its days, sessions and hostile fields are those of generator.CommandStream.

stream = FloorStream(venue, seed)
commands = stream.take(400, engine.state()["orders"])
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from engine.schema import CommandArray, EventKind, OrderFlag, OrderType, Phase, Reason, TimeInForce
from engine.schema import CommandKind as K
from engine.venue import Venue
from tests.engine.builders import plain, seee
from tests.engine.generator import DATES, FIRST_DATE, MIX, Array, CommandStream
from tests.engine.rulesets import CAPACITY

ROOM = msgspec.structs.replace(CAPACITY, icebergs=60)
ALL = {
    "order_types": ("limit", "market", "stop", "stop_limit", "iceberg", "stop_limit_iceberg"),
    "times_in_force": ("day", "gtc", "ioc", "fok", "gtd"),
    "hidden": True,
    "quotes": True,
}
CALLS = {**ALL, "call_auction": True}
MORE = {**MIX, K.NEW_ORDER: 60.0, K.REPLACE_ORDER: 12.0, K.QUOTE: 4.0, K.SET_PHASE: 1.2, K.TAKE: 3.0}
STOPS = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.STOP_LIMIT_ICEBERG)
ICEBERGS = (OrderType.ICEBERG, OrderType.STOP_LIMIT_ICEBERG)
CALL_PHASES = (Phase.OPEN_CALL, Phase.CLOSE_CALL, Phase.VOLATILITY_CALL)


def venues() -> dict[str, Venue]:
    """Rule sets that together reach every branch of the further rules."""
    return {
        "corridors": seee(
            {**CALLS, "corridor_dynamic_bps": 25, "corridor_static_bps": 60, "fee_ppm": 37},
            capacity=ROOM,
            self_trade="CANCEL_MAKER",
            depth_remainder="RESWEEP",
        ),
        "krx": seee(
            {**CALLS, "call_rule": "KRX", "price_step": 5, "quantity_step": 10, "quantity_min": 20, "close": "LAST"},
            capacity=ROOM,
            self_trade="DECREMENT",
            sweep_levels=3,
            depth_remainder="REST_AT_LAST",
            settlement_days=0,
        ),
        "hubei": seee(
            {
                **CALLS,
                "price_rule": "MEDIAN3",
                "close": "LAST5",
                "fee_ppm": 1_234,
                "tick_value": 1_000,
                "units_per_lot": 10,
            },
            capacity=ROOM,
            self_trade="CANCEL_BOTH",
            click_strict=False,
        ),
        "reject": seee(
            {**CALLS, "limit_listed_bps": 0, "corridor_dynamic_bps": 40}, capacity=ROOM, cross_policy="REJECT"
        ),
        "labels": plain(CALLS, capacity=ROOM, take=True, click_strict=False, sweep_levels=4, self_trade="CANCEL_TAKER"),
        "no-calls": seee({**ALL, "hidden": False, "post_only": False}, capacity=ROOM, break_cancel=False),
    }


class FloorStream(CommandStream):
    """An endless stream of commands of one venue; the same venue and seed give the same stream."""

    kinds = np.array(list(MORE), np.uint8)
    shares = np.array(list(MORE.values())) / sum(MORE.values())

    @property
    def date(self) -> int:
        """Today, as far as the stream knows."""
        return FIRST_DATE if self.day == 0 else DATES[self.day - 1] if self.day <= len(DATES) else 20260299 + self.day

    def _fill_new(self, commands: CommandArray, live: Array | None) -> None:
        super()._fill_new(commands, live)
        count = len(commands)
        sort = self.random.choice(8, count, p=[0.37, 0.14, 0.2, 0.09, 0.08, 0.06, 0.03, 0.03])
        lot = self.lot[np.clip(commands["instrument"], 1, len(self.lot)) - 1]
        rests = np.where(self.random.random(count) < 0.7, int(TimeInForce.DAY), int(TimeInForce.GTC))
        for at in np.flatnonzero(np.isin(sort, (1, 2, 3))).tolist():
            commands["time_in_force"][at] = rests[at]
            commands["order_type"][at] = OrderType.LIMIT
        iceberg, stop, hidden, dated, minimum, of_a_call, wrong = (sort == n for n in range(1, 8))
        commands["order_type"][iceberg] = OrderType.ICEBERG
        commands["order_type"][stop] = self.random.choice(STOPS, int(stop.sum()))
        commands["flags"][stop] = 0
        self._show_parts(commands, np.isin(commands["order_type"], ICEBERGS), lot)
        self._stop_prices(commands, stop)
        commands["flags"][hidden] |= OrderFlag.HIDDEN
        later = (dated | (stop & (self.random.random(count) < 0.2))) & (commands["order_type"] != OrderType.MARKET)
        commands["time_in_force"][later] = TimeInForce.GTD
        commands["expiry"][later] = self.date + self.random.integers(0, 3, int(later.sum()))
        plain_ones = minimum & (commands["time_in_force"] != TimeInForce.FOK) & (commands["flags"] == 0)
        commands["target"][plain_ones] = self.random.integers(1, 40, int(plain_ones.sum()))
        commands["order_type"][of_a_call] = OrderType.MARKET
        commands["time_in_force"][of_a_call] = TimeInForce.DAY
        commands["flags"][of_a_call] = 0
        for name in ("expiry", "price2", "quantity2", "target"):
            commands[name][wrong & (self.random.random(count) < 0.3)] = 1

    def _show_parts(self, commands: CommandArray, icebergs: Array, lot: Array) -> None:
        """Mostly a part that fits the quantity."""
        parts = self.random.integers(2, 9, len(commands))
        shown = np.maximum(commands["quantity"] // parts // lot, 1) * lot
        commands["quantity2"][icebergs] = shown[icebergs]

    def _stop_prices(self, commands: CommandArray, stop: Array) -> None:
        """Around the middle, mostly beyond the market; the limit a little behind the stop price."""
        instruments = np.clip(commands["instrument"], 1, len(self.mid))
        step = self.step[instruments - 1]
        beyond = np.where(commands["side"] == 1, 1, -1) * step
        away = np.rint(self.random.normal(5, 6, len(commands))).astype(np.int64)
        price = self.mid[instruments - 1] // step * step + away * beyond
        commands["price2"][stop] = price[stop]
        limit = price + self.random.integers(-2, 9, len(commands)) * beyond
        commands["price"][stop] = limit[stop]
        collar = stop & (commands["order_type"] == OrderType.STOP) & (self.random.random(len(commands)) < 0.4)
        commands["price"][collar] = 0

    def _fill_replace(self, commands: CommandArray, live: Array | None) -> None:
        """Now and then with a new shown part, stop price or date, mostly where the order has one."""
        super()._fill_replace(commands, live)
        if live is None or not len(live):
            return
        rows = {int(order["order_id"]): order for order in live}
        by_client = {(int(o["session"]), int(o["client_order_id"])): o for o in live}
        roll = self.random.random((3, len(commands)))
        for at, command in enumerate(commands):
            named = (int(command["session"]), int(command["target"]))
            order = by_client.get(named) if command["flags"] else rows.get(int(command["target"]))
            if order is None:
                continue
            if order["waiting"]:
                commands["price"][at] = 0 if roll[0, at] < 0.5 else command["price"]
                commands["price2"][at] = order["stop_price"] + self.random.integers(-6, 7) if roll[1, at] < 0.5 else 0
            if order["shown"] and roll[2, at] < 0.3:
                commands["quantity2"][at] = max(1, int(order["shown"]) + int(self.random.integers(-3, 4)))
            if order["expiry"] and roll[2, at] > 0.7:
                commands["expiry"][at] = self.date + self.random.integers(-1, 3)

    def _fill_quote(self, commands: CommandArray, _live: Array | None) -> None:
        count = len(commands)
        instruments = self._instruments(count)
        step, lot = self.step[instruments - 1], self.lot[instruments - 1]
        middle = self.mid[instruments - 1] // step
        commands["instrument"] = instruments
        commands["account"] = self._accounts(commands)
        away = self.random.integers(-1, 5, (2, count))
        commands["price"] = (middle - away[0]) * step
        commands["price2"] = (middle + 1 + away[1]) * step
        lots = self.random.integers(2, 60, (2, count)) * lot
        commands["quantity"], commands["quantity2"] = lots[0], lots[1]
        empty = self.random.random((2, count)) < 0.12
        for price, quantity, side in (("price", "quantity", 0), ("price2", "quantity2", 1)):
            commands[price][empty[side]] = 0
            commands[quantity][empty[side]] = 0
        commands["flags"] = np.where(self.random.random(count) < 0.2, int(OrderFlag.POST_ONLY), 0)
        commands["self_trade"] = np.where(self.random.random(count) < 0.3, self.random.integers(0, 5, count), 0)

    def _fill_set_phase(self, commands: CommandArray, live: Array | None) -> None:
        """Half of them begin a call, some freeze one; trading goes on a few commands later."""
        super()._fill_set_phase(commands, live)
        count = len(commands)
        call = self.random.random(count) < 0.5
        commands["scope"][call] = 1
        commands["quantity"][call] = self.random.choice(CALL_PHASES, int(call.sum()))
        busy = self.random.integers(0, 3, count)
        commands["instrument"][call] = busy[call]
        commands["quantity2"][call & (self.random.random(count) < 0.25)] = 1

    def _numbers(self, commands: CommandArray) -> None:
        """A QUOTE consumes two numbers."""
        super()._numbers(commands)
        for session in np.unique(commands["session"][commands["kind"] == K.QUOTE]).tolist():
            if 0 <= session < len(self.numbers):
                own = np.flatnonzero((commands["session"] == session) & (commands["client_order_id"] > 0))
                quotes = (commands["kind"][own] == K.QUOTE).astype(np.int64)
                commands["client_order_id"][own] += np.cumsum(quotes) - quotes
                self.numbers[session] += int(quotes.sum())


FloorStream.fillers = {
    **CommandStream.fillers,
    K.NEW_ORDER: FloorStream._fill_new,
    K.REPLACE_ORDER: FloorStream._fill_replace,
    K.QUOTE: FloorStream._fill_quote,
    K.SET_PHASE: FloorStream._fill_set_phase,
}


def told_and_given(events: Any) -> tuple[set[str], set[str]]:
    """Names of the kinds and of the reasons that occur."""
    kinds = {EventKind(kind).name for kind in np.unique(events["kind"]).tolist()}
    return kinds, {Reason(reason).name for reason in np.unique(events["reason"]).tolist()}
