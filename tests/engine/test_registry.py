"""Holds, transfers, allocation, surrender, carry-over and the settlement's acknowledgement (docs/registry.md)."""

from __future__ import annotations

import pytest

from engine.schema import CommandKind as K
from tests.engine.builders import BLOCK, CONTINUOUS, SELL, plain
from tests.engine.invariants import check
from tests.engine.registry_world import (
    CCER,
    CEA23,
    CEA24,
    CEA25,
    CREDIT,
    DATE,
    IN,
    JUDICIAL,
    OUT,
    PLEDGE,
    ask,
    buckets,
    deposited,
    holds,
    open_registry,
    owe,
    place,
    realise,
    release,
)

pytestmark = pytest.mark.nojit


@pytest.fixture
def world(make_world):
    """See open_registry; the invariants hold at the end of every test."""
    world = open_registry(make_world)
    yield world
    check(world.engine)
    assert world.restored().engine.canonical_state() == world.engine.canonical_state()


def test_pledge_with_partial_release_and_realisation(world):
    """Rule book, G9: 50,000 t for a CNY 4.7 m loan; 20,000 t released, 30,000 t realised to the bank."""
    assert place(world, PLEDGE, 50_000, quantity2=470_000_000) == [
        "HOLD_PLACED side=1 quantity=50000 account=1 contra_account=3 order_id=1 remaining=50000 aux=2 aux2=470000000"
    ]
    assert buckets(world) == {"free": 50_000, "pledged": 50_000}
    assert world.sell(7000, 50_001) == ["REJECTED INSUFFICIENT_UNITS side=2 price=7000 quantity=50001 account=1 aux=1"]
    assert release(world, 1, 20_000, creditor=3) == [
        "HOLD_RELEASED side=1 quantity=20000 account=1 contra_account=3 order_id=1 remaining=30000 aux=2 aux2=470000000"
    ]
    assert buckets(world) == {"free": 70_000, "pledged": 30_000}
    assert realise(world, 1, 10_000, receiver=3, creditor=3) == [
        "HOLD_REALISED side=1 quantity=10000 account=1 contra_account=3 order_id=1 remaining=20000 aux=2 aux2=470000000"
    ]
    assert holds(world) == [(1, 1, 1, 2, 20_000, 3, 470_000_000)]
    realise(world, 1, 20_000, receiver=4, creditor=3)
    assert holds(world) == []
    assert (buckets(world), buckets(world, 3), buckets(world, 4)) == (
        {"free": 70_000},
        {"free": 10_000},
        {"free": 20_000},
    )
    assert deposited(world) == 100_000


def test_holds_count_from_one_and_are_never_numbered_again(world):
    """registry.md: id from 1, never reused; the rows stand by id."""
    for units in (1, 2, 3):
        place(world, PLEDGE, units)
    release(world, 3, 3, creditor=3)
    release(world, 1, 1, creditor=3)
    place(world, JUDICIAL, 9)
    assert holds(world) == [(2, 1, 1, 2, 2, 3, 0), (4, 2, 1, 2, 9, 0, 0)]
    assert world.engine.state()["header"][0]["last_hold_id"] == 4


def test_pledge_request_stands_at_once(world):
    """PLEDGE_REQUEST: the owner's session, the loan as reference; the creditor refuses it by a release."""
    assert ask(world, K.PLEDGE_REQUEST, 40_000, target=3, quantity2=300_000_000, session=1) == [
        "HOLD_PLACED side=1 quantity=40000 account=1 contra_account=3 order_id=1 client_order_id=1 remaining=40000 "
        "aux=2 aux2=300000000 session=1"
    ]
    assert buckets(world) == {"free": 60_000, "pledged": 40_000}
    assert release(world, 1, 40_000, creditor=3, session=3) == [
        "HOLD_RELEASED side=1 quantity=40000 account=1 contra_account=3 order_id=1 client_order_id=1 aux=2 "
        "aux2=300000000 session=3"
    ]
    assert buckets(world) == {"free": 100_000}


def test_judicial_freeze_takes_free_units_first(world):
    """Rule book, G7: no order falls while free units suffice."""
    world.sell(7000, 40_000)
    assert place(world, JUDICIAL, 60_000, quantity2=20250001) == [
        "HOLD_PLACED side=2 quantity=60000 account=1 order_id=1 remaining=60000 aux=2 aux2=20250001"
    ]
    assert buckets(world) == {"locked": 40_000, "judicial": 60_000}


