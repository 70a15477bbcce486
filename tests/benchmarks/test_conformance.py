"""The conformance adapter, line by line: what the kit asks, what must come back. The lines are our own."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import conformance_kit
from benchmarks.cli import bench
from benchmarks.conformance import Adapter, ProtocolError, serve
from benchmarks.conformance_kit import KitError, find_kit, run_kit

HELLO = {
    "type": "hello",
    "protocol": "tracebook.conformance",
    "protocol_version": 1,
    "config": {"matching_algorithm": "fifo", "tick_size": "0.01", "self_trade_policy": "NONE"},
}


def new(number: int, side: str, price: float | None, quantity: float, owner: int = -1, **more: object) -> dict:
    return {
        "op": "new",
        "symbol": "OIL",
        "order_id": number,
        "side": side,
        "order_type": "LIMIT",
        "price": price,
        "quantity": quantity,
        "owner": owner,
        "timestamp_ns": None,
        **more,
    }


def about(op: str, number: int | None = None, symbol: str = "OIL", **more: object) -> dict:
    return {"op": op, "symbol": symbol, "order_id": number, **more}


def spoken(*messages: dict, implementation: str = "reference") -> tuple[int, list[dict]]:
    sink = io.StringIO()
    source = io.StringIO("".join(json.dumps(message) + "\n" for message in messages))
    status = serve(source, sink, implementation)  # type: ignore[arg-type]
    return status, [json.loads(line) for line in sink.getvalue().splitlines()]


def observed(*events: dict, policy: str = "NONE", implementation: str = "reference") -> list[dict]:
    """Observations after each event, and at the end the snapshot."""
    hello = {**HELLO, "config": {**HELLO["config"], "self_trade_policy": policy}}  # type: ignore[dict-item]
    lines = [{"type": "event", "index": n, "event": event} for n, event in enumerate(events, 1)]
    last = len(events)
    status, told = spoken(
        hello,
        *lines,
        {"type": "snapshot", "index": last},
        {"type": "finish", "event_count": last},
        implementation=implementation,
    )
    assert status == 0
    assert told[0]["type"] == "ready" and told[0]["engine"]["name"] == f"carbonbook-{implementation}"
    assert told[-1] == {"type": "complete", "event_count": last}
    return told[1:-1]


def trades(observation: dict) -> list[tuple]:
    fields = ("buy_order_id", "sell_order_id", "price", "quantity")
    return [tuple(trade[field] for field in fields) for trade in observation["trades"]]


def queue(snapshot: dict, side: str, book: int = 0) -> list[tuple]:
    rows = snapshot["state"]["books"][book][side]
    return [(row["order_id"], row["price"], row["remaining_quantity"], row["owner"]) for row in rows]


def refusal(observation: dict) -> str | None:
    assert (observation["outcome"]["status"] == "rejected") == (observation["outcome"]["reason"] is not None)
    return observation["outcome"]["reason"]


@pytest.mark.parametrize("implementation", ["kernel", "reference"])
def test_a_partial_fill_and_the_hash_of_the_book(implementation):
    first, second, third, snapshot = observed(
        new(7, "SELL", 80.25, 2.5, owner=4),
        new(8, "SELL", 80.25, 1),
        new(9, "BUY", 80.3, 3),
        implementation=implementation,
    )
    assert first["index"] == 1 and first["resting_order_count"] == 1 and first["trades"] == []
    assert trades(third) == [(9, 7, "80.25", "2.5"), (9, 8, "80.25", "0.5")]
    assert queue(snapshot, "asks") == [(8, "80.25", "0.5", -1)]
    written = (
        '{"books":[{"asks":[{"order_id":8,"order_type":"LIMIT","owner":-1,"price":"80.25",'
        '"remaining_quantity":"0.5"}],"bids":[],"symbol":"OIL"}]}'
    )
    assert third["state_hash"] == hashlib.sha256(written.encode()).hexdigest()
    assert second["state_hash"] != first["state_hash"]


def test_reducing_keeps_the_place_and_replacing_loses_it():
    *_, snapshot = observed(
        new(1, "BUY", 10, 5),
        new(2, "BUY", 10, 5),
        new(3, "BUY", 10, 5),
        about("reduce", 1, quantity=2),
        about("replace", 2, quantity=4, price=None),  # only smaller: our rules alone would keep its place
        about("replace", 3, quantity=6, price=None),
    )
    assert queue(snapshot, "bids") == [(1, "10", "3", -1), (2, "10", "4", -1), (3, "10", "6", -1)]


def test_a_replacement_counts_what_is_left_and_may_trade():
    *_, last, snapshot = observed(
        new(1, "BUY", 10, 5),
        new(2, "SELL", 10, 2),
        new(3, "SELL", 11, 1),
        about("replace", 1, price=11, quantity=7),
    )
    assert trades(last) == [(1, 3, "11", "1")]
    assert queue(snapshot, "bids") == [(1, "11", "6", -1)]


def test_reducing_all_is_a_cancel_and_more_is_refused():
    told = observed(new(1, "BUY", 10, 5), about("reduce", 1, quantity=6), about("reduce", 1, quantity=5))
    assert refusal(told[1]) == "INVALID_ORDER"
    assert refusal(told[2]) is None and told[2]["resting_order_count"] == 0


@pytest.mark.parametrize("op", ["cancel", "reduce", "replace"])
def test_what_is_not_active(op):
    told = observed(about(op, 5, quantity=1), new(5, "BUY", 10, 1), about("cancel", 5), about(op, 5, quantity=1))
    assert [refusal(one) for one in told[:-1]] == ["ORDER_NOT_ACTIVE", None, None, "ORDER_NOT_ACTIVE"]


def test_a_number_is_used_once_at_a_time_and_per_symbol():
    told = observed(
        new(1, "BUY", 10, 1),
        new(1, "BUY", 10, 1),
        new(1, "BUY", 10, 1, symbol="GAS"),
        about("cancel", 1),
        new(1, "BUY", 9, 1),
    )
    assert [refusal(one) for one in told[:-1]] == [None, "DUPLICATE_ORDER_ID", None, None, None]
    assert [book["symbol"] for book in told[-1]["state"]["books"]] == ["GAS", "OIL"]


def test_market_immediate_and_all_or_nothing():
    told = observed(
        new(1, "BUY", None, 1, order_type="MARKET"),
        new(2, "SELL", 1_300, 2),
        new(3, "BUY", 1_300, 3, order_type="FOK"),
        new(4, "BUY", 1_300, 3, order_type="IOC"),
        new(5, "SELL", 500, 2),
        new(6, "BUY", None, 1, order_type="MARKET"),
        new(7, "BUY", 500, 1, order_type="FOK"),
    )
    assert [refusal(one) for one in told[:-1]] == [None] * 7
    assert [trades(one) for one in told[:-1]] == [
        *([], [], [], [(4, 2, "1300", "2")], []),
        *([(6, 5, "500", "1")], [(7, 5, "500", "1")]),
    ]
    assert told[-2]["resting_order_count"] == 0


def test_prices_go_to_the_nearest_tick():
    told = observed(new(1, "BUY", 10.006, 1), new(2, "BUY", 0.004, 1), new(3, "BUY", 99_999, 1))
    assert [refusal(one) for one in told[:-1]] == [None, "INVALID_ORDER", "INVALID_ORDER"]
    assert queue(told[-1], "bids") == [(1, "10.01", "1", -1)]


def test_quantities_are_lots():
    told = observed(
        new(1, "BUY", 10, 0.00000001),
        new(2, "BUY", 10, 22),
        new(3, "BUY", 10, 0),
        new(4, "BUY", 10, 1e-9),
        about("replace", 1, quantity=-1),
    )
    assert [refusal(one) for one in told[:-1]] == [None, *["INVALID_ORDER"] * 3, "INVALID_REPLACEMENT"]
    assert queue(told[-1], "bids") == [(1, "10", "0.00000001", -1)]


def test_clearing_ends_one_book():
    told = observed(new(1, "BUY", 10, 1), new(1, "BUY", 10, 1, symbol="GAS"), about("clear"), new(1, "SELL", 10, 1))
    assert [one["resting_order_count"] for one in told[:-1]] == [1, 2, 1, 2]


def test_self_trades_without_a_policy_and_without_an_owner():
    told = observed(new(1, "SELL", 10, 1, owner=7), new(2, "BUY", 10, 1, owner=7))
    assert trades(told[1]) == [(2, 1, "10", "1")]
    told = observed(new(1, "SELL", 10, 1), new(2, "BUY", 10, 1), policy="CANCEL_RESTING")
    assert trades(told[1]) == [(2, 1, "10", "1")]


def test_the_resting_one_of_a_self_trade_goes():
    told = observed(
        new(1, "SELL", 10, 1, owner=7),
        new(2, "SELL", 10, 3, owner=8),
        new(3, "BUY", 10, 2, owner=7),
        policy="CANCEL_RESTING",
    )
    assert trades(told[2]) == [(3, 2, "10", "2")]
    assert queue(told[-1], "asks") == [(2, "10", "1", 8)]


def test_the_incoming_one_of_a_self_trade_goes():
    told = observed(
        new(1, "SELL", 9, 1, owner=8),
        new(2, "SELL", 10, 1, owner=7),
        new(3, "BUY", 10, 5, owner=7),
        policy="CANCEL_INCOMING",
    )
    assert trades(told[2]) == [(3, 1, "9", "1")]
    assert queue(told[-1], "asks") == [(2, "10", "1", 7)] and queue(told[-1], "bids") == []


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([{**HELLO, "protocol_version": 2}], "the first line must be hello"),
        ([{"type": "event"}], "the first line must be hello"),
        ([{**HELLO, "config": {"matching_algorithm": "pro_rata"}}], "'pro_rata' is not offered"),
        ([{**HELLO, "config": {"self_trade_policy": "ASK"}}], "'ASK' is unknown"),
        ([{**HELLO, "config": {"tick_size": "0"}}], "above zero"),
        ([{**HELLO, "config": {"tick_size": "x"}}], "is no number"),
        ([HELLO, {"type": "event", "index": 2, "event": {}}], "event 2 after 0"),
        ([HELLO, {"type": "dance"}], "a message of type 'dance'"),
        ([HELLO, {"type": "event", "index": 1, "event": {"op": "new", "symbol": "OIL"}}], "KeyError: 'order_id'"),
        ([HELLO], "the lines ended before a finish"),
    ],
)
def test_what_the_protocol_does_not_allow(messages, text):
    status, told = spoken(*messages)
    assert status == 2
    assert told[-1]["type"] == "error" and told[-1]["code"] == "PROTOCOL_ERROR"
    assert text in told[-1]["message"]


def test_too_many_symbols():
    adapter = Adapter({}, "reference")
    for number in range(32):
        adapter.apply(new(1, "BUY", 10, 1, symbol=f"S{number}"), number + 1)
    with pytest.raises(ProtocolError, match="more than 32 symbols"):
        adapter.apply(new(1, "BUY", 10, 1, symbol="S32"), 33)


def test_the_process_answers_and_ends():
    lines = [HELLO, {"type": "event", "index": 1, "event": new(1, "BUY", 10, 1)}, {"type": "finish", "event_count": 1}]
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.conformance", "reference"],
        input="".join(json.dumps(line) + "\n" for line in lines),
        capture_output=True,
        text=True,
        check=True,
    )
    assert [json.loads(line)["type"] for line in ran.stdout.splitlines()] == ["ready", "observation", "complete"]


# The kit's runner, with a kit of our own that says what it is told to say


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A program with the kit's commands; cases named `wrong` differ, and so does the profile fifo-full-v1."""
    program = tmp_path / "kit"
    program.write_text(
        f"""#!{sys.executable}
import json, pathlib, sys
words = sys.argv[1:]
if words[0] == "sample":
    folder = pathlib.Path(words[1]); folder.mkdir()
    cases = [(name, algorithm) for name, algorithm in (("right", "fifo"), ("wrong", "fifo"), ("shared", "pro_rata"))]
    (folder / "manifest.json").write_text(json.dumps({{"cases": [
        {{"name": name, "events": name + ".jsonl",
          "config": {{"matching_algorithm": algorithm, "tick_size": "0.01", "self_trade_policy": "NONE"}}}}
        for name, algorithm in cases]}}))
elif words[0] == "run":
    assert words[2:6] == ["--tick-size", "0.01", "--self-trade-policy", "NONE"], words
    if "wrong" in words[1]:
        sys.exit("trade 3 differs")
elif words[0] == "qualify":
    folder = pathlib.Path(words[words.index("--output-dir") + 1]); folder.mkdir()
    (folder / "qualification.json").write_text(json.dumps({{"checks": {{
        "fixed_cases": {{"passed": 3, "total": 3}},
        "generated_campaign": {{"completed_traces": 2, "requested_traces": int(words[words.index("--traces") + 1])}},
        "semantic_coverage": {{"covered": 9, "expected": 10}}}}}}))
    sys.exit(words[2] == "fifo-full-v1")
""",
        "utf-8",
    )
    program.chmod(0o755)
    return program


