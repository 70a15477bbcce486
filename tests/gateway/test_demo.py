"""The demonstration: its script against the published figures, its lists, and quick runs of the whole of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

from engine.schema import COMMAND, EVENT, EventKind, Reason
from engine.venue import Venue
from gateway.demo import report
from gateway.demo.desk import leveling
from gateway.demo.plan import FIRMS, FULL, QUICK, TRADERS, Plan, local, moment
from gateway.demo.published import COMPOSITE, COMPOSITE_PREVIOUS, VINTAGES
from gateway.demo.rejects import BASE, COMMANDS, FRAMES, OUT_OF_REACH, STAGED
from gateway.demo.script import DEALS, falsified
from gateway.demo.traders import progress, trading

LIMIT = 170
"""Seconds: a quick run takes less than 60 with a compiled kernel, on a machine that has nothing else to do."""
LAST_LINE = re.compile(
    r"demo ok: (\d+) commands, (\d+) trades, digest [0-9a-f]{64}, replayed identically by kernel and reference"
)
TRADED = [vintage for vintage in VINTAGES if vintage.traded]


# The script and the plan


@pytest.mark.parametrize("vintage", TRADED, ids=[v.symbol for v in TRADED])
def test_the_script_adds_up_to_the_published_day(vintage):
    deals = [deal for deal in DEALS if deal.symbol == vintage.symbol]
    assert sum(deal.tonnes for deal in deals) == vintage.tonnes
    assert sum(deal.tonnes * deal.price for deal in deals) == vintage.amount
    prices = [deal.price for deal in deals]
    assert (prices[0], max(prices), min(prices)) == (vintage.open, vintage.high, vintage.low)
    assert round(vintage.amount / vintage.tonnes, 2) == vintage.close
    assert max(deal.tonnes for deal in deals) < 100_000


def test_a_falsified_script_differs_in_one_price_that_is_no_extreme():
    pairs = [(a, b) for a, b in zip(DEALS, falsified(DEALS), strict=True) if a != b]
    assert [b.price - a.price for a, b in pairs] == [Decimal("0.01")]
    assert all(b.price not in {deal.price for deal in DEALS} for _, b in pairs)


def test_deals_come_in_order_and_inside_the_sessions():
    times = [deal.at for deal in DEALS]
    assert times == sorted(times)
    assert all("09:30" < at < "11:30" or "13:00" < at < "14:20" for at in times)


def test_the_preset_has_the_published_closes_of_the_day_before():
    venue = Venue.preset("seee")
    for number, vintage in enumerate(VINTAGES, 1):
        assert venue.instrument_id(vintage.symbol) == number
        assert venue.instruments[number - 1].previous_close == vintage.previous_close
    closes = [vintage.previous_close for vintage in VINTAGES]
    assert round(sum(closes) / len(closes), 2) == COMPOSITE_PREVIOUS
    assert round(sum(vintage.close for vintage in VINTAGES) / len(VINTAGES), 2) == COMPOSITE


def test_every_reason_is_provoked_or_explained():
    provoked = [wrong.reason for wrong in COMMANDS] + list(STAGED) + list(FRAMES)
    assert len(set(provoked)) == len(provoked)
    assert not set(provoked) & set(OUT_OF_REACH)
    assert set(provoked) | set(OUT_OF_REACH) == {reason for reason in Reason if 0 < reason < 600}


def test_each_wrong_command_is_a_right_one_with_one_fault():
    assert all(name in (COMMAND.names or ()) for wrong in COMMANDS for name in wrong.fields)
    assert all(len(wrong.fields) <= 2 for wrong in COMMANDS if not wrong.alone)
    assert BASE["account"] == len(FIRMS)


def test_twenty_firms_in_three_processes_and_enough_commands():
    assert len(set(FIRMS)) == 20
    assert len(TRADERS) >= 3
    assert sum(map(len, TRADERS.values())) * FULL.firm_commands >= FULL.least == 200_000
    assert QUICK.firm_commands < FULL.firm_commands


def test_progress_stands_still_in_the_break():
    assert progress(moment("09:00")) == 0
    assert progress(moment("11:30")) == progress(moment("13:00"))
    assert progress(moment("14:30")) == 1
    assert not trading(moment("12:00"))
    assert local(moment("13:37")) == "13:37:00"


@pytest.mark.parametrize("turnover", ["70000.00", "70312.57", "69123.00", "700000.00"])
def test_last_pairs_bring_an_average_back(turnover):
    close, volume, amount = Decimal("70.00"), 1_000, Decimal(turnover)
    for _ in range(20):
        deal = leveling("CEA21", close, volume, amount)
        if deal is None:
            break
        assert Decimal(63) <= deal.price <= Decimal(77)
        volume, amount = volume + deal.tonnes, amount + deal.tonnes * deal.price
    assert round(amount / volume, 2) == close


def test_a_statement_that_does_not_add_up_is_told():
    units = {vintage.symbol: 0 for vintage in VINTAGES}
    paid = int(sum(vintage.amount for vintage in VINTAGES) * 100)
    after = units | {vintage.symbol: vintage.tonnes for vintage in VINTAGES}
    good = {"before": {"cash": paid, "units": units}, "after": {"cash": 0, "units": after}}
    assert report.statement_differences(good, []) == []
    good["after"]["cash"] = 1
    assert len(report.statement_differences(good, [])) == 1
    assert len(report.statement_differences(good, ["CEA21 1 t at 70.00"])) == 1


# Whole runs


def environment() -> dict[str, str]:
    return os.environ | {"COLUMNS": "140", "PYTHONUNBUFFERED": "1"}


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway.demo", "--quick", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False, env=environment())


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """The kernel in the on-disk cache, so that the runs' time limits are not about the compiler."""
    subprocess.run([sys.executable, "-m", "gateway.demo.audit", "warm"], check=True, capture_output=True, timeout=600)


