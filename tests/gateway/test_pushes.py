"""What a firm is told without having asked: every field of every pushed copy typed in, and the same by resume.

Firm 1: account 1, sessions 11 and 12. Firm 2: account 2, sessions 21 and (opened by event 105) 22. Session 9: operator.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.control import AllocateUnits, BustTrade, MoveCash, OpenSession, PlaceHold, RealiseHold, SetObligation
from engine.schema import EventArray, EventKind, HoldType, Mode, Reason, Role, Side
from gateway.client import Client
from gateway.directory import Directory
from gateway.server import Server, background
from tests.gateway.halls import afternoon
from tests.gateway.servers import funded, local
from tests.gateway.test_routing import event, events, shown, told

pytestmark = pytest.mark.nojit
K = EventKind
OPS = 9
CEA24 = 5


def directory(second_opened: int = 5) -> Directory:
    opened = [
        event(K.ACCOUNT_OPENED, account=1, aux=1, sequence=1),
        event(K.SESSION_OPENED, aux=11, aux2=1, quantity=int(Role.TRADER), sequence=2),
        event(K.SESSION_OPENED, aux=12, aux2=1, quantity=int(Role.READER), sequence=3),
        event(K.ACCOUNT_OPENED, account=2, aux=2, sequence=4),
        event(K.SESSION_OPENED, aux=21, aux2=2, quantity=int(Role.TRADER), sequence=4),
        event(K.SESSION_OPENED, aux=22, aux2=2, quantity=int(Role.TRADER), sequence=second_opened),
        event(K.SESSION_OPENED, aux=OPS, aux2=1, quantity=int(Role.OPERATOR), sequence=7),
    ]
    return Directory.of(np.concatenate(opened))


def test_an_allocation_goes_to_the_firm() -> None:
    made = event(K.UNITS_ALLOCATED, quantity=CEA24, account=1, remaining=2024, aux=500, aux2=700, session=OPS)
    made["client_order_id"] = 33
    facts = {"quantity": CEA24, "account": 1, "remaining": 2024, "aux": 500, "aux2": 700}
    assert told(events(made), directory()) == {
        OPS: [(K.UNITS_ALLOCATED, facts | {"session": OPS, "client_order_id": 33})],
        11: [(K.UNITS_ALLOCATED, facts | {"session": 11})],
        12: [(K.UNITS_ALLOCATED, facts | {"session": 12})],
    }


@pytest.mark.parametrize(
    "kind",
    [
        *(K.CASH_MOVED, K.UNITS_MOVED, K.OBLIGATION_SET, K.UNITS_SURRENDERED, K.UNITS_CANCELLED),
        *(K.UNITS_CARRIED_OVER, K.HOLD_RELEASED, K.OBLIGATION_OVERDUE),
        *(K.AUCTION_SECURED, K.AUCTION_CANCELLED),
    ],
)
def test_by_the_owner_or_the_venue(kind: EventKind) -> None:
    """A session that asked itself has its answer; the firm's others are pushed it. Without a session all are."""
    made = event(kind, account=1, order_id=4, aux=-500, session=11, client_order_id=8)
    facts = {"account": 1, "order_id": 4, "aux": -500}
    assert told(events(made), directory()) == {
        11: [(kind, facts | {"session": 11, "client_order_id": 8})],
        12: [(kind, facts | {"session": 12})],
    }
    made["session"] = made["client_order_id"] = 0
    assert told(events(made), directory()) == {n: [(kind, facts | {"session": n})] for n in (11, 12)}


def test_a_pledge_goes_to_both_firms() -> None:
    facts = {"side": int(HoldType.PLEDGE), "account": 1, "contra_account": 2, "order_id": 4, "quantity": 900}
    facts |= {"remaining": 900, "aux": CEA24, "aux2": 47}
    for kind in (K.HOLD_PLACED, K.HOLD_RELEASED):
        assert told(events(event(kind, **facts, session=OPS, client_order_id=3)), directory()) == {
            OPS: [(kind, facts | {"session": OPS, "client_order_id": 3})],
            **{n: [(kind, facts | {"session": n})] for n in (11, 12, 21, 22)},
        }