def test_cases_and_profiles_are_told(kit):
    found = run_kit(str(kit), "reference", 2, 10, 1, lambda text: None)
    assert [(one.what, one.result) for one in found] == [
        ("right", "AGREES"),
        ("wrong", "DIFFERS"),
        ("shared", "NOT OFFERED"),
        ("fifo-limit-v1", "AGREES"),
        ("fifo-full-v1", "DIFFERS"),
    ]
    assert found[1].told == "trade 3 differs"
    assert found[3].told == "3 of 3 cases, 2 of 2 traces, 9 of 10 capabilities"


def test_the_command_fails_when_something_differs(kit):
    ran = CliRunner().invoke(
        bench, ["conformance", "--implementation", "reference", "--kit", str(kit), "--traces", "2"]
    )
    assert ran.exit_code == 1
    assert "DIFFERS" in ran.stdout and "pro_rata" in ran.stdout


def test_without_the_kit_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(conformance_kit, "PROGRAM", "no-such-program")
    with pytest.raises(KitError, match=r"pip install 'carbonbook\[peers\]'"):
        find_kit()
    ran = CliRunner().invoke(bench, ["conformance"])
    assert ran.exit_code == 1 and "carbonbook[peers]" in ran.output


def test_a_kit_that_cannot_run(tmp_path):
    with pytest.raises(KitError, match="cannot be run: No such file"):
        run_kit(str(tmp_path / "none"), "reference", 1, 1, 1, lambda text: None)
