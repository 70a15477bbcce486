"""Block trades: published figures and the dialogue (docs/blocks-and-auctions.md section 7; rule book section 4, B1 to
B5, and section 9, B).
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.engine.block_floor import DATE, MOMENT, accept, block_statistics, counter, live, offer, open_floor, withdraw
from tests.engine.builders import BLOCK, BUY, CONTINUOUS, SELL, plain, seee
from tests.engine.test_anchors import around, print_trades

pytestmark = pytest.mark.nojit


# Published figures


def test_example_b(make_world):
    """Rule book 9 B, CEA 2021-11-19: 1,246,829 t at 30.21 = 37,666,704.09, although -30 % is exactly 30.212."""
    tonnes, amount = 1_246_829, 37_666_704_09
    world = make_world(seee())
    world.account(units=tonnes + 72_949)
    world.account(cash=amount + 3_140_096_90)
    assert world.reference(4316) == [
        "LIMITS_SET phase=0 price=4316 remaining=3021 contra_remaining=5611 aux=3884 aux2=4748"
    ]
    world.open_day(20211119)
    world.phase(CONTINUOUS, 20211119, mode=BLOCK)
    print_trades(world, around(3_140_096_90, 72_949)[:1])
    assert offer(world, SELL, 3020, tonnes, account=1) == [
        "REJECTED PRICE_BELOW_LIMIT side=2 price=3020 quantity=1246829 account=1 aux=8"
    ]
    assert offer(world, BUY, 5612, tonnes, account=2) == [
        "REJECTED PRICE_ABOVE_LIMIT side=1 price=5612 quantity=1246829 account=2 aux=8"
    ]
    assert offer(world, SELL, 3021, tonnes, account=1) == [
        "BLOCK_OFFERED side=2 price=3021 quantity=1246829 account=1 order_id=1 remaining=1246829 aux=1246829"
    ]
    before = world.row("instruments")
    assert accept(world, 1, 3021, tonnes, account=2) == [
        "BLOCK_TRADE side=1 aggressor=1 price=3021 quantity=1246829 account=2 contra_account=1 order_id=1 "
        "contra_order_id=1"
    ]
    after = world.row("instruments")
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"block_volume", "block_turnover", "block_trades"}
    assert block_statistics(world) == (tonnes, amount, 1)
    print_trades(world, around(3_140_096_90, 72_949)[1:])
    assert world.units(2) == (0, 0, tonnes + 72_949)
    assert world.cash(1) == (amount + 3_140_096_90, 0, amount + 3_140_096_90)
    assert world.cash(2) == (0, 0, 0)
    world.stop()
    world.expire()
    assert world.fix_close()[0] == (
        "CLOSE_FIXED phase=0 price=4305 quantity=72949 order_id=2 remaining=4304 contra_remaining=4305 "
        "aux=314009690 aux2=4304"
    )
    world.settle()
    assert world.row("instruments")["previous_close"] == 4305
    assert block_statistics(world) == (0, 0, 0)
    assert world.units(2) == (tonnes + 72_949, 0, 0)


@pytest.mark.parametrize(
    ("previous", "down"),
    [
        (4316, 3021),  # 2021-11-19: 1,246,829 t for 37,666,704.09, below the exact 30.212
        (7420, 5194),
        (6000, 4200),
    ],
)
def test_published_limits(make_world, previous, down):
    """carbon_anchors.json limits_30pct_block: the lower limit trades, one tick below it is refused."""
    world = make_world(seee())
    world.accounts(2)
    world.reference(previous)
    world.open_day(DATE)
    world.phase(CONTINUOUS, DATE, mode=BLOCK)
    assert world.row("instruments")["block_down"] == down
    assert "PRICE_BELOW_LIMIT" in offer(world, SELL, down - 1, 100_000, account=1)[0]
    offer(world, SELL, down, 100_000, account=1)
    assert accept(world, 1, down, 100_000, account=2)[0].startswith("BLOCK_TRADE")


def test_least_size(floor):
    """Rule book, B1: 99,999 t are a listed order's size, 100,000 t a block's."""
    assert offer(floor, SELL, 7134, 99_999, account=1) == [
        "REJECTED QUANTITY_TOO_SMALL side=2 price=7134 quantity=99999 account=1 aux=8"
    ]
    assert offer(floor, SELL, 7134, 100_000, account=1)[0].startswith("BLOCK_OFFERED")
    assert floor.sell(7134, 99_999)[0].startswith("ACCEPTED")
    assert "QUANTITY_TOO_LARGE" in floor.sell(7134, 100_000)[0]


def test_seee_trades_blocks_in_the_afternoon_only():
    """SEEE notice of 2021-06-23: blocks from 13:00 to 15:00."""
    transitions = seee().calendar.transitions
    assert [(t.at.hour, t.phase) for t in transitions if "BLOCK" in t.modes] == [(13, "CONTINUOUS")]
    assert [(t.at.hour, t.phase) for t in transitions if t.phase == "END"] == [(15, "END")]


# The dialogue


def test_public_offer_to_buy(floor):
    """A public offer locks cash at once; anybody else accepts it; T+1 and T+0 as in the listed mode (B5)."""
    cash = floor.cash(1)[0]
    assert offer(floor, BUY, 7000, 200_000, account=1, expiry=MOMENT) == [
        "BLOCK_OFFERED side=1 price=7000 quantity=200000 account=1 order_id=1 remaining=200000 aux=1400000000 "
        "aux2=5000000"
    ]
    assert floor.cash(1) == (cash - 1_400_000_000, 1_400_000_000, 0)
    assert live(floor) == [(1, 1, 0)]
    assert accept(floor, 1, 7000, 200_000, account=3) == [
        "BLOCK_TRADE side=2 aggressor=2 price=7000 quantity=200000 account=3 contra_account=1 order_id=1 "
        "contra_order_id=1"
    ]
    assert live(floor) == []
    assert floor.cash(1) == (cash - 1_400_000_000, 0, 0)
    assert floor.units(1) == (10**9, 0, 200_000)
    assert floor.units(3) == (10**9 - 200_000, 0, 0)
    assert floor.cash(3) == (cash + 1_400_000_000, 0, 1_400_000_000)
    assert block_statistics(floor) == (200_000, 1_400_000_000, 1)
    assert accept(floor, 1, 7000, 200_000, account=2) == [
        "REJECTED UNKNOWN_NEGOTIATION price=7000 quantity=200000 account=2 aux=10 aux2=1"
    ]


def test_units_bought_in_blocks_are_sellable_tomorrow(make_world):
    """Rule book, B5: T+1 holds for all modes; proceeds may be spent at once and withdrawn tomorrow."""
    world = make_world(seee())
    world.account(cash=2 * 7_134 * 100_000)
    world.account(units=100_000)
    world.open_day(DATE)
    world.phase(CONTINUOUS, DATE, mode=BLOCK)
    offer(world, SELL, 7134, 100_000, account=2, to=1)
    accept(world, 1, 7134, 100_000, account=1)
    assert offer(world, SELL, 7134, 100_000, account=1) == [
        "REJECTED UNITS_BOUGHT_TODAY side=2 price=7134 quantity=100000 account=1 aux=8"
    ]
    assert world.withdraw_cash(2, 1) == ["REJECTED PROCEEDS_NOT_SETTLED quantity=1 account=2 aux=97"]
    assert offer(world, BUY, 7134, 100_000, account=2)[0].startswith("BLOCK_OFFERED")
    world.stop()
    world.expire()
    world.fix_close()
    assert world.settle()[:2] == [
        "UNITS_SETTLED quantity=100000 account=1 aux2=1",
        "CASH_SETTLED account=2 aux=713400000 aux2=1",
    ]
    assert world.withdraw_cash(2, 713_400_000) == ["CASH_MOVED quantity=1 account=2 aux=-713400000"]


def test_settlement_days_0(make_open_world):
    """settlement_days 0: bought units are free at once."""
    world = open_floor(make_open_world, seee(settlement_days=0))
    offer(world, SELL, 7134, 100_000, account=2)
    accept(world, 1, 7134, 100_000, account=1)
    assert world.units(1) == (10**9 + 100_000, 0, 0)


def test_named_offer_is_for_two(floor):
    """Nobody but the two may see a named negotiation; not even the venue's operator for a third account."""
    assert offer(floor, SELL, 7100, 150_000, account=1, to=2) == [
        "BLOCK_OFFERED side=2 price=7100 quantity=150000 account=1 contra_account=2 order_id=1 remaining=150000 "
        "aux=150000"
    ]
    assert accept(floor, 1, 7100, 150_000, account=3) == [
        "REJECTED UNKNOWN_NEGOTIATION price=7100 quantity=150000 account=3 aux=10 aux2=1"
    ]
    assert counter(floor, 1, 7100, 150_000, account=3) == [
        "REJECTED UNKNOWN_NEGOTIATION price=7100 quantity=150000 account=3 aux=9 aux2=1"
    ]
    assert withdraw(floor, 1, account=3) == ["REJECTED UNKNOWN_NEGOTIATION account=3 aux=11 aux2=1"]
    assert accept(floor, 1, 7100, 150_000, account=1) == [
        "REJECTED OWN_TERMS price=7100 quantity=150000 account=1 aux=10 aux2=1"
    ]
    assert accept(floor, 1, 7100, 150_000, account=2)[0].startswith("BLOCK_TRADE")


