"""Daily statements in figures worked out by hand: the day of test_settlement.py, and one of the registry after it.

second day, account 1: 699,000 t of CEA24 (1,000,000 less 301,000); 700 transferred in, 300 out, 1,000 pledged to 2 of
which 400 are realised, 1,500 surrendered, 10 cancelled, 200 carried over to CEA25: 697,290, of which 600 pledged and
50 in an order that stays: 696,640 free. CEA25: 5,000 allocated and the 200. CNY: 1,000.00 in, 500.00 out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.schema import CommandKind as K
from engine.schema import DayStage, HoldType, commands
from replay.reports.days import NoSuchDay, events_of, settled_day, state_after, state_before, trading_day
from replay.reports.statement import (
    Line,
    NoSuchAccount,
    NotReconciled,
    Statement,
    compose,
    settled_statement,
    statement,
)
from tests.engine.builders import GTC, plain, seee
from tests.replay.diary import TODAY, TOMORROW, Diary, ids
from tests.replay.test_settlement import CEA24, full_day

pytestmark = pytest.mark.nojit
CEA25 = 6
VENUE = seee({"fee_ppm": 500, "times_in_force": ("day", "gtc")})


def registry_day(diary: Diary) -> None:
    """The second day of this file's head, up to its end."""
    diary.at("20:00:00").deposit_cash(1, 100_000)  # between the days: it belongs to the later one
    diary.at("33:30:00").open_day(TOMORROW)
    diary.withdraw_cash(1, 50_000)
    diary.send(K.SET_TRANSFER_WINDOW, scope=1)
    diary.send(K.ALLOCATE_UNITS, account=1, scope=CEA25, quantity=5_000, expiry=2025)
    for kind in (K.TRANSFER_IN, K.TRANSFER_OUT):
        units = 700 if kind == K.TRANSFER_IN else 300
        hold = ids(diary.send(kind, account=1, scope=CEA24, quantity=units))[0]
        diary.send(K.REALISE_HOLD, target=hold, quantity=units)
    pledge = {"side": int(HoldType.PLEDGE), "account": 1, "scope": CEA24, "quantity": 1_000, "target": 2}
    hold = ids(diary.send(K.PLACE_HOLD, **pledge))[0]
    diary.send(K.REALISE_HOLD, target=hold, quantity=400, account=2, quantity2=2)
    diary.send(K.SET_OBLIGATION, account=1, quantity=2_000, expiry=2024)
    diary.send(K.SURRENDER, account=1, scope=CEA24, quantity=1_500, expiry=2024, target=1)
    diary.send(K.VOLUNTARY_CANCEL, account=1, scope=CEA24, quantity=10)
    diary.send(K.CARRY_OVER, account=1, scope=CEA24, side=CEA25, quantity=200, expiry=2025)
    assert diary.sell(7_700, 50, account=1, instrument=CEA24, time_in_force=GTC)[0].startswith("ACCEPTED")
    diary.at("39:00:00").end_of_day()


@pytest.fixture(scope="module")
def diary(tmp_path_factory: pytest.TempPathFactory) -> Diary:
    with Diary(tmp_path_factory.mktemp("days") / "j", VENUE) as kept:
        full_day(kept)
        kept.at("15:00:00").end_of_day()
        registry_day(kept)
        return kept


def buckets(**given: int) -> dict[str, int]:
    names = ("free", "locked", "bought_today", "pledged", "judicial", "auction_frozen", "transfer_pending")
    return dict.fromkeys(names, 0) | given


def purse(free: int) -> dict[str, int]:
    return {"free": free, "locked": 0, "auction_locked": 0, "proceeds_today": 0}


def test_the_first_day(diary: Diary) -> None:
    found = statement(diary.reader(), TODAY, 2, "reference")
    movements = {"paid_in": 10_000_000_000, "bought": -454_240_000, "buy_fee": -227_120, "busted": 2_940_000}
    assert found.cash == [Line(1, 0, 0, movements, 9_548_472_880, purse(9_548_472_880))]
    units = {"brought_in": 1_000_000, "bought": 61_400, "busted": -400}
    assert found.holdings == [Line(CEA24, 0, 0, units, 1_061_000, buckets(free=1_061_000))]
    assert [(t.lots, t.price, t.buyer_fee, bool(t.busts)) for t in found.trades] == [
        (1_000, 7_300, 3_650, False),
        (400, 7_350, 1_470, False),
        (60_000, 7_400, 222_000, False),
        (400, 7_350, 0, True),
    ]
    assert found.trades[1].busted_by == found.trades[3].sequence
    assert (found.orders, found.day.stage) == ([], DayStage.SETTLED)


def test_a_day_of_the_registry(diary: Diary) -> None:
    found = statement(diary.reader(), TOMORROW, 1, "reference")
    cash = 10_000_000_000 + 2_146_226_350
    assert found.cash == [
        Line(1, cash, cash, {"paid_in": 100_000, "paid_out": -50_000}, cash + 50_000, purse(cash + 50_000))
    ]
    movements = {"transferred_in": 700, "transferred_out": -300, "realised": -400, "surrendered": -1_500}
    movements |= {"cancelled": -10, "carried_out": -200}
    assert found.holdings == [
        Line(CEA24, 699_000, 699_000, movements, 697_290, buckets(free=696_640, locked=50, pledged=600)),
        Line(CEA25, 0, 0, {"allocated": 5_000, "carried_in": 200}, 5_200, buckets(free=5_200)),
    ]
    assert [(int(o["price"]), int(o["remaining"])) for o in found.orders] == [(7_700, 50)]
    other = statement(diary.reader(), TOMORROW, 2, "reference")
    assert other.holdings[0][1:5] == (1_061_000, 1_061_000, {"received": 400}, 1_061_400)


