"""Order records in the regulation's fields: a day row by row, an order carried over, and what is not recorded."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.schema import CommandKind as K
from engine.schema import EventKind, OrderFlag, OrderType, Role, SelfTrade, TimeInForce
from replay.reports.live_orders import LiveOrders, Step
from replay.reports.order_records import COLUMNS, FIELDS, OWN
from tests.engine.builders import GTC, seee
from tests.gateway.test_routing import event
from tests.gateway.test_settlement_file import run
from tests.replay.diary import TODAY, TOMORROW, Diary, ids
from tests.replay.test_settlement import CEA24

pytestmark = pytest.mark.nojit


def two_days(diary: Diary) -> None:
    """Firm 1 has session 1, firm 2 session 2; session 3 is an operator's."""
    for number in (1, 2):
        diary.account(cash=10_000_000_000, units=1_000_000, asset=CEA24)
        assert diary.session(firm=number) == number
    diary.session(role=int(Role.OPERATOR))
    diary.at("09:30:00").open_day(TODAY)
    one, two = ({"account": n, "session": n, "instrument": CEA24} for n in (1, 2))
    first = ids(diary.at("09:31:00.25").sell(7_300, 100, time_in_force=GTC, **one))[0]
    diary.at("15:00:00").end_of_day()
    diary.at("33:30:00").open_day(TOMORROW)
    diary.at("33:31:00").buy(7_300, 30, **two)
    diary.at("33:32:00").replace(first, 7_300, 60, session=1)
    diary.at("33:33:00").replace(first, 7_310, 60, session=1)
    diary.at("33:34:00").send(K.SET_ORDER_STATUS, target=first, session=3)
    third = ids(diary.at("33:35:00").buy(7_200, 5, **two))[0]
    diary.cancel(third, session=2)
    diary.at("33:36:00").buy(7_100, 7, **two)
    diary.at("33:37:00").buy(7_100, 0, **two)
    diary.at("39:00:00").end_of_day()


def column(name: str) -> str:
    return next(field for field in FIELDS if field.split(" ", 1)[1] == name)


SHOWN = [
    *(column("member (firm of the venue; no LEI)"), column("order id"), column("event"), column("limit price")),
    *(column("side"), column("initial quantity"), column("remaining quantity"), column("displayed quantity")),
    *(column("transaction price"), column("traded quantity"), column("passive or aggressive")),
    *(column("validity period"), "reason"),
]