def test_a_receiver_of_realised_units_sees_its_own_part() -> None:
    facts = {"side": int(HoldType.JUDICIAL), "order_id": 4, "quantity": 300, "contra_account": 2, "aux": CEA24}
    whole = facts | {"account": 1, "remaining": 600, "aux2": 47}
    found = told(events(event(K.HOLD_REALISED, **whole, session=OPS)), directory())
    assert found[11] == [(K.HOLD_REALISED, whole | {"session": 11})]
    assert found[21] == [(K.HOLD_REALISED, facts | {"session": 21})]
    assert found[OPS] == [(K.HOLD_REALISED, whole | {"session": OPS})]


def test_a_cancelled_trade_comes_in_halves() -> None:
    terms = {"side": int(Mode.LISTED), "instrument": CEA24, "price": 7_300, "quantity": 10, "order_id": 88}
    made = event(K.TRADE_BUSTED, **terms, account=2, contra_account=1, aux=73_000, aux2=10, session=OPS)
    found = told(events(made), directory())
    assert found[21] == [(K.TRADE_BUSTED, terms | {"account": 2, "aux": 73_000, "session": 21})]
    assert found[12] == [(K.TRADE_BUSTED, terms | {"account": 1, "aux2": 10, "session": 12})]
    assert set(found) == {OPS, 11, 12, 21, 22}
    made["contra_account"] = 2  # with itself
    both = told(events(made), directory())
    assert [copy for _, copy in both[21]] == [
        terms | {"account": 2, "aux": 73_000, "session": 21},
        terms | {"account": 2, "aux2": 10, "session": 21},
    ]
    assert set(both) == {OPS, 21, 22}


def test_negotiations_reach_the_named_counterparty() -> None:
    terms = {"side": int(Side.SELL), "instrument": CEA24, "price": 7_000, "quantity": 200_000, "order_id": 6}
    terms |= {"account": 1, "contra_account": 2}
    offer = event(K.BLOCK_OFFERED, **terms, remaining=200_000, aux=200_000, aux2=99, session=11, client_order_id=5)
    pushed = terms | {"remaining": 200_000, "aux2": 99}
    assert told(events(offer), directory()) == {
        11: [(K.BLOCK_OFFERED, pushed | {"aux": 200_000, "session": 11, "client_order_id": 5})],
        **{n: [(K.BLOCK_OFFERED, pushed | {"session": n})] for n in (21, 22)},
    }
    public = offer.copy()
    public["contra_account"] = 0
    assert set(told(events(public), directory())) == {11}
    ended = event(K.BLOCK_ENDED, **terms, aux=200_000, reason=int(Reason.END_OF_DAY), session=11, client_order_id=5)
    found = told(events(ended), directory())
    assert found[21] == [(K.BLOCK_ENDED, terms | {"reason": int(Reason.END_OF_DAY), "session": 21})]
    assert set(found) == {11, 21, 22}
    # 2 counters by session 21: 11, whose terms stood, is told as before, 12 for the firm.
    counter = event(K.BLOCK_COUNTERED, **terms, aux=14, aux2=200_000, session=21, contra_session=11)
    counter["account"], counter["contra_account"] = 2, 1
    counter["client_order_id"], counter["contra_client_order_id"] = 70, 5
    swapped = terms | {"account": 2, "contra_account": 1}
    assert told(events(counter), directory()) == {
        11: [(K.BLOCK_COUNTERED, swapped | {"aux2": 200_000, "session": 11, "client_order_id": 5})],
        12: [(K.BLOCK_COUNTERED, swapped | {"aux2": 200_000, "session": 12})],
        21: [(K.BLOCK_COUNTERED, swapped | {"aux": 14, "session": 21, "client_order_id": 70})],
    }


def test_a_session_is_told_from_its_opening_on() -> None:
    """`events` numbers them from 100 on: session 22 is opened by event 105."""
    moved = [event(K.CASH_MOVED, account=2, aux=n, session=OPS) for n in range(1, 9)]
    found = told(events(*moved), directory(105))
    assert [copy["aux"] for _, copy in found[21]] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [copy["aux"] for _, copy in found[22]] == [7, 8]


# --- through the socket -----------------------------------------------------------------------------------------------


def kinds(records: EventArray) -> list[str]:
    return [K(int(kind)).name for kind in records["kind"]]


