"""The settlement file of a day of all three modes, in figures worked out by hand; fee 0.05 % a side.

CEA24, previous close 73.20; accounts 1, 2, 3 with CNY 100,000,000.00 and 1,000,000 t each.

listed   1 sells 1,000 at 73.00, 2 buys 1,500 up to 73.50: 73,000.00, fee 36.50 each; 3 sells 400 into the rest
         at 73.50: 29,400.00, fee 14.70 each (the buyer's: 0.05 % of 102,400.00 is 51.20, less 36.50)
block    1 sells 200,000 to 3 at 70.00: 14,000,000.00, fee 7,000.00 each
bidding  1 offers 100,000 from 73.20; 2 bids 60,000 at 75.00, 3 bids 70,000 at 74.00; price 74.00: 4,440,000.00 with fee
         2,220.00, 2,960,000.00 with fee 1,480.00
bust     of the 400: back go 400 t and 29,400.00, the fees stay
units    1: -301,000; 2: 1,000 + 60,000 = 61,000; 3: 200,000 + 40,000 = 240,000
cash     1: 73,000 + 14,000,000 + 7,400,000 - 36.50 - 7,000 - 3,700 = 21,462,263.50
         2: -73,000 - 4,440,000 - 36.50 - 14.70 - 2,220 = -4,515,271.20
         3: -14,000,000 - 2,960,000 - 14.70 - 7,000 - 1,480 = -16,968,494.70
         venue: 73.00 + 29.40 + 14,000 + 7,400 = 21,502.40
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from engine.schema import CommandKind as K
from engine.schema import DayStage, Mode
from replay.reports.days import NoSuchDay, last_date, state_after, trading_day
from replay.reports.settlement import METHOD, OutOfBalance, check_balance, settlement
from tests.engine.builders import BIDDING, BLOCK, CONTINUOUS, LISTED, SELL, plain, seee
from tests.replay.diary import TODAY, TOMORROW, Diary, ids, rows

pytestmark = pytest.mark.nojit
CEA24 = 5
FEE = {"fee_ppm": 500}


def begin(diary: Diary, accounts: int = 3) -> Diary:
    for _ in range(accounts):
        number = diary.account(cash=10_000_000_000, units=1_000_000, asset=CEA24)
        assert number
    diary.at("09:30:00").open_day(TODAY)
    return diary


def full_day(diary: Diary) -> tuple[int, int]:
    """The day of this file's head up to the bust; returns the ids of its two listed trades."""
    begin(diary)
    diary.sell(7_300, 1_000, account=1, instrument=CEA24)
    first = diary.at("09:31:00").buy(7_350, 1_500, account=2, instrument=CEA24)
    second = diary.at("09:32:00").sell(7_350, 400, account=3, instrument=CEA24)
    assert [line.split()[0] for line in first + second] == ["ACCEPTED", "TRADE", "FEE"] * 2
    last = diary.events
    diary.at("13:00:00").phase(CONTINUOUS, TODAY, mode=BLOCK)
    terms = {"price": 7_000, "quantity": 200_000}
    offered = diary.send(K.BLOCK_OFFER, side=SELL, instrument=CEA24, account=1, scope=1, target=3, **terms)
    diary.send(K.BLOCK_ACCEPT, account=3, target=ids(offered)[0], **terms)
    diary.at("13:30:00").send(K.ANNOUNCE_AUCTION, side=SELL, instrument=CEA24, account=1, price=7_320, quantity=100_000)
    diary.send(K.OPEN_AUCTION, target=1)
    diary.send(K.AUCTION_BID, side=1, instrument=CEA24, account=2, target=1, price=7_500, quantity=60_000)
    diary.send(K.AUCTION_BID, side=1, instrument=CEA24, account=3, target=1, price=7_400, quantity=70_000)
    diary.send(K.CLOSE_AUCTION, target=1)
    bust(diary.at("14:00:00"), last - 1, 7_350, 400, buyer=2, seller=3)
    return last - 4, last - 1


def bust(diary: Diary, trade: int, price: int, lots: int, buyer: int, seller: int) -> None:
    told = diary.send(
        K.BUST_TRADE, scope=LISTED, instrument=CEA24, account=buyer, target=trade, expiry=TODAY, price=price,
        quantity=lots, quantity2=seller,
    )  # fmt: skip
    assert told[0].startswith("TRADE_BUSTED"), told


SHOWN = ("record", "method", "price", "lots", "amount", "buyer", "buyer_fee", "seller", "seller_fee")


def text(found: list[tuple]) -> list[str]:
    return [" ".join(str(value) for value in row if value is not None) for row in found]


