"""Workloads: repeatable by seed, of the mix that they promise, counted from the events; kept in files and checked."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.runs import verify
from benchmarks.workloads import (
    SCENARIOS,
    Workload,
    WorkloadError,
    burst,
    cancel_heavy,
    carbon_day,
    gaps,
    one_level,
    one_order_per_level,
    random_walk,
    realistic,
)
from benchmarks.workloads.realistic import MEDIAN_LIFE, Mix
from engine.core import Engine
from engine.schema import COMMAND, CommandKind, EventKind, OrderFlag, TimeInForce


@pytest.fixture(scope="module")
def plain() -> Workload:
    return random_walk(20_000, resting=2_000)


@pytest.fixture(scope="module")
def seee() -> Workload:
    return carbon_day(20_000, resting=5_000, accounts=400)


def events_of_flow(work: Workload) -> np.ndarray:
    engine = Engine(work.venue)
    engine.apply_all(work.prepare)
    return engine.apply_all(work.flow)


def count(work: Workload, kind: CommandKind) -> int:
    return int((work.flow["kind"] == kind).sum())


def test_a_seed_gives_one_flow(plain):
    again, other = random_walk(20_000, resting=2_000), random_walk(20_000, resting=2_000, seed=8)
    assert again.prepare.tobytes() == plain.prepare.tobytes()
    assert again.flow.tobytes() == plain.flow.tobytes()
    assert other.flow.tobytes() != plain.flow.tobytes()


def test_a_seed_gives_one_carbon_day(seee):
    assert carbon_day(20_000, resting=5_000, accounts=400).flow.tobytes() == seee.flow.tobytes()


@pytest.mark.parametrize("resting", [100, 1_000, 20_000])
@pytest.mark.parametrize("instruments", [1, 64])
def test_resting_orders_are_held(resting, instruments):
    summary = verify(random_walk(10_000, resting, instruments)).mix.summary()
    assert 0.85 * resting - 32 <= summary["resting"]["min"]
    assert summary["resting"]["max"] <= 1.15 * resting + 64
    assert summary["rejected_percent"] <= 2


def test_mix_of_a_random_walk(plain):
    summary = verify(plain).mix.summary()
    assert summary["commands"] == 20_000
    assert summary["rejected_percent"] <= 2
    assert summary["new_orders_trading_percent"] >= 25
    assert summary["cancelled_percent"] >= 10
    assert summary["replaced_percent"] >= 5


def test_mix_of_a_carbon_day(seee):
    summary = verify(seee).mix.summary()
    assert summary["rejected_percent"] <= 2
    assert summary["new_orders_trading_percent"] >= 25
    assert summary["cancelled_percent"] >= 10
    assert 4_000 <= summary["resting"]["min"] <= summary["resting"]["median"] <= summary["resting"]["max"] <= 6_000
    assert {"ACCEPTED", "TRADE", "CANCELLED", "REPLACED"} <= set(summary["events_by_kind"])


def test_a_carbon_day_uses_everything(seee):
    flow = seee.flow
    assert set(np.unique(flow["instrument"][flow["kind"] == CommandKind.NEW_ORDER])) == {1, 2, 3, 4, 5, 6}
    assert len(np.unique(flow["session"])) == 401  # the venue's own speaks for the operator
    assert (flow["flags"][flow["kind"] == CommandKind.CANCEL_ORDER] == OrderFlag.BY_CLIENT_ID).all()
    assert not verify(seee).mix.by_reason.keys() & {"NOT_LISTED", "STALE_CLIENT_ORDER_ID", "UNITS_BOUGHT_TODAY"}


def test_client_order_ids_are_fresh_in_every_session(seee):
    commands = np.concatenate((seee.prepare, seee.flow))
    for session in (1, 7, 400):
        numbers = commands["client_order_id"][commands["session"] == session]
        assert numbers.tolist() == list(range(1, len(numbers) + 1))


def test_records_are_numbered(seee):
    commands = np.concatenate((seee.prepare, seee.flow))
    assert commands["sequence"].tolist() == list(range(1, len(commands) + 1))
    assert (np.diff(commands["timestamp"]) > 0).all()


def test_order_ids_follow_the_new_orders(plain):
    """On the bare book nothing that enters is refused, so the n-th new order is order n."""
    events = Engine(plain.venue).apply_all(np.concatenate((plain.prepare, plain.flow)))
    new = np.concatenate((plain.prepare, plain.flow))["kind"] == CommandKind.NEW_ORDER
    assert events["order_id"][events["kind"] == EventKind.ACCEPTED].tolist() == list(range(1, int(new.sum()) + 1))


# The day of the carbon market


def test_a_carbon_day_has_a_bidding_session(seee):
    events = events_of_flow(seee)
    kinds = events["kind"]
    cleared = events[kinds == EventKind.AUCTION_CLEARED]
    assert len(cleared) == 1
    assert cleared["quantity"][0] + cleared["remaining"][0] == 200_000
    assert (kinds == EventKind.BID_ACCEPTED).sum() == count(seee, CommandKind.AUCTION_BID) >= 20
    assert (kinds == EventKind.BID_REPLACED).any()
    assert (kinds == EventKind.AUCTION_TRADE).any()


def test_a_carbon_day_has_blocks_in_the_afternoon(seee):
    events = events_of_flow(seee)
    blocks = (seee.flow["kind"] >= CommandKind.BLOCK_OFFER) & (seee.flow["kind"] <= CommandKind.BLOCK_WITHDRAW)
    assert np.flatnonzero(blocks).min() > 0.55 * len(seee.flow)
    offers = events[events["kind"] == EventKind.BLOCK_OFFERED]
    assert (offers["quantity"] >= 100_000).all()
    assert {0} < set(offers["contra_account"].tolist())  # public ones and named ones
    for kind in (EventKind.BLOCK_COUNTERED, EventKind.BLOCK_TRADE, EventKind.BLOCK_ENDED):
        assert (events["kind"] == kind).any(), kind.name


def test_a_carbon_day_rests_at_noon(seee):
    """Between the two phase changes nobody enters an order."""
    changes = np.flatnonzero(seee.flow["kind"] == CommandKind.SET_PHASE)
    assert len(changes) == 3  # break; listed and block go on
    pause = seee.flow["kind"][changes[0] + 1 : changes[1]]
    assert len(pause) == 99  # and the change itself: half a percent
    assert set(pause.tolist()) == {CommandKind.CANCEL_ORDER}


def test_old_vintages_are_thin(seee):
    new = seee.flow[seee.flow["kind"] == CommandKind.NEW_ORDER]
    share = np.bincount(new["instrument"], minlength=7)[1:] / len(new)
    assert share == pytest.approx([0.01, 0.02, 0.05, 0.12, 0.55, 0.25], abs=0.02)


@pytest.mark.parametrize("commands", [200, 1_000, 7_777])
def test_a_carbon_day_has_exactly_its_commands(commands):
    work = carbon_day(commands, resting=300, accounts=20)
    assert len(work.flow) == commands
    assert verify(work).mix.summary()["rejected_percent"] <= 3


# The realistic flow


@pytest.fixture(scope="module", params=list(SCENARIOS))
def scenario(request):
    return request.param, realistic(request.param, 20_000)


def test_the_realistic_mix(scenario):
    name, work = scenario
    flow = work.flow
    new = flow["kind"] == CommandKind.NEW_ORDER
    ioc = new & (flow["time_in_force"] == TimeInForce.IOC)
    assert new.sum() == 20_000
    assert ioc.sum() / 20_000 == pytest.approx(0.15, abs=0.01)
    waiting = 20_000 - ioc.sum()
    cancelled, cancels = np.unique(flow["target"][flow["kind"] == CommandKind.CANCEL_ORDER], return_counts=True)
    assert len(cancelled) / waiting == pytest.approx(0.95, abs=0.01)
    assert (cancels == 2).mean() == pytest.approx(0.02, abs=0.005)
    changed, changes = np.unique(flow["target"][flow["kind"] == CommandKind.REPLACE_ORDER], return_counts=True)
    assert len(changed) / waiting == pytest.approx(0.20, abs=0.01)
    assert (changes == 2).mean() == pytest.approx(0.02, abs=0.01)
    entered = flow[new]
    of = changed - 1
    first = flow[flow["kind"] == CommandKind.REPLACE_ORDER]
    assert (first["quantity"] == entered["quantity"][first["target"] - 1] + 1).all()
    moved = first["price"] - entered["price"][first["target"] - 1]
    assert set(np.unique(moved).tolist()) == {-1, 0, 1}
    assert (moved != 0).mean() == pytest.approx(0.8, abs=0.02)
    assert (entered["time_in_force"][of] != TimeInForce.IOC).all(), name


def test_realistic_lives(scenario):
    """Median life of a cancelled order; the price distance of the middle's own side."""
    _, work = scenario
    flow = work.flow
    born = flow["timestamp"][flow["kind"] == CommandKind.NEW_ORDER]
    cancels = flow[flow["kind"] == CommandKind.CANCEL_ORDER]
    target, first = np.unique(cancels["target"], return_index=True)
    lives = cancels["timestamp"][first] - born[target - 1]
    assert np.median(lives) == pytest.approx(MEDIAN_LIFE, rel=0.02)
    assert (np.diff(flow["timestamp"]) >= 0).all()


