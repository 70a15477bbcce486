"""Ladders: a command that is wrong in every way, mended one fault at a time.

Each rung still has all the faults below it, so its reason shows that this check comes before the next one.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.schema import CommandKind as K
from engine.schema import Reason
from engine.venue import Capacity, Venue
from tests.engine.builders import BREAK, CONTINUOUS, World, venue_of

MARKET_TEXT = """
name = "ladder"
currencies = ["CNY"]
assets = ["A"]
click_strict = false
sweep_levels = 2
composite = "NONE"
[instrument_defaults]
asset = "A"
currency = "CNY"
floor = "60.00"
ceiling = "80.00"
limit_listed_bps = 1000
previous_close = "70.00"
price_step = 5
quantity_step = 10
quantity_min = 20
quantity_max = 1000
[[instruments]]
symbol = "NORMAL"
[[instruments]]
symbol = "LATER"
listed_from = 2030-01-01
[[instruments]]
symbol = "BREAK"
order_types = ["market"]
times_in_force = ["ioc"]
[[instruments]]
symbol = "NEW"
[[instruments]]
symbol = "HUGE"
tick_value = 2_147_483_648
quantity_max = 2_147_483_647
[[instruments]]
symbol = "PASSIVE"
post_only = false
"""
ORDER = ("side", "price", "quantity", "account", "client_order_id")


def rejected(world: World, kind: int, reason: Reason, fields: dict[str, int]) -> str:
    """The one event that a reject gives: the command's own words."""
    instrument = fields.get("instrument", 0)
    known = 1 <= instrument <= len(world.venue.instruments)
    phase = int(world.engine.state()["instruments"][instrument - 1]["listed_phase"]) if known else 0
    words = ["REJECTED", reason.name]
    if instrument not in (0, 1):
        words.append(f"instrument={instrument}")
    if phase != (CONTINUOUS if instrument else 0):
        words.append(f"phase={phase}")
    words += [f"{name}={fields[name]}" for name in ORDER if fields.get(name)]
    words.append(f"aux={kind}")
    words += [f"aux2={fields['target']}"] if fields.get("target") else []
    words += [f"session={fields['session']}"] if fields.get("session") else []
    return " ".join(words)


def climb(world: World, kind: int, start: dict[str, int], rungs: list[tuple[Reason, dict[str, int]]]) -> None:
    """Send the command; after each reject mend what the rung says. A reject changes nothing but numbers."""
    fields = dict(start)
    for reason, mend in rungs:
        before = {name: section.tobytes() for name, section in world.engine.state().items()}
        sent = {name: value for name, value in fields.items() if name != "kind"}
        kind_sent = fields.get("kind", kind)
        if sent.get("session") and "client_order_id" not in sent:
            sent["client_order_id"] = world.numbers.get(sent["session"], 0) + 1
        assert world.send(kind_sent, **sent) == [rejected(world, kind_sent, reason, sent)], reason
        after = {name: section.tobytes() for name, section in world.engine.state().items()}
        assert {name for name in after if after[name] != before[name]} <= {"header", "sessions"}
        fields.update(mend)
        fields = {name: value for name, value in fields.items() if value is not None}


def open_desk(make_world: Callable[[Venue], World]) -> World:
    """Sessions 1 trader, 2 reader, 3 operator, 4 ended; accounts 1 and 2 of firm 1 (2 suspended), 3 of firm 2."""
    world = make_world(venue_of(MARKET_TEXT, capacity=Capacity(orders=7, accounts=4, firms=2, sessions=5)))
    world.firm()
    world.firm()
    world.session(1, 1)
    world.session(0, 3)
    world.session(0, 2)
    world.session(1, 1)
    world.send(K.SET_SESSION_STATUS, target=4, scope=3)
    world.account(1, cash=10_000_000, units=10_000)
    world.account(1)
    world.account(2, cash=10_000_000, units=10_000)
    world.send(K.SET_ACCOUNT_STATUS, account=2, scope=2)
    world.open_day(20250811)
    world.phase(BREAK, 20250811, instrument=3)
    return world