def left_behind(folder: Path) -> list[str]:
    """Command lines of processes that still name a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = entry.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if str(folder) in text and int(entry.parent.name) != os.getpid():
            found.append(text)
    return found


@pytest.mark.slow
def test_the_quick_demonstration_is_good(tmp_path):
    folder = tmp_path / "d"
    done = run("--data", str(folder))
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
    last = LAST_LINE.fullmatch(done.stdout.splitlines()[-1])
    assert last, done.stdout[-500:]
    assert int(last[1]) >= QUICK.least
    assert int(last[2]) > 1_000
    assert done.stdout.count(" SIGKILL: ") == 2
    assert "server: Recovered" in done.stdout
    for name in ("DISCONNECTED", "MASS_CANCEL", "IOC_REMAINDER", "USER_REQUESTED"):
        assert name in done.stdout
    # The clients' own logs are there, and hold what an exchange would have told them.
    received = (Plan(str(folder), QUICK).log("S03", "events")).read_bytes()
    assert len(received) % EVENT.itemsize == 0
    assert received[0] == EventKind.ACCEPTED
    assert not left_behind(folder)


@pytest.mark.slow
def test_a_price_a_tick_off_is_noticed(tmp_path):
    folder = tmp_path / "d"
    done = run("--falsify-price", "--data", str(folder))
    assert done.returncode == 1, done.stdout[-3_000:] + done.stderr[-3_000:]
    assert "DIFFERS: CEA24 amount: published 3697970.40, here 3698015.44" in done.stdout
    assert "demo ok" not in done.stdout
    assert not left_behind(folder)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_no_process_behind(tmp_path, number):
    folder = tmp_path / "d"
    command = [sys.executable, "-m", "gateway.demo", "--quick", "--data", str(folder)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment())
    try:
        assert running.stdout is not None
        for line in running.stdout:
            if "logged on" in line:
                break
        assert len(left_behind(folder)) > 5 or not Path("/proc").exists()
        running.send_signal(number)
        assert running.wait(30) == 130
    finally:
        running.kill()
        running.communicate()
    deadline = time.monotonic() + 5
    while left_behind(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left_behind(folder)