def test_a_day_of_three_modes(tmp_path: Path) -> None:
    with Diary(tmp_path / "j", seee(FEE)) as diary:
        first, second = full_day(diary)
        diary.at("15:00:00").end_of_day()
        found = settlement(diary.reader(), TODAY)
        lines = found.rows()
        assert text(rows(lines, *SHOWN)[:6]) == [
            "trade 10 73.00 1000 73000.00 2 36.50 1 36.50",
            "trade 10 73.50 400 29400.00 2 14.70 3 14.70",
            "trade 20 70.00 200000 14000000.00 3 7000.00 1 7000.00",
            "trade 21 74.00 60000 4440000.00 2 2220.00 1 2220.00",
            "trade 21 74.00 40000 2960000.00 3 1480.00 1 1480.00",
            "bust 10 73.50 -400 -29400.00 2 0.00 3 0.00",
        ]
        assert [lines[0]["sequence"], lines[1]["sequence"], lines[5]["trade"]] == [first, second, second]
        assert (lines[1]["busted_by"], lines[0]["busted_by"]) == (lines[5]["sequence"], None)
        assert lines[0]["time"] == "2025-08-11T01:31:00.000000000Z"
        assert text(rows(lines, "record", "account", "asset", "currency", "units", "amount")[6:]) == [
            "units 1 CEA24 -301000",
            "units 2 CEA24 61000",
            "units 3 CEA24 240000",
            "cash 0 CNY 21502.40",
            "cash 1 CNY 21462263.50",
            "cash 2 CNY -4515271.20",
            "cash 3 CNY -16968494.70",
        ]
        assert (sum(found.units.values()), sum(found.cash.values())) == (0, 0)
        assert (found.day.stage, found.final) == (DayStage.SETTLED, True)
        # The ledger says the same: cash before and after, and the fees that the venue holds.
        after = state_after(diary.reader(), found.day.last_command, found.day.last_event, "reference")
        assert [int(row["free"]) - 10_000_000_000 for row in after["cash"]] == [2146226350, -451527120, -1696849470]
        assert int(after["currencies"][0]["fees"]) == 2_150_240


def test_the_file_byte_by_byte(tmp_path: Path) -> None:
    with Diary(tmp_path / "j", seee()) as diary:
        begin(diary, 2).sell(7_300, 2, account=1, instrument=CEA24)
        diary.at("09:31:00.5").buy(7_300, 2, account=2, instrument=CEA24)
        sequence = diary.events
        expected = (
            "record,sequence,time,method,instrument,asset,currency,price,lots,units,amount,"
            "buyer,buyer_fee,seller,seller_fee,account,trade,busted_by\n"
            f"trade,{sequence},2025-08-11T01:31:00.500000000Z,10,CEA24,CEA24,CNY,73.00,2,2,146.00,"
            f"2,0.00,1,0.00,,{sequence},\n"
            "units,,,,,CEA24,,,,-2,,,,,,1,,\n"
            "units,,,,,CEA24,,,,2,,,,,,2,,\n"
            "cash,,,,,,CNY,,,,146.00,,,,,1,,\n"
            "cash,,,,,,CNY,,,,-146.00,,,,,2,,\n"
        ).encode()
        going_on = settlement(diary.reader(), TODAY)
        assert (going_on.file(), going_on.final) == (expected, False)
        for command in (diary.stop, diary.expire, diary.fix_close, diary.settle):
            command()
        over = settlement(diary.reader(), TODAY)
        assert (over.file(), over.final) == (expected, True)
        assert over.sha256() == hashlib.sha256(expected).hexdigest()


def test_a_bust_of_yesterday_is_todays(tmp_path: Path) -> None:
    with Diary(tmp_path / "j", seee(FEE)) as diary:
        first, _ = full_day(diary)
        diary.at("15:00:00").end_of_day()
        before = settlement(diary.reader(), TODAY).file()
        bust(diary.at("20:00:00"), first, 7_300, 1_000, buyer=2, seller=1)  # between the days
        diary.at("33:30:00").open_day(TOMORROW)
        found = settlement(diary.reader(), TOMORROW)
        names = ("record", "lots", "amount", "trade", "account", "asset", "currency", "units")
        assert text(rows(found.rows(), *names)) == [
            f"bust -1000 -73000.00 {first} CEA24 CNY -1000",
            "units 1 CEA24 1000",
            "units 2 CEA24 -1000",
            "cash -73000.00 1 CNY",
            "cash 73000.00 2 CNY",
        ]  # fmt: skip
        assert settlement(diary.reader(), TODAY).file() == before
        assert last_date(diary.reader()) == TOMORROW
        day = trading_day(diary.reader(), TODAY)
        assert (day.first_event, day.stage) == (1, DayStage.SETTLED)
        assert trading_day(diary.reader(), TOMORROW).first_event == day.last_event + 1


def test_days_that_are_not_there(tmp_path: Path) -> None:
    with Diary(tmp_path / "j", seee()) as diary:
        with pytest.raises(NoSuchDay, match="no trading day has begun"):
            last_date(diary.reader())
        begin(diary).end_of_day()
        diary.open_day(20250813)
        for date in (20250810, 20250812, 20250814):
            with pytest.raises(NoSuchDay, match="2025-08-1"):
                trading_day(diary.reader(), date)
        assert last_date(diary.reader()) == 20250813


def test_without_a_ledger_there_are_no_totals(tmp_path: Path) -> None:
    with Diary(tmp_path / "j", plain()) as diary:
        diary.sell(7_300, 5, account=7)
        diary.buy(7_300, 5, account=8)
        diary.phase(CONTINUOUS, TODAY)
        found = settlement(diary.reader(), TODAY)  # what came before the first date is the first day's
        assert [(line.buyer, line.seller, line.lots) for line in found.lines] == [(8, 7, 5)]
        assert (found.units, found.cash) == ({}, {})


def test_totals_out_of_balance_are_refused() -> None:
    with pytest.raises(OutOfBalance, match=r"units of asset 5 is out of balance by -3"):
        check_balance("units of asset", {(1, 5): 7, (2, 5): -10, (1, 4): 0})


def test_method_codes() -> None:
    codes = [METHOD[Mode(mode)] for mode in (LISTED, BLOCK, BIDDING)]
    assert codes == [10, 20, 21]
