"""The comparison with other engines: same fills or no figure; each installed peer is really played."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import peers as peers_module
from benchmarks.cli import bench
from benchmarks.mix import CheckError
from benchmarks.peers import PEERS, Fill, Message, compare, installed, limits_and_cancels, messages, play_peer
from benchmarks.runs import verify
from benchmarks.workloads import Workload
from engine.core import Engine
from engine.schema import COMMAND, CommandKind, EventKind, OrderType, Side, TimeInForce
from engine.venue import Venue


class OneByOne:
    """The reference engine as a player like any peer."""

    def __init__(self) -> None:
        self.engine = Engine(Venue.preset("plain"), "reference")

    def play(self, message: Message) -> Any:
        command = np.zeros(1, COMMAND)
        if message.quantity:
            command["kind"], command["instrument"] = CommandKind.NEW_ORDER, 1
            command["order_type"], command["time_in_force"] = OrderType.LIMIT, TimeInForce.GTC
            command["side"] = Side.BUY if message.buy else Side.SELL
            command["price"], command["quantity"] = message.price, message.quantity
        else:
            command["kind"], command["target"] = CommandKind.CANCEL_ORDER, message.order
        return self.engine.apply_all(command)

    def fills(self, message: Message, returned: Any) -> list[Fill]:
        trades = returned[returned["kind"] == EventKind.TRADE]
        return [
            (int(one["order_id"]), int(one["contra_order_id"]), int(one["price"]), int(one["quantity"]))
            for one in trades
        ]


class Wrong(OneByOne):
    """Tells every trade a tick too high."""

    def fills(self, message: Message, returned: Any) -> list[Fill]:
        return [(taker, maker, price + 1, lots) for taker, maker, price, lots in super().fills(message, returned)]


class Forgetful(OneByOne):
    """Tells no trade."""

    def fills(self, message: Message, returned: Any) -> list[Fill]:
        return []


@pytest.fixture(scope="module")
def work() -> Workload:
    return limits_and_cancels("flash-crash", 1_500, 7)


def wanted(work: Workload) -> list[Fill]:
    events = Engine(work.venue).apply_all(work.flow)
    trades = events[events["kind"] == EventKind.TRADE]
    return [tuple(row) for row in trades[["order_id", "contra_order_id", "price", "quantity"]].tolist()]


def test_the_flow_is_what_everybody_offers(work):
    mix = verify(work).mix
    assert set(mix.by_kind) == {"ACCEPTED", "CANCELLED", "TRADE"}
    assert "REJECTED" not in mix.by_kind
    assert mix.by_kind["TRADE"] >= 20
    told = messages(work.flow)
    assert len(told) == len(work.flow)
    assert [one.order for one in told if one.quantity] == list(range(1, 1_501))


def test_equal_fills_give_a_rate(work):
    told = play_peer("x", OneByOne(), messages(work.flow), wanted(work), 60)
    assert told["messages"] == len(work.flow)
    assert told["per_second"] > 0


def test_other_fills_give_none(work):
    with pytest.raises(CheckError, match=r"x: fill 0 is .*, not .* \(taker, maker, price, lots\)"):
        play_peer("x", Wrong(), messages(work.flow), wanted(work), 60)
    with pytest.raises(CheckError, match=r"x: 0 fills, not \d+"):
        play_peer("x", Forgetful(), messages(work.flow), wanted(work), 60)


def test_a_slow_one_is_stopped(work):
    assert play_peer("x", OneByOne(), messages(work.flow), wanted(work), 0.0)["messages"] == peers_module.CHECK


@pytest.mark.parametrize("name", PEERS)
def test_installed_peers_trade_as_the_engine_does(name, work):
    if name not in installed():
        pytest.skip(f"{name} is not installed")
    try:
        player = PEERS[name]()
    except ImportError as error:
        pytest.skip(f"{name} cannot be imported: {error}")
    assert play_peer(name, player, messages(work.flow), wanted(work), 60)["messages"] == len(work.flow)


@pytest.fixture
def one_peer(monkeypatch):
    """A machine with one peer that works and one that does not."""

    def broken() -> Any:
        raise ImportError("No module named 'polars'")

    monkeypatch.setattr(peers_module, "PEERS", {"ours": OneByOne, "half": broken, "absent": OneByOne})
    monkeypatch.setattr(peers_module, "installed", lambda: {"ours": "1.0", "half": "2.0"})


def test_the_comparison(one_peer):
    found = compare(300, 5, 7, lambda text: None)
    assert found["broken"] == {"half": "No module named 'polars'"}
    assert list(found["scenarios"]) == ["static", "flash-crash"]
    for told in found["scenarios"].values():
        assert list(told["engines"]) == [
            "carbonbook kernel, calls of 1,024",
            "carbonbook kernel, calls of 1",
            "carbonbook reference engine",
            "ours 1.0",
        ]
        assert next(iter(told["engines"].values()))["times_slower"] == 1
        assert all(one["messages"] == told["messages"] for one in told["engines"].values())


def test_the_command_tells_all(one_peer):
    ran = CliRunner().invoke(bench, ["peers", "--orders", "300"], env={"COLUMNS": "120"})
    assert ran.exit_code == 0, ran.output
    for text in ("ours 1.0", "flash-crash", "half is installed and cannot be imported", "Not installed here: absent"):
        assert text in ran.stdout
    ran = CliRunner().invoke(bench, ["peers", "--orders", "300", "--json"])
    assert json.loads(ran.stdout)["peers"] == {"ours": "1.0", "half": "2.0"}


def test_no_peer_names_the_extra(monkeypatch):
    monkeypatch.setattr(peers_module, "installed", dict)
    ran = CliRunner().invoke(bench, ["peers"])
    assert ran.exit_code == 1
    assert "pip install 'carbonbook[peers]'" in ran.output


def test_differing_fills_end_the_command(monkeypatch):
    monkeypatch.setattr(peers_module, "PEERS", {"wrong": Wrong})
    monkeypatch.setattr(peers_module, "installed", lambda: {"wrong": "1"})
    ran = CliRunner().invoke(bench, ["peers", "--orders", "2000"])
    assert ran.exit_code == 1
    assert "the comparison is worth nothing: wrong 1: fill 0" in ran.output


def test_the_peers_are_in_no_lock_file():
    from pathlib import Path

    root = Path(__file__).resolve().parents[2]
    for path in root.glob("requirements*.txt"):
        assert not [name for name in (*PEERS, "tracebook") if name in path.read_text("utf-8")]
    assert all(name in (root / "pyproject.toml").read_text("utf-8") for name in PEERS)