def test_only_gone_orders_are_refused(scenario):
    name, work = scenario
    events = events_of_flow(work)
    summary = verify(work).mix.summary()
    assert set(verify(work).mix.by_reason) <= {"UNKNOWN_ORDER", "USER_REQUESTED", "IOC_REMAINDER"}
    assert summary["accepted_percent"] == pytest.approx(50, abs=1)
    trades = (events["kind"] == EventKind.TRADE).sum() / 20_000
    assert trades < 0.12
    assert trades > (0.02 if name == "normal" else 0.0)


def test_static_is_deepest_and_the_crash_widest():
    works = {name: realistic(name, 20_000) for name in SCENARIOS}
    deepest = {name: verify(work).mix.summary()["resting"]["max"] for name, work in works.items()}
    assert max(deepest, key=deepest.__getitem__) == "static"
    assert 700 <= deepest["static"] <= 900  # one in twenty of 17,000 stays

    def width(work: Workload) -> int:
        price = work.flow["price"][work.flow["kind"] == CommandKind.NEW_ORDER]
        return int(price.max() - price.min())

    wide = {name: width(work) for name, work in works.items()}
    assert wide["static"] <= 2 * 45
    assert max(wide, key=wide.__getitem__) == "flash-crash"
    lowest = works["flash-crash"].flow["price"][works["flash-crash"].flow["kind"] == CommandKind.NEW_ORDER].min()
    assert lowest == pytest.approx(0.4 * 33_504, abs=100)


