"""The published figures of carbon_anchors.json that the listed mode covers, made by real trades.

Daily totals are published, single trades are not: each total is split into trades at whole prices that add up to it
exactly and touch the published open, high and low.
"""

from __future__ import annotations

import pytest

from tests.engine.builders import CONTINUOUS, World, seee

pytestmark = pytest.mark.nojit

LARGEST = 99_999


def print_trades(world: World, trades: list[tuple[int, int]], instrument: int = 1) -> None:
    """Trades between accounts 1 and 2, none above the listed maximum."""
    for price, quantity in trades:
        while quantity:
            lots = min(quantity, LARGEST)
            world.sell(price, lots, account=1, instrument=instrument)
            events = world.buy(price, lots, account=2, instrument=instrument)
            assert [event.split()[0] for event in events] == ["ACCEPTED", "TRADE"]
            quantity -= lots


def around(amount: int, tonnes: int) -> list[tuple[int, int]]:
    """A total as trades at the two whole prices around its mean."""
    low, extra = divmod(amount, tonnes)
    trades = [(low, tonnes - extra), (low + 1, extra)]
    assert sum(price * quantity for price, quantity in trades) == amount
    return [trade for trade in trades if trade[1]]


def rich(make_world, venue) -> World:
    """Accounts 1 (all assets) and 2 (cash)."""
    world = make_world(venue)
    world.accounts(2)
    for asset in range(2, len(venue.assets) + 1):
        world.deposit_units(1, 10**9, asset=asset)
    return world


def close_line(events: list[str], instrument: int = 1) -> str:
    mark = f"instrument={instrument} " if instrument > 1 else "phase=0 price"
    return next(event for event in events if event.startswith("CLOSE_FIXED " + mark))


