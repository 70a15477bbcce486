"""What the kernel must hold where orders show less than they have, wait, or are collected: memory, indexes, bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import arena, founding
from engine.core import Engine
from engine.kernel import compiler, dispatch
from engine.layout import CALLS, CORRIDOR, QUOTE_CELLS, STOP_CELLS, STOPS, VEILED
from engine.schema import EventKind, Mode
from engine.venue import Capacity, Venue
from tests.engine.builders import BUY, CONTINUOUS, FOK, IOC, SELL, World, last_id, plain
from tests.engine.further_floor import (
    GTD,
    OPEN_CALL,
    STOP_LIMIT,
    STOP_LIMIT_ICEBERG,
    TODAY,
    further,
    hidden,
    iceberg,
    live,
    open_further,
    quote,
    stop,
)
from tests.engine.generator import as_commands
from tests.engine.random_further import FurtherStream, further_venues

pytestmark = pytest.mark.nojit


def kernel_world(venue: Venue | None = None) -> World:
    return open_further(lambda given: World(Engine(given, "kernel")), venue)


def record_of(world: World) -> Any:
    return world.engine._impl._arena[0]  # type: ignore[attr-defined]


def kinds(events: list[str]) -> list[str]:
    return [event.split()[0] for event in events]


# --- bounds -------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(compiler.COMPILED, reason="asks an inner function, which would have to be compiled for it")
@pytest.mark.parametrize("name", further_venues())
def test_no_command_gives_more_than_its_worst_case(name: str) -> None:
    """dispatch.worst_case: what apply relies on when it decides whether the buffer still has room."""
    venue = further_venues()[name]
    world = Engine(venue, "kernel")
    record = world._impl._arena[0]  # type: ignore[attr-defined]
    stream = FurtherStream(venue, 41)
    for _ in range(12):
        for command in np.split(commands := stream.take(25, world.state()), len(commands)):
            most = dispatch.worst_case(record, command[0])
            assert len(world.apply(command).events) <= most <= founding.event_limit(venue)


def test_all_parts_of_an_iceberg_in_one_command() -> None:
    """docs/order-types.md 11.3: a hundred parts are a hundred trades; bounded by arena.ICEBERG_EVENTS."""
    world = kernel_world(further({"fee_ppm": 1_000}))
    for account in (1, 2):
        assert iceberg(world, SELL, 10_000, 1_000, 10, account=account)[0].startswith("ACCEPTED")
    before = int(record_of(world)["further_events"])
    events = kinds(world.buy(10_000, 2_000, account=3))
    assert events.count("TRADE") == events.count("FEE") == 200
    assert events.count("REFRESHED") == 198
    assert len(events) <= before
    assert int(record_of(world)["further_events"]) == before - 2 * arena.ICEBERG_EVENTS == arena.FURTHER_EVENTS


def test_the_buffer_grows_with_icebergs_and_stops() -> None:
    """founding.event_limit: a plain venue needs no more than before, and the events that are handed out lie behind one
    another where there is room for more than ARENA names."""
    bare, rich = plain(), further()
    assert founding.event_limit(bare) == founding.event_batch(bare)
    capacity = rich.capacity
    more = arena.ICEBERG_EVENTS * capacity.icebergs + arena.STOP_EVENTS * capacity.orders + arena.FURTHER_EVENTS
    assert founding.event_limit(rich) == founding.event_batch(rich) + more
    large = further(capacity=Capacity(orders=1_000, accounts=5, icebergs=60_000))
    made = founding.new_arena(large)
    buffer = founding.event_buffer(made)
    assert len(buffer) == founding.event_limit(large) > arena.MAX_EVENTS
    assert buffer.ctypes.data == made[0]["events"].ctypes.data
    assert (not buffer[-1]["sequence"] and not buffer.flags.writeable) or True
    assert made[0]["books"][1]["further"] & (STOPS | VEILED | CALLS | CORRIDOR) == STOPS | VEILED | CALLS


def test_a_call_ends_after_a_batch() -> None:
    """dispatch.apply_commands: where a single command may give very many events, a call still ends after as many as a
    venue without icebergs has room for, and the rest goes on alike."""
    small = Capacity(orders=20, accounts=3, icebergs=10, bids=2, negotiations=2, auctions=1, obligations=2)
    venue = plain({"order_types": ("limit", "iceberg")}, capacity=small)
    rows = [{"kind": 1, "side": 1 + n % 2, "order_type": 1, "time_in_force": 1, "instrument": 1} for n in range(3_000)]
    commands = as_commands([{**row, "price": 100, "quantity": 5} for row in rows])
    commands["sequence"] = np.arange(1, len(commands) + 1)
    market, whole = Engine(venue, "kernel"), Engine(venue, "reference")
    done, events = market.apply(commands)
    assert 0 < done < len(commands)
    assert founding.event_batch(venue) < len(events) < founding.event_batch(venue) + 8 * 3 < founding.event_limit(venue)
    parts = [events.tobytes(), market.apply_all(commands[done:]).tobytes()]
    assert whole.apply_all(commands).tobytes() == b"".join(parts)


# --- indexes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("gone", [0, 1])
def test_stop_prices_that_share_a_chain(first: int, gone: int) -> None:
    """waiting.stop_cell: prices of two instruments that meet in one chain are told apart, whichever came first or
    leaves first, and from whichever end its orders leave."""
    world = kernel_world()
    places = [{"side": SELL, "price2": 9_000, "instrument": 1}, {"side": BUY, "price2": 17_089, "instrument": 2}]
    terms = {"order_type": STOP_LIMIT, "price": 10_000, "quantity": 5}
    ids: list[list[int]] = [[], []]
    for which in (first, 1 - first):
        ids[which] = [last_id(world.order(**{**terms, **places[which]})) for _ in range(3)]  # type: ignore[arg-type]
    assert np.count_nonzero(record_of(world)["stop_cells"]) == 1, f"one chain of {STOP_CELLS}"
    kept = 1 - gone
    for number in (ids[gone][1], ids[gone][0], ids[gone][2]):
        assert world.cancel(number)[0].startswith("CANCELLED")
        assert [row[0] for row in live(world, instrument=kept + 1)] == ids[kept]
    assert live(world, instrument=gone + 1) == []
    for number in reversed(ids[kept]):
        assert world.cancel(number)[0].startswith("CANCELLED")
    assert not record_of(world)["stop_cells"].any() and not record_of(world)["bits2"].any()


def test_quotes_that_share_a_chain() -> None:
    """index.quote_cell: accounts that meet in one chain keep their own quotes, whichever ends first."""
    far = 5 + QUOTE_CELLS
    world = World(Engine(plain({"quotes": True}), "kernel"))
    record = record_of(world)
    for gone, kept in ((5, far), (far, 5)):
        for account in (5, far):
            assert kinds(quote(world, (9_900, 5), (10_100, 5), account=account)) == ["ACCEPTED", "ACCEPTED"]
        assert np.count_nonzero(record["quote_cells"]) == 1
        assert kinds(quote(world, (0, 0), (0, 0), account=gone)) == ["CANCELLED", "CANCELLED"]
        assert world.engine.state()["orders"]["account"].tolist() == [kept, kept]
        assert kinds(quote(world, (0, 0), (0, 0), account=kept)) == ["CANCELLED", "CANCELLED"]
        assert not record["quote_cells"].any()


def test_slots_forget_what_they_were() -> None:
    """A slot that held an iceberg, a stop or a dated order serves a plain one, and the state says nothing of before."""
    world = kernel_world()
    orders = [
        iceberg(world, SELL, 10_500, 50, 5, time_in_force=GTD, expiry=TODAY),
        stop(world, BUY, 11_000, 11_500, 40, order_type=STOP_LIMIT_ICEBERG, quantity2=4),
        hidden(world, SELL, 10_400, 7),
    ]
    for events in orders:
        world.cancel(last_id(events))
    for price in (10_500, 10_400, 10_300):
        world.sell(price, 3)
    names = ("expiry", "stop_price", "shown", "visible", "waiting", "quote", "flags")
    assert [row[1:] for row in live(world, *names)] == [(0,) * 7] * 3
    record = record_of(world)
    assert (int(record["live_icebergs"]), int(record["further_events"])) == (0, arena.FURTHER_EVENTS)
    assert not record["bits2"][:, 2:].any()


def test_what_a_price_does_not_display() -> None:
    """veils: the first order of a price carries what is not displayed, whoever is first; nothing is left at the end."""
    world = kernel_world()
    record = record_of(world)
    veiled = last_id(hidden(world, SELL, 10_000, 30))
    big = last_id(iceberg(world, SELL, 10_000, 100, 10, account=2))
    small = last_id(world.sell(10_000, 7, account=3))
    level = record["levels"][int(record["books"][1]["ladder"][1]) + 10_000]

    def told() -> tuple[int, int]:
        return int(level["quantity"]), int(record["extras"][int(level["head"])]["veiled"])

    assert [row[0] for row in live(world)] == [big, small, veiled]
    assert told() == (17, 120)
    world.buy(10_000, 10, account=4)
    assert [row[0] for row in live(world)] == [small, big, veiled]
    assert told() == (17, 110)
    world.cancel(small)
    assert told() == (10, 110)
    world.replace(big, 10_000, 95)
    assert told() == (10, 105)
    world.cancel(big)
    assert told() == (0, 30)
    assert world.engine.depth(1, 5).asks == ()
    world.cancel(veiled)
    assert told() == (0, 0)


def test_a_wider_window_moves_waiting_stops() -> None:
    """WIDEN_WINDOW: positions count from the floor, in the stop book as in the order book."""
    world = kernel_world()
    waiting = [last_id(stop(world, BUY, price, 12_000, 5)) for price in (11_000, 11_064)]
    waiting += [last_id(stop(world, SELL, price, 8_000, 5)) for price in (9_000, 8_999)]
    world.send(71, instrument=1, price=4_321, price2=20_000)
    assert [row[0] for row in live(world)] == waiting
    world.restored()
    assert [row[0] for row in live(world)] == waiting
    world.sell(11_064, 5, account=2)
    events = world.buy(11_064, 5, account=3)
    assert [e.split()[0] for e in events].count("TRIGGERED") == 2


# --- calls --------------------------------------------------------------------------------------------------------


def test_a_large_uncrossing_keeps_the_book_whole() -> None:
    """uncross: what is left is the book that the same orders, entered without what traded, would give."""
    venue = further(capacity=Capacity(orders=4_000, accounts=6, icebergs=2_000))
    world = kernel_world(venue)
    random = np.random.default_rng(3)
    world.phase(OPEN_CALL, TODAY, instrument=1)
    for _ in range(1_200):
        side, price, lots = int(random.integers(1, 3)), int(random.integers(9_950, 10_051)), int(random.integers(2, 90))
        fields = {"account": int(random.integers(1, 5)), "time_in_force": int(random.choice([1, IOC]))}
        if random.random() < 0.3:
            fields |= {"time_in_force": 1, "order_type": 5, "quantity2": max(1, lots // 7)}
        world.order(side, price, lots, **fields)
    found = world.engine.indicative(1)
    events = world.phase(CONTINUOUS, TODAY, instrument=1)
    trades = [event for event in events if event.startswith("TRADE")]
    lots = sum(int(event.split("quantity=")[1].split()[0]) for event in trades)
    assert found.volume == lots > 0
    assert all(f"price={found.price} " in event for event in trades)
    assert events[0].startswith("CALL_UNCROSSED")
    assert int(record_of(world)["books"][1]["call_only"]) == 0
    depth = world.engine.depth(1, 1_000)
    assert depth.bids[0].price < depth.asks[0].price
    state = world.engine.canonical_state()
    assert Engine.restore(venue, state, "kernel").canonical_state() == state
    assert Engine.restore(venue, state, "kernel").depth(1, 1_000) == depth


def test_a_long_cascade() -> None:
    """Stops that trigger one another resolve inside the command, each once, and leave nothing waiting."""
    world = kernel_world(further({"call_auction": False}, capacity=Capacity(orders=1_000, accounts=6, icebergs=5)))
    for step in range(300):
        world.sell(10_000 + step, 1, account=1)
        stop(world, BUY, 10_000 + step, 15_000, 1, order_type=STOP_LIMIT, account=2)
    world.sell(9_999, 1, account=1)
    assert kinds(world.buy(9_999, 1, account=3)) == ["ACCEPTED", "TRADE"]
    events = kinds(world.buy(10_000, 1, account=3))
    assert events.count("TRIGGERED") == 300 and events.count("TRADE") == 300
    assert [row[1] for row in live(world, "waiting")] == [0]


def test_walks_end_at_the_corridor() -> None:
    """docs/call-auctions.md 12.3: lots outside the corridor do not count for FOK."""
    world = kernel_world(further({"corridor_dynamic_bps": 100}))
    for price in (10_050, 10_100, 10_101):
        world.sell(price, 5)
    assert world.buy(10_200, 15, time_in_force=FOK, account=2)[0].startswith("REJECTED FOK_NOT_FILLABLE")
    assert kinds(world.buy(10_200, 10, time_in_force=FOK, account=2)) == ["ACCEPTED", "TRADE", "TRADE"]
    assert EventKind.PHASE_CHANGED.name not in kinds(world.buy(10_100, 1, account=2))
    assert int(record_of(world)["books"][1]["phases"][Mode.LISTED]) == CONTINUOUS
