"""Two-sided quotes on the EEX spot preset: handles, the two numbers of a quote, and commands that come twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.control import OpenSession, SetPhase
from engine.schema import EVENT, CommandArray, CommandKind, EventFlag, EventKind, Phase, Reason, commands
from gateway import wire
from gateway.aio import AsyncClient
from gateway.duplicates import LOOKUPS_PER_SECOND
from gateway.errors import InvalidCommand, OrderRefused
from gateway.numbers import MAX_NUMBER, fresh, numbered
from gateway.orders import Status
from gateway.quotes import QuoteHandle
from gateway.recent import Recent
from gateway.server import background
from gateway.wire import FrameType
from tests.gateway.floors import Floor, floor, floor_config, members
from tests.gateway.servers import RawClient, local, server_process

pytestmark = pytest.mark.nojit
MORNING = "2025-08-11T09:00:00+02:00"
OPENING = members(3, cash=10_000_000_000, units=1_000_000)


@pytest.fixture
def eex(tmp_path: Path) -> Iterator[Floor]:
    with floor(tmp_path, "eex-spot", MORNING, OPENING) as running:
        yield running


def quote(number: int, bid: tuple[int, int] = (10, 6_990), offer: tuple[int, int] = (10, 7_010)) -> CommandArray:
    """A raw QUOTE of account 1 as (lots, ticks)."""
    made = commands(1)
    made["kind"], made["client_order_id"], made["instrument"], made["account"] = CommandKind.QUOTE, number, 1, 1
    made["quantity"], made["price"] = bid
    made["quantity2"], made["price2"] = offer
    return made


def cancel(number: int, target: int = 1) -> CommandArray:
    made = commands(1)
    made["kind"], made["client_order_id"], made["target"] = CommandKind.CANCEL_ORDER, number, target
    return made


def sides(handle: QuoteHandle) -> list[tuple[int, int, int, str]]:
    return [(o.client_order_id, o.ticks, o.remaining, o.status.value) for o in handle.orders]


def test_a_quote_is_entered_replaced_and_withdrawn(eex: Floor) -> None:
    one, two, _ = eex.firms
    first = one.quote("EUA", bid=(10, "69.90"), offer=(10, "70.10")).wait()
    number = first.client_order_id
    assert sides(first) == [(number, 6_990, 10, "live"), (number + 1, 7_010, 10, "live")]
    assert (one.last_client_order_id, one.acknowledged) == (number + 1, number + 1)
    two.place("EUA", "buy", 4, "70.10").wait()
    one.wait_until(lambda: first.offer is not None and first.offer.filled == 4, 5)
    # The bid moves, the offer is cut to what is left of it at its price: it keeps its place and its handle.
    second = one.quote("EUA", bid=(8, "69.95"), offer=(5, "70.10")).wait()
    assert second.client_order_id == number + 2
    assert first.bid is not None and first.offer is not None
    assert (first.bid.status, first.bid.ended_by) == (Status.CANCELLED, Reason.QUOTE_REPLACED)
    assert second.offer is first.offer
    assert sides(second) == [(number + 2, 6_995, 8, "live"), (number + 1, 7_010, 5, "partially filled")]
    assert [(o.quote, o.remaining) for o in one.open_orders()] == [(True, 5), (True, 8)]
    order = one.place("EUA", "buy", 1, "69.00").wait()
    assert order.client_order_id == number + 4
    # Only a bid: the offer ends.
    third = one.quote("EUA", bid=(8, "69.95")).wait()
    assert (third.offer, third.bid) == (None, second.bid)
    assert second.offer.wait_done().ended_by == Reason.QUOTE_REPLACED
    gone = third.withdraw().wait()
    assert (gone.done, gone.orders, third.wait_done().done) == (True, [], True)
    assert third.bid is not None and third.bid.ended_by == Reason.QUOTE_REPLACED
    with pytest.raises(OrderRefused) as nothing:
        one.withdraw_quote("EUA").wait()
    assert nothing.value.reason == Reason.UNKNOWN_ORDER
    assert [o.client_order_id for o in one.open_orders()] == [order.client_order_id]


def test_a_refused_quote_ends_both_handles_and_its_numbers(eex: Floor) -> None:
    one = eex.firms[0]
    refused = one.quote("EUA", bid=(10, "70.10"), offer=(10, "70.00"))
    with pytest.raises(InvalidCommand) as crossed:
        refused.wait()
    assert crossed.value.reason == Reason.INVALID_COMBINATION
    assert [o.status for o in refused.orders] == [Status.REJECTED] * 2
    assert one.place("EUA", "buy", 1, "69.00").wait().client_order_id == refused.client_order_id + 2
    with pytest.raises(TypeError):
        one.quote("EUA")


def test_sides_that_trade_at_once(eex: Floor) -> None:
    one, two, _ = eex.firms
    resting = two.place("EUA", "sell", 3, "70.00").wait()
    made = one.quote("EUA", bid=(5, "70.00"), offer=(5, "70.20")).wait()
    assert sides(made) == [(1, 7_000, 2, "partially filled"), (2, 7_020, 5, "live")]
    assert resting.wait_done().filled == 3
    one.mass_cancel().wait()
    assert made.wait_done().done


def test_another_session_of_the_firm_takes_a_quote_over(eex: Floor) -> None:
    one = eex.firms[0]
    eex.ops.control(OpenSession(1, "DESK"))
    first = one.quote("EUA", bid=(10, "69.90"), offer=(10, "70.10")).wait()
    with local(eex.server.config, "DESK") as desk:
        second = desk.quote("EUA", bid=(6, "69.90"), offer=(10, "70.05")).wait()
        assert second.bid is not None and first.bid is not None and first.offer is not None
        assert (second.bid.order_id, second.bid.remaining) == (first.bid.order_id, 6)
        assert first.offer.wait_done().ended_by == Reason.QUOTE_REPLACED
        assert (first.bid.remaining, first.bid.status) == (6, Status.LIVE)
        copies = one.poll()
        assert copies["contra_client_order_id"].tolist() == [0] * len(copies)


def test_numbers_of_a_frame() -> None:
    one = np.concatenate([quote(5), cancel(6), cancel(7), quote(7), cancel(8), quote(9)])
    assert fresh(one, 4).tolist() == [True, False, True, False, True, True]
    assert fresh(one, 5).tolist() == [False, True, True, False, True, True]
    assert fresh(np.concatenate([cancel(3), quote(4), cancel(6)]), 2).all()
    assert fresh(quote(MAX_NUMBER), 5).tolist() == [False]
    assert fresh(cancel(MAX_NUMBER), 5).tolist() == [True]
    assert numbered(one, 11)["client_order_id"].tolist() == [11, 13, 14, 15, 17, 18]


def test_quotes_that_come_twice(tmp_path: Path) -> None:
    """From memory, and after kill -9 from the journal: the original events, or a refusal, never a second effect."""
    configuration = floor_config(tmp_path, "eex-spot", MORNING, OPENING)
    with server_process(tmp_path, configuration) as server, RawClient(configuration.ipc_endpoint, "S1") as raw:
        raw.socket.send(wire.pack_commands(np.concatenate([cancel(1, 99), quote(5), cancel(7, 99)])))
        records = wire.unpack_events(raw.expect(FrameType.EVENTS))
        assert records[0][3] == 7  # every number up to the cancel's
        original = records[1][1:3]
        assert original["client_order_id"].tolist() == [5, 6]
        check_duplicates(raw, original)
        server.kill()
        with server_process(tmp_path, configuration):
            with RawClient(configuration.ipc_endpoint) as again:
                assert again.logon("S1").last_client_order_id == 7
                check_duplicates(again, original)
            with local(configuration, "S1") as client:
                assert len(client.open_orders()) == 2


def test_a_quote_of_long_ago_is_found_in_the_journal(eex: Floor) -> None:
    eex.ops.control(OpenSession(1, "DESK"))
    with RawClient(eex.server.config.ipc_endpoint, "DESK") as raw:
        raw.socket.send(wire.pack_commands(np.concatenate([cancel(1, 99), quote(5), cancel(7, 99)])))
        original = wire.unpack_events(raw.expect(FrameType.EVENTS))[1][1:3]
        eex.server.exchange.recent = Recent(1, 1)
        check_duplicates(raw, original, 2 / LOOKUPS_PER_SECOND)


def test_the_same_events_again_after_a_start(tmp_path: Path) -> None:
    """Quotes, a stop that a stranger's trade triggers, a call: RESUME gives the bytes that were first sent."""
    with floor(tmp_path, "eex-spot", MORNING, OPENING) as it:
        one, two, three = it.firms
        for client in it.firms:
            client.resume(0)  # what the opening told them
        one.quote("EUA", bid=(10, "69.90"), offer=(10, "70.10")).wait()
        stop = two.place("EUA", "buy", 20, "70.20", market=True, stop="70.10").wait()
        three.place("EUA", "buy", 4, "70.10").wait()
        assert stop.wait_done().ended_by == Reason.IOC_REMAINDER
        it.ops.control(SetPhase(int(Phase.CLOSE_CALL), 20250811))
        three.place("EUA", "sell", 3, "69.80").wait()
        it.ops.control(SetPhase(int(Phase.CONTINUOUS), 20250811))
        for client in it.firms:
            client.account()  # behind whatever the venue has told already
        first = [client.poll().tobytes() for client in it.firms]
        configuration = it.server.config
    with background(configuration):
        for name, told in zip(("S1", "S2", "S3"), first, strict=True):
            with local(configuration, name) as client:
                client.resume(0)
                client.wait_until(lambda c=client, t=told: c.waiting * EVENT.itemsize >= len(t), 5)
                assert client.poll().tobytes() == told