@pytest.mark.parametrize(
    ("amount", "tonnes", "close"),
    [
        (210_230_053_25, 4_103_953, 5123),  # 2021-07-16 CEA
        (729_000_00, 8_000, 9113),  # 2024-07-01 CEA22, exact half; float round gives 91.12
        (418_700_00, 4_000, 10468),  # 2024-11-04 CEA, exact half; float round gives 104.67
        (11_920_190_00, 142_000, 8395),  # 2026-05-14 CEA25, exact half; float round gives 83.94
        (4_650_803_61, 70_718, 6577),  # 2025-12-24 CEA22
    ],
)
def test_close_is_the_volume_weighted_mean_half_up(make_world, amount, tonnes, close):
    """carbon_anchors.json close_vwap_half_up: amount / tonnes, half-up to the tick."""
    world = rich(make_world, seee({"limit_listed_bps": 0}))
    world.open_day(20250811)
    trades = around(amount, tonnes)
    print_trades(world, trades)
    world.stop()
    world.expire()
    count = sum(-(-quantity // LARGEST) for _, quantity in trades)
    assert world.fix_close()[0] == (
        f"CLOSE_FIXED phase=0 price={close} quantity={tonnes} order_id={count} remaining={trades[0][0]} "
        f"contra_remaining={trades[-1][0]} aux={amount} aux2={trades[0][0]}"
    )


@pytest.mark.parametrize(
    ("previous", "down", "up"),
    [(4408, 3967, 4849), (6715, 6044, 7387), (5615, 5054, 6177), (9025, 8123, 9928)],
)
def test_daily_limit_ten_percent(make_world, previous, down, up):
    """carbon_anchors.json limits_10pct: inclusive, half-up, so a limit may lie beyond the exact percentage."""
    world = rich(make_world, seee())
    assert f"aux={down} aux2={up}" in world.reference(previous)[0]
    world.open_day(20250811)
    assert world.sell(up, 1) == [
        f"ACCEPTED side=2 price={up} quantity=1 account=1 order_id=1 remaining=1 aux=1 aux2=257"
    ]
    assert world.sell(up + 1, 1) == [f"REJECTED PRICE_ABOVE_LIMIT side=2 price={up + 1} quantity=1 account=1 aux=1"]
    assert world.buy(down, 1) == [
        f"ACCEPTED side=1 price={down} quantity=1 account=1 order_id=2 remaining=1 aux={down} aux2=257"
    ]
    assert world.buy(down - 1, 1) == [f"REJECTED PRICE_BELOW_LIMIT side=1 price={down - 1} quantity=1 account=1 aux=1"]


@pytest.mark.parametrize(("previous", "down", "up"), [(4316, 3021, 5611), (7420, 5194, 9646), (6000, 4200, 7800)])
def test_block_limit_thirty_percent(make_world, previous, down, up):
    """carbon_anchors.json limits_30pct_block; 5611 is the upper limit of rule book 9 B."""
    world = make_world(seee())
    assert f"remaining={down} contra_remaining={up} " in world.reference(previous)[0]


@pytest.mark.parametrize(
    ("closes", "composite"),
    [
        ([10052, 10008, 10117], 10059),  # 2024-04-24
        ([10400, 10442, 10432], 10425),  # 2024-10-25
        ([7400, 7452, 7381, 7443, 7639], 7463),  # 2025-12-31
        ([9750, 9940, 9712, 9720], 9781),  # 2024-12-26: 97.80 was published, the single known exception to the rule
        ([7306], 7306),  # 2023-08-25
        ([7300, 7300, 7300, 7368], 7317),  # 2025-04-28
    ],
)
def test_composite_and_first_reference_of_a_new_vintage(make_world, closes, composite):
    """carbon_anchors.json composite_mean_until_2025 and new_vintage_reference.

    The mean of the vintages' closes, half-up; the next day it is the first reference of a vintage listed that day.
    """
    from datetime import date

    import msgspec

    preset = seee().instruments
    count = len(closes)
    old = tuple(msgspec.structs.replace(i, previous_close=i.price(1) * 8000) for i in preset[:count])
    new = msgspec.structs.replace(preset[5], listed_from=date(2025, 6, 4), previous_close=None)
    world = rich(make_world, seee({"limit_listed_bps": 9_000}, instruments=(*old, new)))
    world.open_day(20250603)
    for instrument, close in enumerate(closes, 1):
        print_trades(world, [(close, 10)], instrument)
    assert f"COMPOSITE_FIXED price={composite} aux=20250603" in world.end_of_day()
    events = world.open_day(20250604)
    assert events[0] == "DAY_OPENED aux=20250604 aux2=20250603"
    assert events[1].startswith(f"LIMITS_SET instrument={count + 1} phase=0 price={composite} ")


def test_thin_print_rebasing(make_world):
    """carbon_anchors.json thin_print_rebasing: one tonne of CEA23 at the limit opens the way to 81.00."""
    world = rich(make_world, seee())
    world.reference(7000, instrument=4)
    world.open_day(20260206)
    assert world.sell(8100, 49_999, instrument=4) == [
        "REJECTED PRICE_ABOVE_LIMIT instrument=4 side=2 price=8100 quantity=49999 account=1 aux=1"
    ]
    print_trades(world, [(7700, 1)], 4)
    world.stop()
    world.expire()
    assert close_line(world.fix_close(), 4) == (
        "CLOSE_FIXED instrument=4 phase=0 price=7700 quantity=1 order_id=1 remaining=7700 contra_remaining=7700 "
        "aux=7700 aux2=7700"
    )
    assert "LIMITS_SET instrument=4 phase=0 price=7700 remaining=5390 contra_remaining=10010 aux=6930 aux2=8470" in (
        world.settle()
    )
    world.open_day(20260209)
    print_trades(world, [(8100, 49_999)], 4)
    world.stop()
    world.expire()
    assert close_line(world.fix_close(), 4) == (
        "CLOSE_FIXED instrument=4 phase=0 price=8100 quantity=49999 order_id=1 remaining=8100 contra_remaining=8100 "
        "aux=404991900 aux2=8100"
    )


# (instrument, previous close, trades in order, tonnes, amount in fen, open, high, low, close)
DAYS = {
    20250811: (
        [
            (1, 7134, [], 0, 0, 7134, 0, 0, 7134),
            (2, 7000, [], 0, 0, 7000, 0, 0, 7000),
            (3, 7300, [], 0, 0, 7300, 0, 0, 7300),
            (4, 7293, [(7280, 20_000), (7285, 1_000)], 21_000, 1_528_850_00, 7280, 7285, 7280, 7280),
            (5, 7320, [(7320, 20_000), (7250, 10_000)], 50_752, 3_697_970_40, 7320, 7320, 7250, 7286),
        ],
        7209,
        7200,
    ),
    20251231: (
        [
            (1, 7243, [(7400, 40_000)], 40_000, 2_960_000_00, 7400, 7400, 7400, 7400),
            (2, 7300, [(7452, 26_089)], 26_089, 1_944_152_28, 7452, 7452, 7452, 7452),
            (3, 7305, [(7305, 20_000), (7452, 20_000)], 118_812, 8_769_170_24, 7305, 7452, 7305, 7381),
            (4, 7280, [(7410, 20_000), (7650, 2_000)], 29_010, 2_159_265_00, 7410, 7650, 7410, 7443),
            (5, 7308, [(7400, 1_000), (8039, 90_000), (7305, 90_000)], 651_201, 49_745_610_37, 7400, 8039, 7305, 7639),
        ],
        7287,
        7463,
    ),
}


@pytest.mark.parametrize("date", DAYS)
def test_published_trading_days(make_world, date):
    """carbon_anchors.json trading_days: open, high, low, close and totals of every vintage, and the composite."""
    vintages, composite_before, composite = DAYS[date]
    world = rich(make_world, seee())
    for instrument, previous, *_ in vintages:
        world.reference(previous, instrument)
    assert world.row("header")["composite"] == composite_before
    world.open_day(date)
    counts = []
    for instrument, _, trades, tonnes, amount, *_ in vintages:
        left = tonnes - sum(q for _, q in trades), amount - sum(p * q for p, q in trades)
        every = [*trades, *(around(left[1], left[0]) if left[0] else [])]
        assert (sum(q for _, q in every), sum(p * q for p, q in every)) == (tonnes, amount)
        print_trades(world, every, instrument)
        counts.append(sum(-(-quantity // LARGEST) for _, quantity in every))
    world.stop()
    world.expire()
    events = world.fix_close()
    for (instrument, _, _, tonnes, amount, opened, high, low, close), count in zip(vintages, counts, strict=True):
        fields = [f"price={close}", f"quantity={tonnes}", f"order_id={count}", f"remaining={opened}"]
        fields += [f"contra_remaining={high}", f"aux={amount}", f"aux2={low}"]
        mark = f"instrument={instrument} " if instrument > 1 else ""
        expected = f"CLOSE_FIXED {mark}phase=0 " + " ".join(f for f in fields if not f.endswith("=0"))
        assert events[instrument - 1] == expected
    assert events[-1] == f"COMPOSITE_FIXED price={composite} aux={date}"


def test_vintage_2025_is_first_traded_in_2026(make_world):
    """CEA25: first day 2026-01-05, reference 74.63 = the composite of 2025-12-31; from 2026 it is the composite."""
    world = rich(make_world, seee())
    vintages, *_ = DAYS[20251231]
    for instrument, *_, close in vintages:
        world.reference(close, instrument)
    world.open_day(20251231)
    assert world.buy(7463, 1, instrument=6) == [
        "REJECTED NOT_LISTED instrument=6 phase=0 side=1 price=7463 quantity=1 account=1 aux=1"
    ]
    world.end_of_day()
    assert world.phase(CONTINUOUS, 20260105)[:2] == [
        "DAY_OPENED aux=20260105 aux2=20251231",
        "LIMITS_SET instrument=6 phase=0 price=7463 remaining=5224 contra_remaining=9702 aux=6717 aux2=8209",
    ]
    print_trades(world, [(7500, 10)], 6)
    assert "COMPOSITE_FIXED price=7500 aux=20260105" in world.end_of_day()