def test_counter_offers_move_the_lock(floor):
    """Rule book, B3: a counter-offer releases the other side and locks the one who counters; id and expiry stay."""
    cash, units = floor.cash(1)[0], floor.units(1)[0]
    offer(floor, SELL, 7500, 300_000, account=1, to=2, expiry=MOMENT)
    assert floor.units(1) == (units - 300_000, 300_000, 0)
    assert counter(floor, 1, 7000, 200_000, account=2) == [
        "BLOCK_COUNTERED side=1 price=7000 quantity=200000 account=2 contra_account=1 order_id=1 remaining=200000 "
        "aux=1400000000 aux2=300000"
    ]
    assert floor.units(1) == (units, 0, 0)
    assert floor.cash(2) == (cash - 1_400_000_000, 1_400_000_000, 0)
    assert counter(floor, 1, 7000, 200_000, account=2) == [
        "REJECTED OWN_TERMS price=7000 quantity=200000 account=2 aux=9 aux2=1"
    ]
    assert counter(floor, 1, 7250, 250_000, account=1) == [
        "BLOCK_COUNTERED side=2 price=7250 quantity=250000 account=1 contra_account=2 order_id=1 remaining=250000 "
        "aux=250000 aux2=1400000000"
    ]
    assert floor.units(1) == (units - 250_000, 250_000, 0)
    assert floor.cash(2) == (cash, 0, 0)
    assert floor.row("negotiations") == {
        "id": 1,
        "instrument": 1,
        "side": SELL,
        "account": 1,
        "counterparty": 2,
        "price": 7250,
        "quantity": 250_000,
        "expiry": MOMENT,
        "locked": 250_000,
        "session": 0,
        "client_order_id": 0,
    }
    assert accept(floor, 1, 7250, 250_000, account=2) == [
        "BLOCK_TRADE side=1 aggressor=1 price=7250 quantity=250000 account=2 contra_account=1 order_id=1 "
        "contra_order_id=1"
    ]


