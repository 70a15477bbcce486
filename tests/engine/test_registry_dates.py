"""Transfer windows, accounts of a firm, dates of compliance years (docs/registry.md; rule book G2, G6, G15)."""

from __future__ import annotations

from datetime import date, time

import pytest

from engine.schema import CommandKind as K
from engine.venue import Calendar, ComplianceYear, TransferWindow, Venue
from tests.engine.builders import CONTINUOUS, plain
from tests.engine.invariants import check
from tests.engine.registry_world import (
    CEA24,
    CEA25,
    JUDICIAL,
    PLEDGE,
    ask,
    open_registry,
    owe,
    place,
    realise,
    registry_venue,
    release,
)

pytestmark = pytest.mark.nojit

WINDOWS = Calendar(transfer_windows=(TransferWindow(time(9), time(15, 30)),))
WORK_NOTICE = ComplianceYear(year=2025, allocation_by=date(2026, 9, 30), surrender_by=date(2026, 12, 31))
"""Vintage 2025: final allocation by 30 September, surrender by 31 December 2026 (rule book G15)."""
LAST_DAY, NEXT_DAY = 20261231, 20270104
OVERDUE = "OBLIGATION_OVERDUE quantity=1000 account=1 order_id=1 remaining=400 aux=2025 aux2=20261231"


def window(world, is_open, **fields):
    return world.send(K.SET_TRANSFER_WINDOW, scope=int(is_open), **fields)


def reasons(*told):
    """The reason of each one-event answer; its kind where it is no reject."""
    return [line.split()[1] if line.startswith("REJECTED") else line.split()[0] for (line,) in told]


def same_when_restored(world):
    check(world.engine)
    assert world.restored().engine.canonical_state() == world.engine.canonical_state()


def obligation(world, number=1):
    """(due, surrendered, surrender_by, overdue, late)."""
    row = world.engine.state()["obligations"][number - 1]
    return tuple(int(row[name]) for name in ("due", "surrendered", "surrender_by", "overdue", "late"))


# --- transfer windows -------------------------------------------------------------------------------------------------


def test_transfers_are_asked_for_within_the_window(make_world):
    """Rule book, G2: a window around trading hours; a venue with windows begins closed."""
    world = open_registry(make_world, calendar=WINDOWS)
    closed = [ask(world, K.TRANSFER_OUT, 10, session=1), ask(world, K.TRANSFER_IN, 10), ask(world, K.TRANSFER_OUT, 10)]
    assert reasons(*closed) == ["TRANSFERS_CLOSED"] * 3
    assert window(world, True, session=3) == ["TRANSFER_WINDOW_SET client_order_id=1 aux=1 session=3"]
    assert window(world, True) == ["TRANSFER_WINDOW_SET aux=1 aux2=1"]
    same_when_restored(world)
    taken = [ask(world, K.TRANSFER_OUT, 10, session=1), ask(world, K.TRANSFER_IN, 10)]
    assert reasons(*taken) == ["HOLD_PLACED"] * 2
    assert window(world, False) == ["TRANSFER_WINDOW_SET aux2=1"]
    same_when_restored(world)
    assert reasons(ask(world, K.TRANSFER_IN, 10, session=1)) == ["TRANSFERS_CLOSED"]
    assert world.row("holds", account=1, asset=CEA24)["transfer_pending"] == 10


def test_what_the_registry_says_needs_no_window(make_world):
    """Rule book, G1: the registry's record is the proof, at any hour; pledges and court orders are no transfers."""
    world = open_registry(make_world, calendar=WINDOWS)
    window(world, True)
    ask(world, K.TRANSFER_OUT, 30)
    ask(world, K.TRANSFER_IN, 40)
    window(world, False)
    told = [
        realise(world, 1, 20),
        release(world, 1, 10),
        realise(world, 2, 40),
        world.deposit_units(1, 5, CEA24),
        world.withdraw_units(1, 5, CEA24),
        world.send(K.ALLOCATE_UNITS, account=1, scope=CEA24, quantity=5, expiry=2025),
        place(world, PLEDGE, 5),
        place(world, JUDICIAL, 5),
        ask(world, K.PLEDGE_REQUEST, 5, target=3),
    ]
    assert reasons(*told) == [
        *("HOLD_REALISED", "HOLD_RELEASED", "HOLD_REALISED", "UNITS_MOVED", "UNITS_MOVED", "UNITS_ALLOCATED"),
        *("HOLD_PLACED", "HOLD_PLACED", "HOLD_PLACED"),
    ]


def test_a_venue_without_windows_is_open(make_world):
    """registry.md: at any time, unless an operator closes it."""
    world = open_registry(make_world)
    assert reasons(ask(world, K.TRANSFER_IN, 10)) == ["HOLD_PLACED"]
    assert window(world, False) == ["TRANSFER_WINDOW_SET aux2=1"]
    assert reasons(ask(world, K.TRANSFER_IN, 10)) == ["TRANSFERS_CLOSED"]
    same_when_restored(world)


