"""BUST_TRADE: cancelling a trade (docs/controls.md 10.3; Regulation (EU) 2017/584 art. 18: cancel or revoke trades)."""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from tests.engine.builders import BIDDING, BLOCK, BUY, CONTINUOUS, LISTED, SELL, World, last_id, plain, seee
from tests.engine.test_limits import refusal

pytestmark = pytest.mark.nojit

TODAY, TOMORROW = 20250811, 20250812
CASH, UNITS = 1_000_000, 1_000


@pytest.fixture
def pair(make_world):
    """Accounts 1 and 2 of firms of their own with 1,000,000 fen and 1,000 t each."""
    return open_pair(make_world)


def open_pair(make_world, instrument: dict[str, int] | None = None, **changes: int) -> World:
    world = make_world(seee(instrument, **changes))
    world.account(cash=CASH, units=UNITS)
    world.account(cash=CASH, units=UNITS)
    world.open_day(TODAY)
    return world


def deal(world: World, price: int, lots: int, buyer: int = 1, seller: int = 2) -> int:
    """A listed trade; returns its number."""
    world.sell(price, lots, account=seller)
    events = world.buy(price, lots, account=buyer)
    at = next(number for number, event in enumerate(events) if event.startswith("TRADE"))
    return world.events - len(events) + at + 1


def bust(world: World, number: int, price: int, lots: int, **fields: int) -> list[str]:
    given = {"scope": LISTED, "instrument": 1, "account": 1, "quantity2": 2, "expiry": TODAY, **fields}
    return world.send(K.BUST_TRADE, target=number, price=price, quantity=lots, **given)


def figures(world: World, *names: str) -> tuple[int, ...]:
    """Day figures of instrument 1."""
    row = world.engine.state()["instruments"][0]
    return tuple(int(row[name]) for name in names)


def test_bust_today(pair):
    """Units leave bought_today for the seller's free, the money goes back, the seller's proceeds shrink."""
    number = deal(pair, 7100, 10)
    assert pair.units(1) == (UNITS, 0, 10)
    assert pair.cash(2) == (CASH + 71_000, 0, 71_000)
    assert bust(pair, number, 7100, 10) == [
        f"TRADE_BUSTED side=1 price=7100 quantity=10 account=1 contra_account=2 order_id={number} aux=71000 aux2=10"
    ]
    assert (pair.cash(1), pair.units(1)) == ((CASH, 0, 0), (UNITS, 0, 0))
    assert (pair.cash(2), pair.units(2)) == ((CASH, 0, 0), (UNITS, 0, 0))
    assert pair.row("busts", id=number) == {"id": number, "quantity": 10}
    assert figures(pair, "volume", "turnover", "trades", "open", "high", "low", "last") == (0, 0, 0, 0, 0, 0, 7100)


def test_statistics_and_close_are_computed_anew(pair):
    """The cancelled trade no longer counts in the close; open, high, low and last stay while others remain."""
    deal(pair, 7000, 10)
    number = deal(pair, 7500, 30)
    deal(pair, 7100, 10)
    bust(pair, number, 7500, 30)
    names = ("volume", "turnover", "trades", "open", "high", "low", "last")
    assert figures(pair, *names) == (20, 141_000, 2, 7000, 7500, 7000, 7100)
    pair.stop()
    pair.expire()
    assert pair.fix_close()[0] == (
        "CLOSE_FIXED phase=0 price=7050 quantity=20 order_id=2 remaining=7000 contra_remaining=7500 aux=141000 "
        "aux2=7000"
    )


def test_without_any_trade_left(pair):
    """The close is the previous close, as on a day without trades; a later trade opens the day."""
    number = deal(pair, 7500, 30)
    bust(pair, number, 7500, 30)
    twin = pair.restored()
    deal(twin, 7200, 1)
    assert figures(twin, "open", "high", "low", "volume") == (7200, 7200, 7200, 1)
    pair.stop()
    pair.expire()
    assert pair.fix_close()[0] == "CLOSE_FIXED phase=0 price=7134 remaining=7134"


def test_bust_of_yesterday(pair):
    """The settled units come out of free; proceeds_today and today's figures stay."""
    number = deal(pair, 7100, 10)
    pair.end_of_day()
    pair.open_day(TOMORROW)
    deal(pair, 7200, 5)
    before = figures(pair, "volume", "turnover", "trades")
    assert pair.units(1) == (UNITS + 10, 0, 5)
    assert bust(pair, number, 7100, 10)[0].endswith("aux=71000 aux2=10")
    assert (pair.cash(1), pair.units(1)) == ((CASH - 36_000, 0, 0), (UNITS, 0, 5))
    assert (pair.cash(2), pair.units(2)) == ((CASH + 36_000, 0, 36_000), (UNITS - 5, 0, 0))
    assert figures(pair, "volume", "turnover", "trades") == before == (5, 36_000, 1)