def everything(ops: Client, one: Client, two: Client) -> None:
    """What concerns firm 1 without its doing, and in the end an order of its own."""
    ops.control(AllocateUnits(1, CEA24, 500, 2024))
    ops.control(SetObligation(1, 2024, 400))
    ops.control(PlaceHold(int(HoldType.PLEDGE), 1, CEA24, 100, creditor=2))
    ops.control(RealiseHold(1, 40, receiver=2, creditor=2))
    ops.control(MoveCash(1, 1, 5_000))
    two.block_withdraw(two.block_offer(CEA24, "buy", 100_000, "70.00", counterparty=1).wait()).wait()
    one.place(CEA24, "sell", 10, "73.00").wait()
    bought = two.place(CEA24, "buy", 10, "73.00").wait_done()
    trade = next(int(e["sequence"]) for e in bought.events if e["kind"] == K.TRADE)
    ops.control(BustTrade(trade, int(Mode.LISTED), CEA24, 2, 1, 7_300, 10, 20250811, "test"))


EXPECTED = [
    *("UNITS_ALLOCATED", "OBLIGATION_SET", "HOLD_PLACED", "HOLD_REALISED", "CASH_MOVED"),
    *("BLOCK_OFFERED", "BLOCK_ENDED", "ACCEPTED", "TRADE", "TRADE_BUSTED"),
]


def drain(client: Client, count: int) -> EventArray:
    client.wait_until(lambda: client.waiting >= count, 5)
    return client.poll()


def test_a_firm_is_told_and_told_the_same_again(tmp_path: Path) -> None:
    served = afternoon(tmp_path, opening=(*funded(2), OpenSession(1, "S1B")))
    with background(served) as server:
        first, second = told_live(server)
    assert kinds(first) == EXPECTED
    assert kinds(second) == [kind for kind in EXPECTED if kind not in ("ACCEPTED", "TRADE")]
    assert [int(s) for s in np.unique(first["session"])] == [1]
    with background(served) as server, local(server.config, "S1") as one, local(server.config, "S1B") as other:
        # Started anew: the records come from the journal, the start's history says where each stream ends.
        for client, before in ((one, first), (other, second)):
            assert client.logon.last_event == int(before["sequence"][-1])
            client.resume(int(before["sequence"][0]) - 1)
            assert drain(client, len(before)).tobytes() == before.tobytes()


def told_live(server: Server) -> tuple[EventArray, EventArray]:
    """(what session S1 is sent, what the firm's other session S1B is sent), live; resume brings the same bytes."""
    with (
        local(server.config, "S1") as one,
        local(server.config, "S1B") as other,
        local(server.config, "S2") as two,
        local(server.config, "OPS") as ops,
    ):
        everything(ops, one, two)
        mine, firms = drain(one, len(EXPECTED)), drain(other, len(EXPECTED) - 2)
        for client, before in ((one, mine), (other, firms)):
            client.resume(int(before["sequence"][0]) - 1)
            assert drain(client, len(before)).tobytes() == before.tobytes()
        return mine, firms


def test_pushes_leave_handles_alone(tmp_path: Path) -> None:
    """A hold, an obligation, a negotiation may have the number of an order."""
    with (
        background(afternoon(tmp_path)) as server,
        local(server.config, "S1") as one,
        local(server.config, "S2") as two,
        local(server.config, "OPS") as ops,
    ):
        order = one.place("CEA24", "sell", 10, "73.00").wait()
        assert order.order_id == 1
        ops.control(SetObligation(1, 2024, 400))
        ops.control(PlaceHold(int(HoldType.JUDICIAL), 1, CEA24, 5))
        offer = two.block_offer("CEA24", "buy", 100_000, "70.00", counterparty=1).wait()
        two.block_withdraw(offer).wait()
        found = drain(one, 5)
        assert kinds(found) == ["ACCEPTED", "OBLIGATION_SET", "HOLD_PLACED", "BLOCK_OFFERED", "BLOCK_ENDED"]
        assert [int(e["order_id"]) for e in found] == [1, 1, 1, 1, 1]
        assert [shown(e).get("client_order_id", 0) for e in found[1:]] == [0, 0, 0, 0]
        assert (order.status.value, len(order.events), order.remaining) == ("live", 1, 10)
