"""Stops, icebergs, quotes and calls as a person types them, against real servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.server import Server, background
from tests.gateway.floors import floor_config, members
from tests.gateway.halls import Terminal

pytestmark = pytest.mark.nojit


@pytest.fixture
def ice(tmp_path: Path) -> Iterator[Server]:
    with background(floor_config(tmp_path, "ice-eua", "2025-08-11T09:00:00+01:00", members(2))) as running:
        yield running


@pytest.fixture
def eex(tmp_path: Path) -> Iterator[Server]:
    opening = members(2, cash=10_000_000_000, units=1_000_000)
    with background(floor_config(tmp_path, "eex-spot", "2025-08-11T07:55:00+02:00", opening)) as running:
        yield running


def error(terminal: Terminal, *arguments: object) -> str:
    return str(json.loads(terminal.run(*arguments, "--json", code=1).stderr)["error"]["text"])


def test_orders_with_parts_stops_and_dates(ice: Server) -> None:
    one, two = Terminal(ice.config, "S1", "client"), Terminal(ice.config, "S2", "client")
    assert one.says("place", "EUA-DEC25", "sell", 50, "70.10", "--shown", 5) == (
        "order 1: live; sell 50 EUA-DEC25 @ 70.10, filled 0, remaining 50, shows 5"
    )
    assert one.says("place", "EUA-DEC25", "sell", 20, "69.40", "--stop", "69.50", "--good-till", "2025-08-29") == (
        "order 2: waiting; sell 20 EUA-DEC25 @ 69.40, filled 0, remaining 20, stop 69.50, good till 2025-08-29"
    )
    made = one.ask("place", "EUA-DEC25", "sell", 20, "69.00", "--market", "--stop", "69.50")
    assert (made["status"], made["stop"], made["triggered"]) == ("waiting", "69.50", False)
    seen = {order["order_id"]: order for order in one.ask("orders")}
    assert [(o["type"], o["tif"], o["visible"], o["waiting"]) for o in seen.values()] == [
        ("iceberg", "day", 5, False),
        ("stop_limit", "gtd", 0, True),
        ("stop", "day", 0, True),
    ]
    assert "2025-08-29" in one.says("orders")
    assert one.says("replace", 2, "--stop", "69.30") == "order 2: now 20 @ 69.40, went to the end of its queue"
    assert one.ask("replace", 2, "--lots", 15)["kept_priority"] is True
    assert one.ask("replace", 1, "--shown", 6)["kept_priority"] is False
    assert two.ask("book", "EUA-DEC25")["asks"] == [{"price": "70.10", "quantity": 6, "orders": 1}]
    assert "state a smaller --minimum" in error(two, "place", "EUA-DEC25", "buy", 60, "70.10", "--minimum", 51)
    assert two.ask("place", "EUA-DEC25", "buy", 60, "70.10", "--minimum", 50)["filled"] == 50


def test_a_refusal_says_what_is_offered(ice: Server) -> None:
    one = Terminal(ice.config, "S1", "client")
    assert "enter a bid and an offer" in error(one, "quote", "EUA-DEC25", "--bid", 5, "70")
    assert "EUA-DEC25 offers --post-only" in error(one, "place", "EUA-DEC25", "buy", 5, "70", "--hidden")
    assert "stops and icebergs are day" in error(
        one, "place", "EUA-DEC25", "buy", 5, "70", "--stop", "70", "--tif", "ioc"
    )
    assert "--minimum, at most LOTS" in error(one, "place", "EUA-DEC25", "buy", 5, "70", "--minimum", 6)
    assert "of an iceberg more than --shown" in error(one, "place", "EUA-DEC25", "buy", 5, "70", "--shown", 5)
    one.run("place", "EUA-DEC25", "buy", 5, "70")
    assert "--shown for an iceberg" in error(one, "replace", 1, "--shown", 2)
    assert "PRICE_OUT_OF_WINDOW" in error(one, "place", "EUA-DEC25", "buy", 5, "1e999999")
    assert "state the worst PRICE" in error(one, "place", "EUA-DEC25", "buy", 5, "--market", "--stop", "70")
    assert one.says("indicative") == "no instrument of this venue has call auctions"


def test_a_call_and_a_quote(eex: Server) -> None:
    one, two = Terminal(eex.config, "S1", "client"), Terminal(eex.config, "S2", "client")
    ops = Terminal(eex.config, "OPS", "operate")
    assert one.says("indicative", "EUA") == "EUA  OPEN_CALL: nothing would trade"
    assert "a call takes limit, market and iceberg orders" in error(one, "quote", "EUA", "--bid", 10, "70")
    one.run("place", "EUA", "buy", 10, "70.20")
    two.run("place", "EUA", "sell", 6, "70.00")
    # 6 lots at every price from 70.00 to 70.20, four lots bid too many: the highest price.
    assert one.says("indicative", "EUA") == "EUA  OPEN_CALL: indicative 70.20, 6 lots, 4 bid left over"
    assert one.ask("book", "EUA")["indicative"]["surplus"] == 4
    assert "4 bid left over" in one.says("book", "EUA")
    ops.run("phase", "OPEN_CALL", "--no-cancel")
    assert one.ask("indicative")[0]["frozen"] is True
    assert "see `carbonbook client day EUA`" in error(one, "replace", 1, "--lots", 9)
    assert "WRONG_PHASE" in error(one, "cancel", 1)
    assert ops.says("phase", "CONTINUOUS") == "all instruments: CONTINUOUS on trading date 2025-08-11"
    assert one.ask("orders")[0]["remaining"] == 4
    day = one.ask("day", "EUA")[0]
    assert (day["last"], day["volume"], day["turnover"]) == ("70.20", 6, "421200.00")  # a lot is 1,000 t
    assert "the bid must be below the offer" in error(one, "quote", "EUA", "--bid", 1, "70", "--offer", 1, "70")
    quoted = two.says("quote", "EUA", "--bid", 10, "70.00", "--offer", 10, "70.30")
    assert quoted.splitlines() == [
        "bid, order 3: live; 10 @ 70.00, filled 0",
        "offer, order 4: live; 10 @ 70.30, filled 0",
    ]
    assert two.ask("quote", "EUA", "--bid", 4, "70.00") == {
        "number": 4,
        "bid": {"status": "live", "order_id": 3, "price": "70.00", "quantity": 4, "filled": 0, "remaining": 4},
        "offer": None,
    }
    assert two.says("quote", "EUA", "--withdraw") == "EUA: quote withdrawn"
    assert "UNKNOWN_ORDER" in error(two, "quote", "EUA", "--withdraw")