def test_judicial_freeze_cancels_sell_orders(world):
    """Rule book, G7: it overrides the owner: sell orders of all the asset's instruments fall in mass-cancel order."""
    world.sell(7100, 30_000, session=1)  # order 1, instrument 1, second best
    world.sell(7000, 10_000)  # order 2, instrument 1, best
    world.sell(7000, 50, instrument=2)  # order 3: 50 lots of 1,000
    world.buy(6000, 5)  # a buy order locks no units
    world.deposit_units(1, 500, CEA23)
    world.sell(7000, 500, instrument=3)  # another asset
    assert buckets(world) == {"free": 10_000, "locked": 90_000}
    assert place(world, JUDICIAL, 50_001, session=3) == [
        "CANCELLED JUDICIAL_HOLD side=2 price=7000 quantity=10000 account=1 order_id=2 contra_client_order_id=1 "
        "aux=10000 contra_session=3",
        "CANCELLED JUDICIAL_HOLD side=2 price=7100 quantity=30000 account=1 order_id=1 client_order_id=1 "
        "contra_client_order_id=1 aux=30000 session=1 contra_session=3",
        "CANCELLED JUDICIAL_HOLD instrument=2 side=2 price=7000 quantity=50 account=1 order_id=3 "
        "contra_client_order_id=1 aux=50000 contra_session=3",
        "HOLD_PLACED side=2 quantity=50001 account=1 order_id=1 client_order_id=1 remaining=50001 aux=2 session=3",
    ]
    assert buckets(world) == {"free": 49_999, "judicial": 50_001}
    assert [order[0] for order in world.book()] == [4]
    assert [order[0] for order in world.book(3)] == [5]


def test_judicial_freeze_cancels_no_more_than_needed(world):
    """registry.md: as long as free < units; other accounts' orders stay."""
    world.deposit_units(2, 1_000, CEA24)
    world.sell(6900, 1_000, account=2)
    world.sell(7000, 60_000)
    world.sell(7100, 40_000)
    assert [line.split(" side")[0] for line in place(world, JUDICIAL, 60_000)] == [
        "CANCELLED JUDICIAL_HOLD",
        "HOLD_PLACED",
    ]
    assert buckets(world) == {"locked": 40_000, "judicial": 60_000}
    assert [order[0] for order in world.book()] == [1, 3]


def test_judicial_freeze_beyond_reach(world):
    """Free units and orders do not suffice: refused, and every order stays; bought today is told apart."""
    world.sell(7000, 99_000)
    world.deposit_units(4, 10, CEA24)
    world.sell(6900, 10, account=4)
    world.buy(6900, 10)
    fields = "side=2 quantity={} account=1 aux=101"
    assert place(world, JUDICIAL, 100_010) == ["REJECTED UNITS_BOUGHT_TODAY " + fields.format(100_010)]
    assert place(world, JUDICIAL, 100_011) == ["REJECTED INSUFFICIENT_UNITS " + fields.format(100_011)]
    assert buckets(world) == {"free": 1_000, "locked": 99_000, "bought_today": 10}
    assert len(place(world, JUDICIAL, 100_000)) == 2


def test_judicial_freeze_does_not_reach_negotiations(world):
    """registry.md: units locked by a block negotiation do not count, and its terms stand."""
    world.phase(CONTINUOUS, DATE, mode=BLOCK)
    world.send(K.BLOCK_OFFER, side=SELL, instrument=1, account=1, price=7000, quantity=30_000)
    world.sell(7000, 50_000)
    assert buckets(world) == {"free": 20_000, "locked": 80_000}
    assert place(world, JUDICIAL, 70_001)[0].startswith("REJECTED INSUFFICIENT_UNITS")
    assert [line.split(" side")[0] for line in place(world, JUDICIAL, 70_000)] == [
        "CANCELLED JUDICIAL_HOLD",
        "HOLD_PLACED",
    ]
    assert buckets(world) == {"locked": 30_000, "judicial": 70_000}