def test_the_window_does_not_follow_the_day(make_world):
    """registry.md: neither the end of a day nor the next one opens or closes it; only the command does."""
    world = open_registry(make_world, calendar=WINDOWS)
    window(world, True)
    world.end_of_day()
    assert reasons(ask(world, K.TRANSFER_IN, 10)) == ["HOLD_PLACED"]
    window(world, False)
    world.open_day(20250812)
    assert reasons(ask(world, K.TRANSFER_IN, 10)) == ["TRANSFERS_CLOSED"]


# --- accounts of a firm -----------------------------------------------------------------------------------------------


def opened(world, firm):
    return reasons(world.send(K.OPEN_ACCOUNT, quantity=firm))[0]


@pytest.mark.parametrize("most", [1, 2])
def test_accounts_of_one_firm(make_world, most):
    """Rule book, G6: one trading account per entity, several operators; each firm is counted for itself."""
    world = make_world(registry_venue(accounts_per_firm=most))
    first, second = world.firm(), world.firm()
    assert [opened(world, first) for _ in range(most + 1)] == ["ACCOUNT_OPENED"] * most + ["ACCOUNTS_PER_FIRM"]
    world.send(K.SET_ACCOUNT_STATUS, account=1, scope=2)
    assert opened(world, first) == "ACCOUNTS_PER_FIRM"
    assert opened(world.restored(), first) == "ACCOUNTS_PER_FIRM"
    assert opened(world, second) == "ACCOUNT_OPENED"
    assert [world.session(first, 1) for _ in range(2)] == [1, 2]


def test_no_limit_of_accounts(make_world):
    """registry.md: accounts_per_firm 0 counts nothing; the table's own end does."""
    world = make_world(registry_venue())
    firm = world.firm()
    assert [opened(world, firm) for _ in range(9)] == ["ACCOUNT_OPENED"] * 8 + ["ACCOUNT_TABLE_FULL"]


def test_seee_has_one_account_per_entity(make_world):
    """Rule book, G6, in the preset."""
    world = make_world(Venue.preset("seee"))
    firm = world.firm()
    assert [opened(world, firm) for _ in range(2)] == ["ACCOUNT_OPENED", "ACCOUNTS_PER_FIRM"]


def test_labels_are_counted_too(make_world):
    """registry.md: the rule asks for firms and accounts alone, whether money is kept or not."""
    world = make_world(plain(accounts_per_firm=1))
    firm = world.firm()
    assert [opened(world, firm) for _ in range(2)] == ["ACCOUNT_OPENED", "ACCOUNTS_PER_FIRM"]


# --- dates of a compliance year ---------------------------------------------------------------------------------------


@pytest.fixture
def dated(make_world):
    """open_registry with the work notice's dates, settled on 2025-08-11; account 1 owes 1,000 for 2025, gave 600."""
    world = open_registry(make_world, compliance_years=(WORK_NOTICE,))
    world.end_of_day()
    owe(world, 1_000, 2025)
    ask(world, K.SURRENDER, 600, target=1, expiry=2025)
    yield world
    same_when_restored(world)


def lines(told, kind="OBLIGATION_OVERDUE"):
    return [line for line in told if line.startswith(kind)]


def test_overdue_at_the_end_of_the_last_day(dated):
    """Rule book, G15: surrender by 31 December 2026; the day's end finds what is missing, once."""
    assert lines(dated.open_day(20261230) + dated.end_of_day() + dated.open_day(LAST_DAY)) == []
    assert obligation(dated) == (1_000, 600, 20261231, 0, 0)
    told = dated.end_of_day()
    assert lines(told) == [OVERDUE]
    assert told.index(OVERDUE) < told.index(f"SETTLED aux={LAST_DAY}")
    assert obligation(dated) == (1_000, 600, 20261231, LAST_DAY, 0)
    assert lines(dated.open_day(NEXT_DAY) + dated.end_of_day()) == []


def test_surrendered_in_time(dated):
    """Rule book, G15: on the last day too, until it is settled."""
    dated.open_day(LAST_DAY)
    dated.stop()
    dated.expire()
    dated.fix_close()
    ask(dated, K.SURRENDER, 400, target=1, expiry=2025)
    assert lines(dated.settle() + dated.open_day(NEXT_DAY) + dated.end_of_day()) == []
    assert obligation(dated) == (1_000, 1_000, 20261231, 0, 0)


def test_late_units_are_taken(dated):
    """Decree 775 art. 24: who did not surrender in time is ordered to; registry.md: counted as late, still overdue."""
    dated.open_day(LAST_DAY)
    dated.end_of_day()
    assert ask(dated, K.SURRENDER, 300, target=1, expiry=2025) == [
        "UNITS_SURRENDERED quantity=300 account=1 order_id=1 remaining=100 contra_remaining=300 aux=2 aux2=2025"
    ]
    dated.open_day(NEXT_DAY)
    assert ask(dated, K.SURRENDER, 100, target=1, expiry=2025) == [
        "UNITS_SURRENDERED quantity=100 account=1 order_id=1 contra_remaining=400 aux=2 aux2=2025"
    ]
    assert obligation(dated) == (1_000, 1_000, 20261231, LAST_DAY, 400)