def test_counter_to_a_public_offer_opens_a_negotiation_of_its_own(floor):
    """Nobody can spoil a public offer by answering it: it stays, and each answer is named to the offerer."""
    offer(floor, SELL, 7500, 300_000, account=1, expiry=MOMENT)
    assert counter(floor, 1, 7000, 100_000, account=2) == [
        "BLOCK_OFFERED side=1 price=7000 quantity=100000 account=2 contra_account=1 order_id=2 contra_order_id=1 "
        "remaining=100000 aux=700000000 aux2=5000000"
    ]
    assert counter(floor, 1, 7100, 100_000, account=3) == [
        "BLOCK_OFFERED side=1 price=7100 quantity=100000 account=3 contra_account=1 order_id=3 contra_order_id=1 "
        "remaining=100000 aux=710000000 aux2=5000000"
    ]
    assert counter(floor, 1, 7100, 100_000, account=1) == [
        "REJECTED OWN_TERMS price=7100 quantity=100000 account=1 aux=9 aux2=1"
    ]
    assert live(floor) == [(1, 1, 0), (2, 2, 1), (3, 3, 1)]
    assert accept(floor, 3, 7100, 100_000, account=2)[0].startswith("REJECTED UNKNOWN_NEGOTIATION")
    assert accept(floor, 3, 7100, 100_000, account=1) == [
        "BLOCK_TRADE side=2 aggressor=2 price=7100 quantity=100000 account=1 contra_account=3 order_id=3 "
        "contra_order_id=3"
    ]
    assert accept(floor, 1, 7500, 300_000, account=4)[0].startswith("BLOCK_TRADE")
    assert live(floor) == [(2, 2, 1)]
    assert counter(floor, 2, 7050, 100_000, account=1)[0].startswith("BLOCK_COUNTERED side=2 price=7050")