def test_deduction_leaves_the_ledger_or_goes_to_a_receiver(world):
    """REALISE_HOLD of a JUDICIAL hold: receiver 0 = out of the ledger, else to the receiver's free units."""
    place(world, JUDICIAL, 50_000, quantity2=7)
    assert realise(world, 1, 20_000) == [
        "HOLD_REALISED side=2 quantity=20000 account=1 order_id=1 remaining=30000 aux=2 aux2=7"
    ]
    assert (deposited(world), buckets(world)) == (80_000, {"free": 50_000, "judicial": 30_000})
    realise(world, 1, 30_000, receiver=4)
    assert (deposited(world), buckets(world), buckets(world, 4)) == (80_000, {"free": 50_000}, {"free": 30_000})


def test_judicial_release_returns_to_free(world):
    """RELEASE_HOLD: a lifted freeze, in part."""
    place(world, JUDICIAL, 50_000)
    assert release(world, 1, 1) == ["HOLD_RELEASED side=2 quantity=1 account=1 order_id=1 remaining=49999 aux=2"]
    assert buckets(world) == {"free": 50_001, "judicial": 49_999}


def test_transfer_out(world):
    """Rule book, G2: held until the registry says that the units left, or refuses."""
    assert ask(world, K.TRANSFER_OUT, 30_000, session=1) == [
        "HOLD_PLACED side=3 quantity=30000 account=1 order_id=1 client_order_id=1 remaining=30000 aux=2 session=1"
    ]
    assert buckets(world) == {"free": 70_000, "transfer_pending": 30_000}
    assert realise(world, 1, 20_000) == [
        "HOLD_REALISED side=3 quantity=20000 account=1 order_id=1 remaining=10000 aux=2"
    ]
    release(world, 1, 10_000)
    assert (deposited(world), buckets(world), holds(world)) == (80_000, {"free": 80_000}, [])


def test_transfer_in(world):
    """Rule book, G2: nothing moves until the registry confirms; a refusal moves nothing."""
    assert ask(world, K.TRANSFER_IN, 30_000, CEA25) == [
        "HOLD_PLACED side=4 quantity=30000 account=1 order_id=1 remaining=30000 aux=3"
    ]
    assert (deposited(world, CEA25), buckets(world, 1, CEA25)) == (0, {})
    assert realise(world, 1, 20_000) == [
        "HOLD_REALISED side=4 quantity=20000 account=1 order_id=1 remaining=10000 aux=3"
    ]
    assert release(world, 1, 10_000) == ["HOLD_RELEASED side=4 quantity=10000 account=1 order_id=1 aux=3"]
    assert (deposited(world, CEA25), buckets(world, 1, CEA25), holds(world)) == (20_000, {"free": 20_000}, [])


def test_bought_today_cannot_be_held_or_given_away(world):
    """Rule book, G2: only what is free; settlement makes it free."""
    world.sell(7000, 10)
    world.buy(7000, 10, account=2)
    asked = [ask(world, kind, 10, account=2) for kind in (K.TRANSFER_OUT, K.VOLUNTARY_CANCEL)]
    assert [line.split(" quantity")[0] for (line,) in asked] == ["REJECTED UNITS_BOUGHT_TODAY"] * 2
    world.end_of_day()
    assert ask(world, K.TRANSFER_OUT, 10, account=2) == [
        "HOLD_PLACED side=3 quantity=10 account=2 order_id=1 remaining=10 aux=2"
    ]


def test_allocation(world):
    """Rule book, G15: units of a compliance year, free at once."""
    assert world.send(K.ALLOCATE_UNITS, account=4, scope=CEA24, quantity=700, expiry=2025, session=3) == [
        "UNITS_ALLOCATED quantity=2 account=4 client_order_id=1 remaining=2025 aux=700 aux2=700 session=3"
    ]
    assert world.send(K.ALLOCATE_UNITS, account=4, scope=CEA24, quantity=300, expiry=2999) == [
        "UNITS_ALLOCATED quantity=2 account=4 remaining=2999 aux=300 aux2=1000"
    ]
    assert (deposited(world), buckets(world, 4)) == (101_000, {"free": 1_000})