def test_the_distances_have_a_tail_and_a_hump():
    flow = realistic("static", 20_000).flow
    away = np.bincount(np.abs(flow["price"][flow["kind"] == CommandKind.NEW_ORDER] - 33_504), minlength=46)
    assert away[0] == 0 and away.argmax() == 1
    assert away[8] > 2 * away[4] and away[8] > 5 * away[13]
    # Beyond the hump the power 2.23 alone: twice as far, 2^2.23 = 4.7 times fewer.
    assert away[15:18].sum() / away[30:36].reshape(3, 2).mean(axis=1).sum() == pytest.approx(2**2.23, rel=0.35)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_realistic_flow_on_the_carbon_venue(name):
    work = realistic(name, 2_000, venue="seee", accounts=50)
    mix = verify(work).mix
    assert set(mix.by_reason) <= {
        "UNKNOWN_ORDER",
        "USER_REQUESTED",
        "IOC_REMAINDER",
        "SELF_TRADE_PREVENTED",
        "DEPTH_LIMIT",
    }
    assert (work.flow["flags"][work.flow["kind"] != CommandKind.NEW_ORDER] == OrderFlag.BY_CLIENT_ID).all()
    assert mix.by_kind["ACCEPTED"] == 2_000


def test_reference_and_kernel_agree_on_realistic_flows():
    for venue in ("plain", "seee"):
        work = realistic("normal", 300, venue=venue, accounts=20)
        assert verify(work).digest == verify(work, "reference").digest


def test_a_mix_of_limit_orders_and_cancels_alone():
    work = realistic("normal", 2_000, mix=Mix(0.0, 0.0, 0.0))
    assert set(work.flow["kind"].tolist()) == {CommandKind.NEW_ORDER, CommandKind.CANCEL_ORDER}
    assert not (work.flow["time_in_force"] == TimeInForce.IOC).any()


def test_an_unknown_scenario_is_named():
    with pytest.raises(ValueError, match="static, normal, swing-25, swing-40, flash-crash, not 'calm'"):
        realistic("calm")


# Flows that press on one place


def test_bursts():
    work = burst(24_000, resting=4_000)
    assert len(work.flow) == 24_000
    gap = np.diff(work.flow["timestamp"])
    fast = gap <= 1_001
    assert fast.sum() == pytest.approx(21_000, abs=20)  # two bursts, a begun one, and hardly a quiet command
    assert 0.5e6 < gap[~fast].mean() < 1.5e6
    wild = work.flow[1_000:11_000]
    assert (wild["kind"] == CommandKind.CANCEL_ORDER).mean() > 0.3
    assert verify(work).mix.commands == 24_000