def test_a_day_that_goes_on(tmp_path: Path) -> None:
    with Diary(tmp_path / "j", VENUE) as kept:
        full_day(kept)
        found = statement(kept.reader(), TODAY, 1, "reference")
        assert found.day.stage == DayStage.OPEN
        # Sold and not yet settled: the proceeds are free, but stay until the end of the day.
        assert found.cash[0].buckets == purse(12_146_226_350) | {"proceeds_today": 2_146_226_350}
        with pytest.raises(NoSuchDay, match="no trading day of this journal has ended"):
            settled_statement(kept.reader(), 0, 1)


def plain_text(found: Statement) -> tuple[object, ...]:
    return (*found[:5], [row.tobytes() for row in found.orders])


def test_from_snapshots_alone(diary: Diary) -> None:
    for date in (TODAY, TOMORROW):
        for account in (1, 2, 3):
            whole = statement(diary.reader(), date, account, "reference")
            assert plain_text(settled_statement(diary.reader(), date, account)) == plain_text(whole)
    assert settled_day(diary.reader()).date == TOMORROW
    with pytest.raises(NoSuchDay, match="2025-08-10"):
        settled_statement(diary.reader(), 20250810, 1)


def test_unknown_accounts(diary: Diary) -> None:
    for account in (0, 4):
        with pytest.raises(NoSuchAccount, match="there are 3 accounts"):
            statement(diary.reader(), TODAY, account, "reference")


def test_what_does_not_add_up_is_refused(diary: Diary) -> None:
    reader = diary.reader()
    day = trading_day(reader, TOMORROW)
    before = state_before(reader, day, "reference")
    after = state_after(reader, day.last_command, day.last_event, "reference")
    holds = before["holds"].copy()
    holds["free"][np.flatnonzero(holds["account"] == 1)[0]] += 1
    parts = events_of(reader, day.first_event, day.last_event)
    with pytest.raises(
        NotReconciled,
        match=r"account 1, CEA24: opening 699001 and movements of -1710 make 697291, the ledger has 697290",
    ):
        compose(reader.venue, day, 1, {**before, "holds": holds}, after, parts)


def test_a_missing_snapshot_is_replayed(tmp_path: Path) -> None:
    """A server without room for a new segment ends the day in the old one."""
    with Diary(tmp_path / "j", VENUE) as kept:
        full_day(kept)
        kept.writer.roll = lambda state: None  # type: ignore[assignment,method-assign,return-value]
        kept.at("15:00:00").end_of_day()
        registry_day(kept)
        found = statement(kept.reader(), TOMORROW, 2, "reference")
        assert found.holdings[0][1:5] == (1_061_000, 1_061_000, {"received": 400}, 1_061_400)
        assert statement(kept.reader(), TODAY, 2, "reference").cash[0].closing == 9_548_472_880
        with pytest.raises(NoSuchDay):
            settled_statement(kept.reader(), TODAY, 2)


def test_a_day_behind_a_missing_snapshot_is_not_taken_for_two(tmp_path: Path) -> None:
    with Diary(tmp_path / "j", VENUE) as kept:
        full_day(kept)
        roll = kept.writer.roll
        kept.writer.roll = lambda state: None  # type: ignore[assignment,method-assign,return-value]
        kept.at("15:00:00").end_of_day()
        kept.writer.roll = roll  # type: ignore[method-assign]
        registry_day(kept)
        found = statement(kept.reader(), TOMORROW, 2, "reference")
        assert found.holdings[0][1:5] == (1_061_000, 1_061_000, {"received": 400}, 1_061_400)
        with pytest.raises(NoSuchDay, match="no snapshot at the ends of that day"):
            settled_statement(kept.reader(), TOMORROW, 2)


def test_what_follows_the_settlement_in_its_batch_is_the_next_days(tmp_path: Path) -> None:
    with Diary(tmp_path / "j", VENUE) as kept:
        full_day(kept)
        for step in (kept.at("15:00:00").stop, kept.expire, kept.fix_close):
            step()
        batch = commands(2)
        batch["kind"] = K.SETTLE, K.DEPOSIT_CASH
        batch["account"][1], batch["scope"][1], batch["quantity"][1] = 2, 1, 700
        kept.keep(batch)
        kept.at("33:30:00").open_day(TOMORROW)
        kept.end_of_day()
        first, second = (statement(kept.reader(), date, 2, "reference").cash[0] for date in (TODAY, TOMORROW))
        assert (first.closing, first.movements["paid_in"]) == (9_548_472_880, 10_000_000_000)
        assert (second.opening, second.movements, second.closing) == (9_548_472_880, {"paid_in": 700}, 9_548_473_580)


def test_without_a_ledger_there_are_trades_alone(tmp_path: Path) -> None:
    with Diary(tmp_path / "j", plain()) as kept:
        kept.phase(3, TODAY)
        kept.sell(7_300, 5, account=7)
        kept.buy(7_300, 3, account=8)
        found = statement(kept.reader(), TODAY, 7, "reference")
        assert (found.cash, found.holdings) == ([], [])
        assert [(t.seller, t.lots) for t in found.trades] == [(7, 3)]
        assert [int(o["remaining"]) for o in found.orders] == [2]