def test_acceptance_restates_the_terms(floor):
    """B2: a deal exists when both confirm price and quantity; who saw older terms is refused."""
    offer(floor, SELL, 7100, 150_000, account=1, to=2)
    counter(floor, 1, 7000, 150_000, account=2)
    counter(floor, 1, 7050, 140_000, account=1)
    for price, quantity in ((7100, 150_000), (7050, 150_000), (7051, 140_000)):
        assert accept(floor, 1, price, quantity, account=2) == [
            f"REJECTED TERMS_CHANGED price={price} quantity={quantity} account=2 aux=10 aux2=1"
        ]
    assert accept(floor, 1, 7050, 140_000, account=2)[0].startswith("BLOCK_TRADE")


def test_numbers_and_sessions_of_both_sides(make_open_world):
    """BLOCK_COUNTERED, BLOCK_TRADE, FEE and BLOCK_ENDED name the sessions and numbers that put the terms."""
    world = open_floor(make_open_world, seee({"fee_ppm": 1_000}))
    for firm in (1, 2):
        world.session(firm)
    assert offer(world, SELL, 7000, 100_000, 1, to=2, session=1, client_order_id=11)[0].endswith(
        "client_order_id=11 remaining=100000 aux=100000 session=1"
    )
    assert counter(world, 1, 6900, 100_000, 2, session=2, client_order_id=21) == [
        "BLOCK_COUNTERED side=1 price=6900 quantity=100000 account=2 contra_account=1 order_id=1 client_order_id=21 "
        "contra_client_order_id=11 remaining=100000 aux=690690000 aux2=100000 session=2 contra_session=1"
    ]
    assert accept(world, 1, 6900, 100_000, 1, session=1, client_order_id=12) == [
        "BLOCK_TRADE side=2 aggressor=2 price=6900 quantity=100000 account=1 contra_account=2 order_id=1 "
        "contra_order_id=1 client_order_id=12 contra_client_order_id=21 session=1 contra_session=2",
        "FEE price=6900 quantity=100000 account=2 contra_account=1 order_id=1 contra_order_id=1 client_order_id=21 "
        "contra_client_order_id=12 aux=690000 aux2=690000 session=2 contra_session=1",
    ]
    offer(world, BUY, 7000, 100_000, 2, to=1, session=2, client_order_id=22)
    assert withdraw(world, 2, 1, session=1, client_order_id=13) == [
        "BLOCK_ENDED USER_REQUESTED side=1 price=7000 quantity=100000 account=2 contra_account=1 order_id=2 "
        "client_order_id=22 contra_client_order_id=13 aux=700700000 session=2 contra_session=1"
    ]


def test_fees_on_both_sides(make_world):
    """Section 7: the buyer's lock holds payment and fee exactly; the seller's fee comes off the proceeds.

    100,000 t at 65.05 and 0.0005 % per side: 650,500,000 fen, fee 3,252.5, half-up 3,253.
    """
    pay, fee = 650_500_000, 3_253
    for side in (BUY, SELL):
        world = make_world(seee({"fee_ppm": 5}))
        world.account(cash=pay + fee)
        world.account(units=100_000)
        world.open_day(DATE)
        world.phase(CONTINUOUS, DATE, mode=BLOCK)
        first, second = (1, 2) if side == BUY else (2, 1)
        locked = pay + fee if side == BUY else 100_000
        assert offer(world, side, 6505, 100_000, account=first)[0].endswith(f"remaining=100000 aux={locked}")
        assert accept(world, 1, 6505, 100_000, account=second) == [
            f"BLOCK_TRADE side={3 - side} aggressor={3 - side} price=6505 quantity=100000 account={second} "
            f"contra_account={first} order_id=1 contra_order_id=1",
            "FEE price=6505 quantity=100000 account=1 contra_account=2 order_id=1 contra_order_id=1 aux=3253 aux2=3253",
        ]
        assert world.cash(1) == (0, 0, 0)
        assert world.cash(2) == (pay - fee, 0, pay - fee)
        assert world.row("currencies") == {"deposited": pay + fee, "fees": 2 * fee}