def test_nine_of_ten_are_cancels():
    work = cancel_heavy(20_000, resting=2_000)
    summary = verify(work).mix.summary()
    assert summary["cancelled_percent"] == pytest.approx(90, abs=0.5)
    assert summary["accepted_percent"] == pytest.approx(10, abs=0.5)
    assert summary["rejected_percent"] == 0
    assert summary["resting"]["min"] >= 2_000


def test_everything_at_one_price():
    work = one_level(20_000)
    found = verify(work)
    summary = found.mix.summary()
    assert found.levels == 1
    assert summary["rejected_percent"] == 0
    assert summary["cancelled_percent"] == pytest.approx(30, abs=1.5)
    assert summary["replaced_percent"] == pytest.approx(10, abs=1)
    assert count(work, CommandKind.NEW_ORDER) / 20_000 == pytest.approx(0.6, abs=0.02)


def test_one_order_on_every_level():
    work = one_order_per_level(3_010)
    found = verify(work)
    assert found.mix.summary()["rejected_percent"] == 0
    assert found.levels == 120_000
    assert found.mix.summary()["resting"]["max"] == 120_000
    assert found.mix.by_kind["TRADE"] == 10 * 100  # ten sweeps of a hundred levels


def test_gaps_of_thousands_of_ticks():
    work = gaps(4_000)
    found = verify(work)
    assert found.mix.summary()["rejected_percent"] == 0
    assert found.mix.by_kind == {"ACCEPTED": 3_000, "TRADE": 1_000, "CANCELLED": 1_000}
    assert found.levels == 2


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: realistic("normal", 500, seed),
        lambda seed: burst(500, 300, seed),
        lambda seed: cancel_heavy(500, 100, seed),
        lambda seed: one_level(500, seed),
        lambda seed: one_order_per_level(500, seed),
        lambda seed: gaps(500, seed),
    ],
    ids=["realistic", "burst", "cancel-heavy", "one-level", "one-order-per-level", "gaps"],
)
def test_each_is_repeatable_by_seed(make):
    assert make(7).flow.tobytes() == make(7).flow.tobytes() != make(8).flow.tobytes()
    assert len(make(7).flow) >= 500


# Files


def test_save_and_load(tmp_path, seee):
    seee.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seee.flow.npy", "seee.json", "seee.prepare.npy"]
    again = Workload.load(tmp_path, "seee")
    assert again.venue == seee.venue
    assert again.flow.dtype == COMMAND
    assert again.prepare.tobytes() == seee.prepare.tobytes()
    assert again.flow.tobytes() == seee.flow.tobytes()
    header = json.loads((tmp_path / "seee.json").read_text())
    assert header["flow"]["commands"] == 20_000
    assert verify(again).digest == verify(seee).digest


def test_a_file_that_changed_is_not_loaded(tmp_path, plain):
    plain.save(tmp_path)
    path = tmp_path / "plain.flow.npy"
    changed = plain.flow.copy()
    changed["price"][7] += 1
    np.save(path, changed)
    with pytest.raises(WorkloadError, match=r"plain.flow.npy is not the array that its header tells of"):
        Workload.load(tmp_path, "plain")
    np.save(path, plain.flow[:-1])
    with pytest.raises(WorkloadError, match="not the array"):
        Workload.load(tmp_path, "plain")
    np.save(path, np.zeros(3, np.int64))
    with pytest.raises(WorkloadError, match="records of the layout COMMAND"):
        Workload.load(tmp_path, "plain")
    path.write_bytes(b"no array")
    with pytest.raises(WorkloadError, match=r"plain.flow.npy is no array"):
        Workload.load(tmp_path, "plain")
    path.unlink()
    with pytest.raises(FileNotFoundError):
        Workload.load(tmp_path, "plain")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"format": 99}, "make it anew"),
        ({"schema_version": 1}, "make it anew"),
        ({"name": "other"}, "make it anew"),
        ({"venue": {"name": "x"}}, "no header of a workload"),
        ({"flow": None}, "no header of a workload"),
    ],
)
def test_a_header_of_something_else(tmp_path, plain, change, text):
    plain.save(tmp_path)
    path = tmp_path / "plain.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(WorkloadError, match=text):
        Workload.load(tmp_path, "plain")
    path.write_text("{")
    with pytest.raises(WorkloadError, match="no header of a workload"):
        Workload.load(tmp_path, "plain")
