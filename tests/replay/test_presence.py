"""Presence of a market maker, in minutes counted by hand. CEA24, previous close 73.20; account 1 quotes.

continuous   09:30-11:30 and 13:00-15:00: 240 minutes
09:40        bid 1,000 at 73.00
09:50        offer 1,000 at 73.40: two-sided until 11:30 and 13:00-15:00, 220 minutes
10:20        600 of the bid are sold: 400 to 1,000 are no comparable sizes; 10:30 it is 500 again, exactly half
11:00-11:10  a further offer of 200 at 73.30: 200 to 500
14:00        the offer goes to 74.00
comparable   30 + 30 + 20 + 120 = 200 minutes = 83.33 %; within 0.50 all but the last hour, 140 = 58.33 %; within 0.39 0
spread       0.40 for 150 minutes, 0.30 for 10, 1.00 for 60: (150 x 40 + 10 x 30 + 60 x 100) / 220 = 55.91 ticks
"""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from replay.reports.presence import Presence, presence
from tests.engine.builders import BREAK, CONTINUOUS, GTC, seee
from tests.gateway.test_settlement_file import run
from tests.replay.diary import SECOND, TODAY, TOMORROW, Diary, ids
from tests.replay.test_settlement import CEA24, begin

pytestmark = pytest.mark.nojit
VENUE = seee({"times_in_force": ("day", "gtc")})
MINUTE = 60 * SECOND
TERMS = {"account": 1, "instrument": CEA24, "time_in_force": GTC}


def quoting_day(diary: Diary) -> None:
    begin(diary)
    bid = ids(diary.at("09:40:00").buy(7_300, 1_000, **TERMS))[0]
    offer = ids(diary.at("09:50:00").sell(7_340, 1_000, **TERMS))[0]
    diary.at("10:20:00").sell(7_300, 600, account=2, instrument=CEA24)
    diary.at("10:30:00").replace(bid, 7_300, 1_100)
    second = ids(diary.at("11:00:00").sell(7_330, 200, **TERMS))[0]
    diary.at("11:10:00").cancel(second)
    diary.at("11:30:00").phase(BREAK, TODAY)
    diary.at("13:00:00").phase(CONTINUOUS, TODAY)
    assert diary.at("14:00:00").replace(offer, 7_400, 1_000)[0].startswith("REPLACED")
    diary.at("15:00:00").end_of_day()


@pytest.fixture(scope="module")
def diary(tmp_path_factory: pytest.TempPathFactory) -> Diary:
    with Diary(tmp_path_factory.mktemp("quotes") / "data" / "journal", VENUE) as kept:
        quoting_day(kept)
        # The next day both orders are there from its first moment on, and the day goes on.
        kept.at("33:30:00").open_day(TOMORROW)
        kept.at("34:30:00").deposit_cash(1, 1)
        return kept


def found(diary: Diary, date: int, account: int = 1, ticks: int | None = None) -> Presence:
    widest = {} if ticks is None else {CEA24: ticks}
    _, lines = presence(diary.reader(), date, account, widest, "reference")
    return next(line for line in lines if line.instrument == CEA24)


def test_a_day(diary: Diary) -> None:
    line = found(diary, TODAY)
    spread = (150 * 40 + 10 * 30 + 60 * 100) * MINUTE
    assert line == Presence(CEA24, 240 * MINUTE, 220 * MINUTE, 200 * MINUTE, spread, 30, 100)
    assert (line.share, line.is_met, line.mean_spread) == (Decimal("83.33"), True, Decimal("55.91"))


@pytest.mark.parametrize(("ticks", "minutes", "share"), [(100, 200, "83.33"), (50, 140, "58.33"), (39, 0, "0.00")])
def test_a_widest_spread(diary: Diary, ticks: int, minutes: int, share: str) -> None:
    line = found(diary, TODAY, ticks=ticks)
    assert (line.present, line.share, line.is_met) == (minutes * MINUTE, Decimal(share), minutes >= 120)
    assert line.two_sided == 220 * MINUTE


def test_orders_carried_over_quote_from_the_first_moment(diary: Diary) -> None:
    line = found(diary, TOMORROW)
    assert line == Presence(CEA24, 60 * MINUTE, 60 * MINUTE, 60 * MINUTE, 60 * 100 * MINUTE, 100, 100)


def test_who_does_not_quote(diary: Diary) -> None:
    line = found(diary, TODAY, account=2)
    assert line == Presence(CEA24, 240 * MINUTE)
    assert (line.share, line.is_met, line.mean_spread) == (Decimal("0.00"), False, None)


def test_exactly_half_of_the_time() -> None:
    assert Presence(1, continuous=200, present=100).is_met
    assert not Presence(1, continuous=201, present=100).is_met


def test_on_the_command_line(diary: Diary) -> None:
    command = ("replay", "presence", diary.folder.parent, "--account", 1, "--implementation", "reference", "--date")
    told = json.loads(run(*command, "2025-08-11", "--max-spread", "0.50", "--json").stdout)
    line = next(row for row in told["instruments"] if row["instrument"] == "CEA24")
    assert line == {
        "instrument": "CEA24",
        "continuous_s": 14_400,
        "two_sided_s": 13_200,
        "present_s": 8_400,
        "present_pct": "58.33",
        "half_met": True,
        "mean_spread": "0.5591",
        "narrowest": "0.30",
        "widest": "1.00",
    }
    text = run(*command, "2025-08-12").stdout
    assert text.startswith("account 1, 2025-08-12, the day goes on: sizes within half of each other\n")
    assert "100.00" in text
    assert "no trading day" in run(*command, "2025-08-13", code=1).stderr
    unknown = ("replay", "presence", diary.folder.parent, "--date", "2025-08-11", "--implementation", "reference")
    for account in (0, 4):
        assert (
            f"account {account}: on 2025-08-11 there are 3 accounts"
            in run(*unknown, "--account", account, code=1).stderr
        )