def test_lots_and_tick_values(make_world):
    """units_per_lot and tick_value scale units, money and locks; a cash lock one fen short is refused."""
    world = make_world(seee({"units_per_lot": 1_000, "tick_value": 1_000, "block_min": 50}))
    world.account(cash=50 * 7_000 * 1_000 - 1)
    world.account(units=50_000)
    world.open_day(DATE)
    world.phase(CONTINUOUS, DATE, mode=BLOCK)
    offer(world, SELL, 7000, 50, account=2)
    assert accept(world, 1, 7000, 50, account=1) == [
        "REJECTED INSUFFICIENT_FUNDS price=7000 quantity=50 account=1 aux=10 aux2=1"
    ]
    world.deposit_cash(1, 1)
    accept(world, 1, 7000, 50, account=1)
    assert world.units(1) == (0, 0, 50_000)
    assert world.cash(2) == (350_000_000, 0, 350_000_000)
    assert block_statistics(world) == (50, 350_000, 1)


def test_locked_for_terms_is_locked_for_everything(make_world):
    """Standing terms and listed orders draw on the same free cash and units."""
    world = make_world(seee())
    world.account(cash=713_400_000)
    world.account(units=100_001)
    world.open_day(DATE)
    world.phase(CONTINUOUS, DATE, mode=BLOCK)
    offer(world, BUY, 7134, 100_000, account=1)
    offer(world, SELL, 7134, 100_000, account=2)
    assert "INSUFFICIENT_FUNDS" in world.buy(7134, 1, account=1)[0]
    assert "INSUFFICIENT_UNITS" in world.sell(7134, 2, account=2)[0]
    assert "INSUFFICIENT_FUNDS" in world.withdraw_cash(1, 1)[0]
    assert "INSUFFICIENT_FUNDS" in accept(world, 2, 7134, 100_000, account=1)[0]
    assert "INSUFFICIENT_UNITS" in accept(world, 1, 7134, 100_000, account=2)[0]
    assert world.sell(7134, 1, account=2)[0].startswith("ACCEPTED")
    withdraw(world, 2, account=2)
    assert accept(world, 1, 7134, 100_000, account=2)[0].startswith("BLOCK_TRADE")


def test_statistics_add_up_and_leave_the_listed_mode_alone(floor):
    """B4: no effect on last, open, high, low, volume and close; two words of turnover beyond 2^62."""
    floor.sell(7200, 10, account=1)
    floor.buy(7200, 10, account=2)
    for price in (5000, 9000):
        offer(floor, SELL, price, 100_000, account=1)
        accept(floor, int(floor.row("header")["last_negotiation_id"]), price, 100_000, account=2)
    assert block_statistics(floor) == (200_000, 1_400_000_000, 2)
    row = floor.row("instruments")
    assert [row[name] for name in ("last", "open", "high", "low", "volume", "turnover", "trades")] == [
        7200, 7200, 7200, 7200, 10, 72_000, 1,
    ]  # fmt: skip
    floor.end_of_day()
    assert floor.row("instruments")["previous_close"] == 7200
    assert block_statistics(floor) == (0, 0, 0)


def test_turnover_in_two_words(make_world):
    """block_turnover is kept below 2^62, its multiples in a second word."""
    quantity = 2**31 - 1
    world = make_world(plain({"block_min": 1, "floor": Decimal(20_000_000), "ceiling": Decimal(20_001_310)}))
    world.phase(CONTINUOUS, 0, mode=BLOCK)
    for number in (1, 2, 3):
        offer(world, SELL, 2_000_000_000, quantity, account=1)
        accept(world, number, 2_000_000_000, quantity, account=2)
    total = 3 * 2_000_000_000 * quantity
    row = world.row("instruments")
    assert (row["block_turnover_high"], row["block_turnover"]) == divmod(total, 1 << 62)
    assert row["block_turnover_high"] == 2