def check_duplicates(raw: RawClient, original: np.ndarray, pause: float = 0.0) -> None:
    """Both numbers of a quote again, as sent and otherwise; `pause` seconds between them, for lookups are rationed."""
    raw.socket.send(wire.pack_commands(quote(5)))
    copies = wire.unpack_events(raw.expect(FrameType.DUPLICATES))[1].copy()
    assert (copies["flags"] == EventFlag.POSSIBLE_DUPLICATE).all()
    copies["flags"] = 0
    assert copies.tobytes() == original.tobytes()
    for made, reason in (
        (quote(5, bid=(9, 6_990)), Reason.DUPLICATE_MISMATCH),
        (cancel(6), Reason.DUPLICATE_MISMATCH),
        (quote(6), Reason.DUPLICATE_MISMATCH),
        (cancel(4), Reason.STALE_CLIENT_ORDER_ID),
        (quote(MAX_NUMBER), Reason.STALE_CLIENT_ORDER_ID),
    ):
        time.sleep(pause)
        raw.socket.send(wire.pack_commands(made))
        answer = wire.unpack_events(raw.expect(FrameType.DUPLICATES))[1]
        assert [(int(e["kind"]), Reason(int(e["reason"]))) for e in answer] == [(EventKind.REJECTED, reason)]


def test_the_asyncio_twin(eex: Floor) -> None:
    eex.ops.control(OpenSession(2, "DESK"))

    async def trade() -> None:
        async with await AsyncClient.connect(eex.server.config.ipc_endpoint, session="DESK") as two:
            made = await two.wait(two.quote("EUA", bid=(10, "69.90"), offer=(10, "70.10")))
            stop = await two.wait(two.place("EUA", "buy", 1, "70.50", stop="70.10"))
            eex.firms[0].place("EUA", "buy", 10, "70.10").wait()
            await two.wait_triggered(stop)
            assert (stop.status, (await two.ask(lambda c: c.indicative("EUA"))).price) == (Status.LIVE, None)
            await two.wait(two.withdraw_quote("EUA"))
            assert (await two.wait_done(made)).done

    asyncio.run(trade())