def test_bust_of_today_after_settlement(pair):
    """The stage decides: once settled, the units are free and the figures are those of the next day."""
    number = deal(pair, 7100, 10)
    pair.end_of_day()
    assert bust(pair, number, 7100, 10)[0].startswith("TRADE_BUSTED phase=0")
    assert (pair.units(1), pair.units(2)) == ((UNITS, 0, 0), (UNITS, 0, 0))
    assert pair.cash(2) == (CASH, 0, 0)


def test_bust_between_close_and_settlement(pair):
    """In the stages before SETTLED it is still today; a close that was fixed stays."""
    number = deal(pair, 7100, 10)
    deal(pair, 7200, 10)
    pair.stop()
    pair.expire()
    pair.fix_close()
    bust(pair, number, 7100, 10)
    assert figures(pair, "close", "volume") == (7150, 10)
    assert pair.units(1) == (UNITS, 0, 10)
    assert pair.settle()[0] == "UNITS_SETTLED quantity=10 account=1 aux2=1"


def test_refused_when_the_units_are_gone(pair):
    """The buyer must still have them; what is locked for a sale is not there."""
    number = deal(pair, 7100, 10)
    assert refusal(bust(pair, number, 7100, 11)) == "INSUFFICIENT_UNITS"
    pair.end_of_day()
    pair.open_day(TOMORROW)
    pair.sell(7300, UNITS + 1)
    assert refusal(bust(pair, number, 7100, 10)) == "INSUFFICIENT_UNITS"
    assert refusal(bust(pair, number, 7100, 9)) == ""


def test_refused_when_the_money_is_gone(pair):
    """The seller's free cash must cover the price; one that is locked for a purchase does not."""
    number = deal(pair, 7100, 10)
    pair.buy(7000, 143, account=2)
    assert pair.cash(2)[0] == 70_000
    assert refusal(bust(pair, number, 7100, 10)) == "INSUFFICIENT_FUNDS"
    pair.deposit_cash(2, 999)
    assert refusal(bust(pair, number, 7100, 10)) == "INSUFFICIENT_FUNDS"
    pair.deposit_cash(2, 1)
    assert refusal(bust(pair, number, 7100, 10)) == ""
    assert pair.cash(2)[2] == 0


def test_only_once(pair):
    """A number is cancelled once, whatever the terms; also after a restore."""
    number = deal(pair, 7100, 10)
    bust(pair, number, 7100, 10)
    assert refusal(bust(pair, number, 7100, 10)) == "ALREADY_BUSTED"
    assert refusal(bust(pair.restored(), number, 7000, 1)) == "ALREADY_BUSTED"


def test_in_any_order(pair):
    """Numbers need not rise; the state lists them by number."""
    numbers = [deal(pair, 7100, 1) for _ in range(5)]
    for at in (3, 0, 4, 1):
        bust(pair, numbers[at], 7100, 1)
    assert [int(row["id"]) for row in pair.engine.state()["busts"]] == [numbers[at] for at in (0, 1, 3, 4)]
    twin = pair.restored()
    assert refusal(bust(twin, numbers[3], 7100, 1)) == "ALREADY_BUSTED"
    assert refusal(bust(twin, numbers[2], 7100, 1)) == ""
    assert [int(row["id"]) for row in twin.engine.state()["busts"]] == numbers


def test_bust_of_who_was_stopped(pair):
    """Art. 18: what a stopped firm traded may be cancelled; 10.3 asks for neither status nor halt."""
    number = deal(pair, 7100, 10)
    pair.send(K.KILL_SWITCH, scope=1, target=1)
    pair.send(K.KILL_SWITCH, scope=2, account=1)
    pair.send(K.KILL_SWITCH, scope=2, account=2)
    pair.send(K.KILL_SWITCH, scope=4)
    assert bust(pair, number, 7100, 10)[0].startswith("TRADE_BUSTED")
    assert (pair.cash(1), pair.units(1), pair.cash(2)) == ((CASH, 0, 0), (UNITS, 0, 0), (CASH, 0, 0))


def test_bust_after_the_last_date(pair):
    """10.3 asks that the instrument exists: one that has been delisted since is no obstacle."""
    number = deal(pair, 7100, 10)
    pair.send(K.DELIST_INSTRUMENT, instrument=1, expiry=TODAY)
    pair.end_of_day()
    pair.open_day(TOMORROW)
    assert refusal(pair.buy(7100, 1)) == "NOT_LISTED"
    assert bust(pair, number, 7100, 10)[0].startswith("TRADE_BUSTED")
    assert (pair.units(1), pair.units(2)) == ((UNITS, 0, 0), (UNITS, 0, 0))