def test_a_date_without_trading_ends_with_the_next_opening(dated):
    """registry.md: what comes before the next day opens is in time; after it the rest is overdue."""
    assert dated.open_day(20261230) and lines(dated.end_of_day()) == []
    ask(dated, K.SURRENDER, 1, target=1, expiry=2025)
    told = dated.open_day(NEXT_DAY)
    assert told[:2] == [
        f"DAY_OPENED aux={NEXT_DAY} aux2=20261230",
        "OBLIGATION_OVERDUE quantity=1000 account=1 order_id=1 remaining=399 aux=2025 aux2=20261231",
    ]
    assert obligation(dated) == (1_000, 601, 20261231, NEXT_DAY, 0)


def test_a_date_of_its_own(dated):
    """registry.md: SET_OBLIGATION states another date than the venue's; another one again begins anew."""
    dated.open_day(LAST_DAY)
    dated.end_of_day()
    ask(dated, K.SURRENDER, 100, target=1, expiry=2025)
    assert obligation(dated) == (1_000, 700, 20261231, LAST_DAY, 100)
    assert dated.send(K.SET_OBLIGATION, account=1, quantity=1_000, expiry=2025, target=20270131) == [
        "OBLIGATION_SET quantity=1000 account=1 order_id=1 remaining=300 contra_remaining=20270131 aux=2025 aux2=1000"
    ]
    assert obligation(dated) == (1_000, 700, 20270131, 0, 0)
    assert lines(dated.open_day(20270129) + dated.end_of_day()) == []
    assert len(lines(dated.open_day(20270201))) == 1
    assert owe(dated, 1_000, 2025)[0].startswith("OBLIGATION_SET")  # the venue's date again, which is over
    assert obligation(dated) == (1_000, 700, 20261231, 0, 0)
    assert len(lines(dated.end_of_day())) == 1


def test_a_correction_of_what_was_due(dated):
    """registry.md: with the same date it forgives where nothing was missing, and nothing else."""
    dated.open_day(LAST_DAY)
    dated.end_of_day()
    owe(dated, 700, 2025)
    assert obligation(dated) == (700, 600, 20261231, LAST_DAY, 0)
    owe(dated, 600, 2025)
    assert obligation(dated) == (600, 600, 20261231, 0, 0)
    owe(dated, 650, 2025)
    assert len(lines(dated.open_day(NEXT_DAY))) == 1
    ask(dated, K.SURRENDER, 20, target=1, expiry=2025)
    owe(dated, 620, 2025)
    assert obligation(dated) == (620, 620, 20261231, NEXT_DAY, 20)


def test_no_date_is_never_over(dated):
    """registry.md: a year that the venue file does not name, and no date in the command."""
    assert owe(dated, 10, 2024)[0] == "OBLIGATION_SET quantity=10 account=1 order_id=2 remaining=10 aux=2024"
    owe(dated, 20, 2025, account=4)
    told = lines(dated.open_day(99991231) + dated.end_of_day())
    assert [line.split("order_id=")[1][0] for line in told] == ["1", "3"]
    assert obligation(dated, 2) == (10, 0, 0, 0, 0)


def test_dates_before_the_first_day(make_world):
    """registry.md: a date that was over when the venue opened its first day."""
    world = make_world(registry_venue(compliance_years=(WORK_NOTICE,)))
    world.account(units=10, asset=CEA24)
    owe(world, 5, 2025)
    assert len(lines(world.open_day(NEXT_DAY))) == 1
    assert obligation(world) == (5, 0, 20261231, NEXT_DAY, 0)


def test_late_allocation(dated):
    """Rule book, G15: final by 30 September 2026; a later one is taken and told as late."""

    def allocate(year=2025):
        return dated.send(K.ALLOCATE_UNITS, account=4, scope=CEA25, quantity=7, expiry=year)

    dated.open_day(20260930)
    assert allocate() == ["UNITS_ALLOCATED quantity=3 account=4 remaining=2025 aux=7 aux2=7"]
    dated.end_of_day()
    dated.phase(CONTINUOUS, 20261009)
    assert allocate() == ["UNITS_ALLOCATED quantity=3 account=4 remaining=2025 contra_remaining=1 aux=7 aux2=14"]
    assert allocate(2024) == ["UNITS_ALLOCATED quantity=3 account=4 remaining=2024 aux=7 aux2=21"]


def test_seee_has_the_dates_of_vintage_2025():
    """Rule book, G15 and G2, in the preset."""
    venue = Venue.preset("seee")
    assert venue.compliance_years == (WORK_NOTICE,)
    assert venue.calendar.transfer_windows == WINDOWS.transfer_windows
