"""The bare book does what the engine does where both know the rule, and says so in the same records."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import scenarios
from benchmarks.mix import CheckError
from benchmarks.prototype import BareBook
from benchmarks.runs import play, timed_bare
from benchmarks.scenarios import check_bare, realistic_figures
from benchmarks.workloads import SCENARIOS, burst, cancel_heavy, gaps, one_level, one_order_per_level, realistic
from engine.core import Engine
from engine.schema import COMMAND, CommandKind, EventKind, OrderType, Side, TimeInForce


def order(side: Side, price: int, quantity: int, time_in_force: TimeInForce = TimeInForce.GTC) -> np.ndarray:
    command = np.zeros(1, COMMAND)
    command["kind"], command["side"], command["order_type"] = CommandKind.NEW_ORDER, side, OrderType.LIMIT
    command["instrument"], command["time_in_force"] = 1, time_in_force
    command["price"], command["quantity"] = price, quantity
    return command


def told(book: BareBook, command: np.ndarray) -> list[tuple[int, ...]]:
    done, events = book.apply(command)
    assert done == len(command)
    fields = ("kind", "order_id", "contra_order_id", "price", "quantity", "remaining")
    return [tuple(int(event[field]) for field in fields) for event in events]


def test_a_trade_word_for_word():
    book = BareBook()
    assert told(book, order(Side.SELL, 101, 5)) == [(EventKind.ACCEPTED, 1, 0, 101, 5, 5)]
    assert told(book, order(Side.SELL, 100, 3)) == [(EventKind.ACCEPTED, 2, 0, 100, 3, 3)]
    assert told(book, order(Side.BUY, 101, 6, TimeInForce.IOC)) == [
        (EventKind.ACCEPTED, 3, 0, 101, 6, 6),
        (EventKind.TRADE, 3, 2, 100, 3, 3),
        (EventKind.TRADE, 3, 1, 101, 3, 0),
    ]
    cancel = np.zeros(2, COMMAND)
    cancel["kind"], cancel["target"] = CommandKind.CANCEL_ORDER, 1
    assert told(book, cancel) == [(EventKind.CANCELLED, 1, 0, 101, 2, 0), (EventKind.REJECTED, 0, 0, 0, 0, 0)]


@pytest.mark.parametrize(
    "work",
    [
        *(realistic(name, 3_000) for name in SCENARIOS),
        burst(3_000, 1_000),
        cancel_heavy(3_000, 1_000),
        one_level(3_000),
        one_order_per_level(3_000),
        gaps(3_000),
    ],
    ids=lambda work: work.name,
)
def test_the_same_events_as_the_engine(work):
    check_bare(work)
    assert timed_bare(work, 1_024).wall > 0


def test_a_total_that_is_filled_already():
    book = BareBook()
    told(book, order(Side.SELL, 100, 5))
    told(book, order(Side.BUY, 100, 3, TimeInForce.IOC))
    change = np.zeros(1, COMMAND)
    change["kind"], change["target"], change["price"] = CommandKind.REPLACE_ORDER, 1, 101
    change["quantity"] = 3
    assert told(book, change)[0][0] == EventKind.REJECTED
    change["quantity"] = 4
    assert told(book, change) == [(EventKind.REPLACED, 1, 0, 101, 4, 1)]


def test_a_difference_is_found(monkeypatch):
    work = realistic("normal", 500)
    other = work.flow.copy()
    other["quantity"][other["kind"] == CommandKind.NEW_ORDER] += 1

    class Other(Engine):
        def apply_all(self, commands):
            return super().apply_all(other[: len(commands)])

    monkeypatch.setattr(scenarios, "Engine", Other)
    with pytest.raises(CheckError, match="realistic-normal: the bare book differs in quantity after command 0"):
        check_bare(work)


def test_the_worst_of_five_is_told():
    found = realistic_figures("plain", 1_000, 2, 7, lambda text: None)
    assert list(found["scenarios"]) == list(SCENARIOS)
    rates = {name: one["million_commands_per_second"]["median"] for name, one in found["scenarios"].items()}
    assert found["worst"] == min(rates, key=rates.__getitem__)
    assert found["million_commands_per_second"] == min(rates.values())
    for one in found["scenarios"].values():
        assert one["times_bare"] > 0 and len(one["bare_book"]["runs"]) == 2


def test_a_full_event_buffer_hands_back_the_rest():
    book = BareBook()
    resting = np.tile(order(Side.SELL, 100, 1), 300_000)
    play(book, resting, 1_024)
    takers = np.tile(order(Side.BUY, 100, 100, TimeInForce.IOC), 3_000)
    done, events = book.apply(takers)
    assert 0 < done < 3_000
    assert (events["kind"] == EventKind.TRADE).sum() == 100 * done


def test_a_level_knows_its_lots():
    """What market data asks for, and what the prototype that the book is modelled on keeps."""
    work = realistic("static", 2_000)
    book = BareBook()
    play(book, work.flow, 1_024)
    memory = book._book[0]
    resting = memory["orders"][memory["slot_of"][memory["slot_of"] > 0]]
    assert len(resting) > 50
    wanted = np.zeros_like(memory["levels"]["quantity"])
    np.add.at(wanted, (resting["side"], resting["price"]), resting["remaining"])
    assert np.array_equal(memory["levels"]["quantity"], wanted)