def written(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cut(rows: Sequence[dict[str, str]]) -> list[str]:
    return [" ".join(row[name] for name in SHOWN if row[name]) for row in rows]


def test_a_day_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    with Diary(tmp_path / "data" / "journal", seee({"times_in_force": ("day", "gtc")})) as diary:
        two_days(diary)
    command = ("replay", "orders", tmp_path / "data", "--csv", path, "--implementation", "reference", "--date")
    told = json.loads(run(*command, "2025-08-12", "--json").stdout)
    counts = {"CAME": 1, "CAMO": 1, "EXPI": 1, "FILL": 1, "NEWO": 3, "PARF": 1, "REME": 2, "REMO": 1}
    assert (told["rows"], told["events"], told["stage"]) == (11, counts, "SETTLED")
    rows = written(path)
    assert cut(rows) == [
        "2 2 NEWO 73.00 BUYI 30 30 30 DAVY",
        "2 2 FILL 73.00 BUYI 30 0 0 73.00 30 AGRE DAVY",
        "1 1 PARF 73.00 SELL 100 70 70 73.00 30 PASV GTCV",
        "1 1 REME 73.00 SELL 60 30 30 GTCV",
        "1 1 REME 73.10 SELL 60 30 30 GTCV",
        "1 1 CAMO 73.10 SELL 60 0 0 GTCV OPERATOR",
        "2 3 NEWO 72.00 BUYI 5 5 5 DAVY",
        "2 3 CAME 72.00 BUYI 5 0 0 DAVY USER_REQUESTED",
        "2 4 NEWO 71.00 BUYI 7 7 7 DAVY",
        "2 REMO 71.00 BUYI 0 INVALID_QUANTITY",
        "2 4 EXPI 71.00 BUYI 7 0 0 DAVY END_OF_DAY",
    ]
    # The carried order has its time of the day before until it takes another place in the queue.
    times = [row[column("priority time stamp")] for row in rows[2:5]]
    assert times == ["2025-08-11T01:31:00.250000000Z"] * 2 + ["2025-08-12T01:33:00.000000000Z"]
    assert {row[column("date of receipt")] for row in rows[2:6]} == {"2025-08-11"}
    trade = [row[column("transaction id")] for row in rows[1:3]]
    assert trade[0] == trade[1] == rows[1][column("sequence number")]
    assert [row[column("order status")] for row in rows[:3]] == ["ACTI", "INAC", "ACTI"]
    assert [rows[0][name] for name in OWN] == ["2", "1", ""]
    whole = {name: value for name, value in rows[2].items() if value}
    assert {
        column("order book"): "CEA24",
        column("price currency"): "CNY",
        column("price notation"): "MONE",
    }.items() <= (whole.items())
    assert whole[column("trading phase")] == "CONTINUOUS"
    assert (whole[column("order type")], whole[column("order type classification")]) == ("LIMIT", "LMTO")
    assert (whole[column("self-execution prevention")], whole[column("passive only")]) == ("True", "False")
    run(*command, "2025-08-11")
    assert cut(written(path)) == ["1 1 NEWO 73.00 SELL 100 100 100 GTCV"]
    assert "1 rows (1 NEWO)" in run(*command, "2025-08-11").stdout
    assert "no trading day" in run(*command, "2025-08-13", code=1).stderr


def test_what_is_not_recorded_says_so(tmp_path: Path) -> None:
    with Diary(tmp_path / "data" / "journal", seee()) as diary:
        diary.open_day(TODAY)
    path = tmp_path / "orders.csv"
    run("replay", "orders", tmp_path / "data", "--csv", path, "--date", "2025-08-11", "--implementation", "reference")
    header = path.read_text("utf-8").splitlines()[0].split(",")
    assert [name.split(" ")[0] for name in FIELDS] == [str(number) for number in range(1, 52)]
    assert len(header) == len(COLUMNS) + 1  # one name has a comma
    missing = [int(name.split(" ")[0]) for name in FIELDS if name.endswith("[not recorded]")]
    assert missing == [2, 4, 5, 6, 7, 8, 11, 12, 16, 18, 25, 27, 30, 35, 40, 41, 42, 46, 47, 50, 51]


def accepted(order_type: OrderType, tif: TimeInForce = TimeInForce.DAY, flags: int = 0, **fields: int):
    given = {"order_id": 1, "side": 1, "instrument": 1, "price": 7_300, "quantity": 100, "remaining": 100}
    how = int(order_type) | int(tif) << 8 | int(SelfTrade.DEFAULT) << 16 | flags << 24
    return event(EventKind.ACCEPTED, aux2=how, command_sequence=5, timestamp=50, session=4, **(given | fields))


def steps(live: LiveOrders, *parts) -> list[tuple[str, int, int | None, int]]:
    """(code, remaining, shown, priority) after each event."""
    found = []
    for part in parts:
        for step in live.take(part):
            assert isinstance(step, Step)
            found.append((step.code, step.order.remaining, step.order.shown, step.order.priority))
    return found


def test_an_iceberg_is_refreshed_and_a_stop_triggered() -> None:
    iceberg = accepted(OrderType.ICEBERG)
    trade = event(EventKind.TRADE, aggressor=2, contra_order_id=1, quantity=20, contra_remaining=80, timestamp=60)
    refreshed = event(EventKind.REFRESHED, order_id=1, quantity=25, remaining=80, timestamp=60)
    again = event(EventKind.TRADE, aggressor=2, contra_order_id=1, quantity=10, contra_remaining=70, timestamp=70)
    assert steps(LiveOrders(), iceberg, trade, refreshed, again) == [
        ("NEWO", 100, None, 50),
        ("PARF", 80, None, 50),
        ("REMA", 80, 25, 60),
        ("PARF", 70, 15, 60),
    ]
    stop = accepted(OrderType.STOP_LIMIT)
    triggered = event(EventKind.TRIGGERED, order_id=1, price=7_350, timestamp=80, aux2=7_340)
    assert steps(LiveOrders(), stop, triggered) == [("NEWO", 100, None, 50), ("TRIG", 100, None, 80)]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"command_sequence": 9, "contra_session": 4}, "REME"),
        ({"command_sequence": 9, "contra_session": 7}, "REMA"),  # an operator's
        ({"command_sequence": 5, "contra_session": 4}, "REMA"),  # a rest that stays at the last price
    ],
)
def test_who_replaced(fields: dict[str, int], code: str) -> None:
    replaced = event(EventKind.REPLACED, order_id=1, price=7_290, quantity=100, remaining=40, timestamp=90, **fields)
    live = LiveOrders(operators=[0, 7])
    assert steps(live, accepted(OrderType.LIMIT), replaced)[1] == (code, 40, None, 90)


def test_decremented_orders_shrink_and_end() -> None:
    live = LiveOrders()
    maker = accepted(OrderType.LIMIT, order_id=2, quantity=30, remaining=30, flags=int(OrderFlag.POST_ONLY))
    both = event(EventKind.DECREMENTED, order_id=1, contra_order_id=2, quantity=30, remaining=70, timestamp=60)
    assert steps(live, accepted(OrderType.LIMIT), maker, both)[2:] == [("REMA", 70, None, 50), ("CAMO", 0, None, 50)]
    assert [(o.order_id, o.quantity) for o in live.orders.values()] == [(1, 70)]