def test_obligation_and_surrender(world):
    """SET_OBLIGATION and SURRENDER: what is due, by year; a correction keeps what was surrendered."""
    assert owe(world, 60_000, 2025) == ["OBLIGATION_SET quantity=60000 account=1 order_id=1 remaining=60000 aux=2025"]
    assert owe(world, 10, 2024) == ["OBLIGATION_SET quantity=10 account=1 order_id=2 remaining=10 aux=2024"]
    assert ask(world, K.SURRENDER, 40_000, target=1, expiry=2025, session=1) == [
        "UNITS_SURRENDERED quantity=40000 account=1 order_id=1 client_order_id=1 remaining=20000 aux=2 aux2=2025 "
        "session=1"
    ]
    assert (deposited(world), buckets(world)) == (60_000, {"free": 60_000})
    assert owe(world, 39_999, 2025) == ["REJECTED EXCEEDS_OBLIGATION quantity=39999 account=1 aux=105"]
    assert owe(world, 40_000, 2025) == ["OBLIGATION_SET quantity=40000 account=1 order_id=1 aux=2025 aux2=60000"]
    assert ask(world, K.SURRENDER, 1, target=1, expiry=2025) == [
        "REJECTED EXCEEDS_OBLIGATION quantity=1 account=1 aux=16 aux2=1"
    ]
    owe(world, 40_001, 2025)
    ask(world, K.SURRENDER, 1, target=1, expiry=2025)
    rows = [tuple(int(value) for value in row) for row in world.engine.state()["obligations"]]
    assert rows == [(1, 1, 2025, 40_001, 40_001, 0, 0, 0, 0), (2, 1, 2024, 10, 0, 0, 0, 0, 0)]


def test_an_obligation_of_nothing_stays(world):
    """Obligations never go away, not even with nothing due."""
    assert owe(world, 0, 2025) == ["OBLIGATION_SET account=1 order_id=1 aux=2025"]
    owe(world, 5, 2025, account=4)
    assert owe(world, 7, 2025) == ["OBLIGATION_SET quantity=7 account=1 order_id=1 remaining=7 aux=2025"]
    assert owe(world, 0, 2025) == ["OBLIGATION_SET account=1 order_id=1 aux=2025 aux2=7"]
    assert [int(row["id"]) for row in world.engine.state()["obligations"]] == [1, 2]


@pytest.mark.parametrize(("due", "most"), [(100_000, 5_000), (50_010, 2_501), (50_009, 2_500), (9, 0), (10, 1)])
def test_offsets_cover_five_percent(world, due, most):
    """MEE measures art. 29: at most 5 % of the obligation, half-up: 2,500.5 gives 2,501, 2,500.45 gives 2,500."""
    world.deposit_units(1, 10_000, CCER)
    owe(world, due, 2025)
    reason = "OFFSET_LIMIT" if most + 1 <= due else "EXCEEDS_OBLIGATION"
    assert ask(world, K.SURRENDER, most + 1, CCER, target=1, expiry=2025) == [
        f"REJECTED {reason} quantity={most + 1} account=1 aux=16 aux2=1"
    ]
    if most > 1:
        assert ask(world, K.SURRENDER, most - 1, CCER, target=1, expiry=2025)[0].startswith("UNITS_SURRENDERED")
        assert ask(world, K.SURRENDER, 2, CCER, target=1, expiry=2025)[0].startswith("REJECTED OFFSET_LIMIT")
    if most:
        ask(world, K.SURRENDER, 1, CCER, target=1, expiry=2025)
    assert ask(world, K.SURRENDER, due - most, target=1, expiry=2025)[0].startswith("UNITS_SURRENDERED")
    assert world.row("obligations", id=1) == {
        "id": 1, "account": 1, "year": 2025, "due": due, "surrendered": due, "offsets": most,
        "surrender_by": 0, "overdue": 0, "late": 0,
    }  # fmt: skip


def test_offset_limit_of_a_huge_obligation(make_world):
    """half_up(due x bps, 10000) of the exact product: (2^62 - 1) x 9999 exceeds 64 bits."""
    world = open_registry(make_world, offset_limit_bps=9_999)
    due = 2**62 - 1
    most = 4_611_224_849_825_545_164  # due - due / 10,000 = ...164.21
    world.deposit_units(1, due, CCER)
    owe(world, due, 2025)
    assert ask(world, K.SURRENDER, most + 1, CCER, target=1, expiry=2025)[0].startswith("REJECTED OFFSET_LIMIT")
    assert ask(world, K.SURRENDER, most, CCER, target=1, expiry=2025) == [
        f"UNITS_SURRENDERED quantity={most} account=1 order_id=1 remaining={due - most} aux=4 aux2=2025"
    ]