def test_fees_are_not_returned(make_world):
    """The venue keeps its fees; the seller pays back more than came in, and his proceeds do not fall below 0."""
    world = open_pair(make_world, {"fee_ppm": 10_000})
    number = deal(world, 7100, 10)
    assert (world.cash(1)[0], world.cash(2)) == (CASH - 71_710, (CASH + 70_290, 0, 70_290))
    bust(world, number, 7100, 10)
    assert (world.cash(1), world.cash(2)) == ((CASH - 710, 0, 0), (CASH - 710, 0, 0))
    assert world.engine.state()["currencies"][0]["fees"] == 1_420


def test_same_day_units(make_world):
    """settlement_days 0: bought units were free at once."""
    world = open_pair(make_world, settlement_days=0)
    number = deal(world, 7100, 10)
    assert world.units(1) == (UNITS + 10, 0, 0)
    bust(world, number, 7100, 10)
    assert (world.units(1), world.units(2)) == ((UNITS, 0, 0), (UNITS, 0, 0))


def test_misstated_terms_never_turn_a_figure_negative(pair):
    """Volume, turnover and trades shrink each where that many are left; the close stays between low and high."""
    number = deal(pair, 7100, 10)
    assert refusal(bust(pair, number, 131_071, 7)) == ""
    assert figures(pair, "volume", "turnover", "trades") == (3, 71_000, 0)
    pair.stop()
    pair.expire()
    assert pair.fix_close()[0].startswith("CLOSE_FIXED phase=0 price=7100 quantity=3 ")


def test_a_close_far_below_the_trades(pair):
    """The same from below: turnover shrinks by more than it should."""
    number = deal(pair, 7000, 10)
    deal(pair, 7100, 10)
    bust(pair, number, 14_000, 10)
    assert figures(pair, "volume", "turnover", "trades") == (10, 1_000, 1)
    pair.stop()
    pair.expire()
    assert pair.fix_close()[0].startswith("CLOSE_FIXED phase=0 price=7000 quantity=10 ")


def test_large_units_and_ticks(make_world):
    """Lots are not units and ticks are not minor units."""
    world = open_pair(make_world, {"tick_value": 3, "units_per_lot": 20})
    number = deal(world, 7100, 10)
    assert bust(world, number, 7100, 10)[0].endswith("aux=213000 aux2=200")
    assert (world.cash(1), world.units(2)) == ((CASH, 0, 0), (UNITS, 0, 0))


def test_block_trade(make_world):
    """Mode BLOCK: its own figures shrink, the listed ones stay."""
    world = open_pair(make_world, {"block_min": 10})
    world.phase(CONTINUOUS, TODAY, mode=BLOCK)
    deal(world, 7000, 1)
    world.send(K.BLOCK_OFFER, account=2, instrument=1, side=SELL, price=7100, quantity=20)
    world.send(K.BLOCK_ACCEPT, account=1, target=1, price=7100, quantity=20)
    number = world.events
    names = ("block_volume", "block_turnover", "block_trades", "volume", "trades")
    assert figures(world, *names) == (20, 142_000, 1, 1, 1)
    assert bust(world, number, 7100, 20, scope=BLOCK) == [
        f"TRADE_BUSTED side=2 price=7100 quantity=20 account=1 contra_account=2 order_id={number} aux=142000 aux2=20"
    ]
    assert figures(world, *names) == (0, 0, 0, 1, 1)
    assert world.units(1) == (UNITS, 0, 1)


def test_auction_trade(make_world):
    """Mode BIDDING: auction_volume shrinks, auction_price stays."""
    rules = {"auction": True, "auction_min": 1, "auction_reserve": "ANY", "auction_cap": "NONE"}
    world = open_pair(make_world, rules)
    auction = last_id(world.send(K.ANNOUNCE_AUCTION, side=SELL, instrument=1, account=2, price=7000, quantity=30))
    world.send(K.OPEN_AUCTION, target=auction)
    world.send(K.AUCTION_BID, side=BUY, instrument=1, account=1, target=auction, price=7100, quantity=30)
    events = world.send(K.CLOSE_AUCTION, target=auction)
    at = next(number for number, event in enumerate(events) if event.startswith("AUCTION_TRADE"))
    number = world.events - len(events) + at + 1
    assert figures(world, "auction_volume", "auction_price") == (30, 7100)
    bust(world, number, 7100, 30, scope=BIDDING)
    assert figures(world, "auction_volume", "auction_price") == (0, 7100)
    assert (world.cash(1), world.units(1), world.units(2)) == ((CASH, 0, 0), (UNITS, 0, 0), (UNITS, 0, 0))


def test_without_pre_funding(make_world):
    """Nothing moves there: the number is noted and the figures shrink."""
    world = make_world(plain(open_from_start=False))
    world.open_day(TODAY)
    number = deal(world, 500, 10, buyer=8, seller=9)
    assert bust(world, number, 500, 10, account=8, quantity2=9) == [
        f"TRADE_BUSTED side=1 price=500 quantity=10 account=8 contra_account=9 order_id={number}"
    ]
    assert figures(world, "volume", "trades") == (0, 0)
    assert refusal(bust(world, number, 500, 10)) == "ALREADY_BUSTED"