def test_surrender_by_vintage(world):
    """Rule book section 2, surrender_until: CEA23 counts until 2024; CEA24 without an end; credits never."""
    world.deposit_units(1, 100, CEA23)
    world.deposit_units(1, 100, CREDIT)
    for number, year in enumerate((2023, 2024, 2025), 1):
        owe(world, 30, year)
        outcome = ask(world, K.SURRENDER, 10, CEA23, target=number, expiry=year)[0].split(" quantity")[0]
        assert outcome == ("UNITS_SURRENDERED" if year <= 2024 else "REJECTED NOT_SURRENDERABLE")
        assert ask(world, K.SURRENDER, 10, target=number, expiry=year)[0].startswith("UNITS_SURRENDERED")
        credit = ask(world, K.SURRENDER, 1, CREDIT, target=number, expiry=year)[0]
        assert credit.startswith("REJECTED NOT_SURRENDERABLE")


def test_surrender_only_of_free_units(world):
    """Rule book, G7 to G9: what is pledged, frozen, pending or locked cannot be surrendered."""
    owe(world, 100_000, 2025)
    place(world, PLEDGE, 10_000)
    place(world, JUDICIAL, 10_000)
    ask(world, K.TRANSFER_OUT, 10_000)
    world.sell(7000, 10_000)
    assert buckets(world) == {
        "free": 60_000, "locked": 10_000, "pledged": 10_000, "judicial": 10_000, "transfer_pending": 10_000,
    }  # fmt: skip
    assert ask(world, K.SURRENDER, 60_001, target=1, expiry=2025) == [
        "REJECTED INSUFFICIENT_UNITS quantity=60001 account=1 aux=16 aux2=1"
    ]
    assert ask(world, K.SURRENDER, 60_000, target=1, expiry=2025)[0].startswith("UNITS_SURRENDERED")


def test_voluntary_cancellation(world):
    """VOLUNTARY_CANCEL: out of the ledger for good."""
    assert ask(world, K.VOLUNTARY_CANCEL, 30_000, session=1) == [
        "UNITS_CANCELLED quantity=30000 account=1 client_order_id=1 aux=2 aux2=70000 session=1"
    ]
    assert (deposited(world), buckets(world)) == (70_000, {"free": 70_000})


def carry(world, units, net_sales, source=CEA24, to=CEA25, year=2025):
    return world.send(K.CARRY_OVER, account=1, scope=source, side=to, quantity=units, quantity2=net_sales, expiry=year)


def test_carry_over(world):
    """Allocation plan 2024/25: 10,000 + 1.5 x net sales: 20,001 sold give 40,001.5, half-up 40,002."""
    assert carry(world, 40_003, 20_001)[0].startswith("REJECTED CARRY_OVER_LIMIT")
    assert carry(world, 30_000, 20_001) == [
        "UNITS_CARRIED_OVER quantity=30000 account=1 remaining=30000 contra_remaining=2025 aux=2 aux2=3"
    ]
    assert carry(world, 10_003, 20_001)[0].startswith("REJECTED CARRY_OVER_LIMIT")
    assert carry(world, 10_002, 20_001, year=2026) == [
        "UNITS_CARRIED_OVER quantity=10002 account=1 remaining=40002 contra_remaining=2026 aux=2 aux2=3"
    ]
    assert buckets(world) == {"free": 59_998, "carried_over": 40_002}
    assert buckets(world, asset=CEA25) == {"free": 40_002}
    assert (deposited(world), deposited(world, CEA25)) == (59_998, 40_002)


def test_carry_over_base_alone(world):
    """Without net sales 10,000; below a half the share rounds down: 1.5 x 0 = 0."""
    assert carry(world, 10_001, 0)[0].startswith("REJECTED CARRY_OVER_LIMIT")
    assert carry(world, 10_000, 0)[0].startswith("UNITS_CARRIED_OVER")
    assert carry(world, 2, 1)[0].startswith("UNITS_CARRIED_OVER")  # 1.5, half-up 2
    assert carry(world, 1, 1)[0].startswith("REJECTED CARRY_OVER_LIMIT")


def test_carry_over_of_huge_sales(make_world):
    """half_up of the exact product: net sales just below 2^46 at 100 times would exceed 64 bits."""
    world = open_registry(make_world, carry_over_factor_bps=1_000_000, carry_over_base=0)
    world.deposit_units(1, 2**61, CEA24)
    most = (2**46 - 1) * 100
    assert carry(world, most + 1, 2**46 - 1)[0].startswith("REJECTED CARRY_OVER_LIMIT")
    assert carry(world, most, 2**46 - 1)[0].startswith("UNITS_CARRIED_OVER")


def test_settlement_waits_for_the_registry(make_world):
    """Rule book, G3 and G4: SETTLE only after the registry acknowledged this day's file; a refusal takes it back."""
    world = open_registry(make_world, settlement_ack=True)

    def acknowledge(refused: int = 0) -> list[str]:
        return world.send(K.ACKNOWLEDGE_SETTLEMENT, expiry=DATE, scope=refused)

    world.stop()
    world.expire()
    assert world.settle() == ["REJECTED WRONG_DAY_STAGE aux=69"]
    world.fix_close()
    assert world.settle() == ["REJECTED SETTLEMENT_NOT_ACKNOWLEDGED aux=69"]
    assert acknowledge() == [f"SETTLEMENT_ACKNOWLEDGED aux={DATE}"]
    assert acknowledge(refused=1) == [f"SETTLEMENT_ACKNOWLEDGED quantity=1 aux={DATE}"]
    assert world.settle() == ["REJECTED SETTLEMENT_NOT_ACKNOWLEDGED aux=69"]
    acknowledge()
    assert world.restored().settle()[-1] == f"SETTLED aux={DATE}"
    assert world.settle()[-1] == f"SETTLED aux={DATE}"
    world.phase(CONTINUOUS, DATE + 1)
    world.stop()
    world.expire()
    world.fix_close()
    assert world.settle() == ["REJECTED SETTLEMENT_NOT_ACKNOWLEDGED aux=69"]


def test_settlement_without_acknowledgement(world):
    """Without `settlement_ack` nobody waits; an answer of the registry is taken all the same."""
    world.stop()
    world.expire()
    world.fix_close()
    assert world.send(K.ACKNOWLEDGE_SETTLEMENT, expiry=DATE) == [f"SETTLEMENT_ACKNOWLEDGED aux={DATE}"]
    assert world.engine.state()["header"][0]["acknowledged_date"] == DATE
    assert world.settle()[-1] == f"SETTLED aux={DATE}"


def test_holds_do_not_care_for_the_day(world):
    """registry.md: no phase, no stage; also between the days and of a suspended account."""
    place(world, PLEDGE, 10)
    world.end_of_day()
    world.send(K.SET_ACCOUNT_STATUS, account=1, scope=2)
    assert place(world, JUDICIAL, 20)[0].startswith("HOLD_PLACED")
    assert release(world, 1, 10, creditor=3)[0].startswith("HOLD_RELEASED")
    assert realise(world, 2, 20)[0].startswith("HOLD_REALISED")


def test_a_full_table_of_holds_frees_places_again(world):
    """capacity.holds counts live holds; a hold that is gone makes room, however often."""
    for _ in range(5):
        place(world, PLEDGE, 1)
    for number in range(1, 12):
        assert place(world, PLEDGE, 1)[0].startswith("REJECTED HOLD_TABLE_FULL")
        assert release(world, number, 1, creditor=3)[0].startswith("HOLD_RELEASED")
        assert place(world, PLEDGE, 1)[0].startswith("HOLD_PLACED")
    assert [row[0] for row in holds(world)] == [12, 13, 14, 15, 16]


def test_nothing_of_this_without_pre_funding(make_world):
    """Only on pre-funded venues; the kind itself is unknown elsewhere, whatever else is wrong."""
    world = make_world(plain())
    kinds = [16, 17, 18, 19, 20, 100, 101, 102, 103, 104, 105, 106, 126]
    told = [world.send(kind, price=5) for kind in kinds]
    assert told == [[f"REJECTED INVALID_KIND price=5 aux={kind}"] for kind in kinds]


def test_types_of_holds():
    """The wire's numbers (engine.schema.HoldType)."""
    assert (PLEDGE, JUDICIAL, OUT, IN) == (1, 2, 3, 4)
