"""The SDK's example, its asyncio twin and its promises about itself."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.schema import Reason
from gateway import example, wire
from gateway.aio import AsyncClient
from gateway.errors import InvalidCommand, OrderRefused
from gateway.server import Server, background
from gateway.wire import FrameType, QueryKind
from tests.gateway.servers import config, funded, local


def test_the_example_runs(tmp_path: Path) -> None:
    served = config(tmp_path, venue="seee", opening=funded(), start_time="2025-08-11T10:00:00+08:00")
    with background(served), local(served, "S1") as client:
        assert example.run(client, "CEA24") == "cancelled: 0 of 20 at None"


def test_the_asyncio_twin(tmp_path: Path) -> None:
    served = config(tmp_path)

    async def trade() -> None:
        async with (
            await AsyncClient.connect(served.ipc_endpoint, session="ALPHA", heartbeat_ms=200) as alpha,
            await AsyncClient.connect(served.ipc_endpoint, session="BETA", heartbeat_ms=200) as beta,
        ):
            ask = await alpha.wait(alpha.place("X1", "sell", 3, "70.00"))
            await asyncio.sleep(1.0)  # heartbeats go on while the program is elsewhere
            bid = await beta.wait_done(beta.place("X1", "buy", 3, "70.00"))
            await alpha.wait_done(ask)
            assert (ask.filled, bid.filled) == (3, 3)
            with pytest.raises(OrderRefused) as caught:
                await alpha.wait(alpha.cancel(ask))
            assert caught.value.reason == Reason.UNKNOWN_ORDER
            assert (await alpha.ask(lambda c: c.day("X1"))).volume == 3
            assert len(await alpha.poll()) == 3
            async for event in beta.events():
                assert event["client_order_id"] == 1
                break

    with background(served):
        asyncio.run(trade())


def test_the_client_needs_no_engine() -> None:
    code = (
        "import sys, gateway.client, gateway.aio\n"
        "loaded = [m for m in sys.modules if m.split('.')[0] in ('numba', 'replay') "
        "or m in ('engine.core', 'engine.kernel', 'engine.reference')]\n"
        "print(loaded)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_asking_leaves_the_event_loop_to_others(tmp_path: Path) -> None:
    served = config(tmp_path)

    async def ask(server: Server) -> None:
        async with await AsyncClient.connect(served.ipc_endpoint, session="ALPHA") as alpha:
            await alpha.wait(alpha.place("X1", "buy", 3, "70.00"))
            answer, ticks = server.service.answer_queries, 0

            def slowly() -> None:
                if time.monotonic() > begun + 0.4:
                    answer()

            begun = time.monotonic()
            server.service.answer_queries = slowly  # type: ignore[method-assign]
            asked = asyncio.gather(alpha.ask(lambda c: (c.book("X1"), c.day("X1"))), alpha.ask(lambda c: c.status()))
            while not asked.done():
                await asyncio.sleep(0.01)
                ticks += 1
            (book, day), status = await asked
            assert (book.bids[0].quantity, day.symbol, status.sessions[0].name) == (3, "X1", "ALPHA")
            assert ticks > 15
            with pytest.raises(InvalidCommand):
                await alpha.ask(lambda c: c.book("X9"))
            with pytest.raises(InvalidCommand):
                await alpha.ask(lambda c: c.account(99))

    with background(served) as server:
        asyncio.run(ask(server))


def test_the_client_knows_the_venues_time(tmp_path: Path) -> None:
    served = config(tmp_path, clock_rate=60, start_time="2025-08-11T10:00:00+08:00")
    with background(served) as server, local(served, heartbeat_ms=200) as client:
        for _ in range(3):
            before = server.exchange.clock.peek()
            shown = client.journal_time
            after = server.exchange.clock.peek()
            assert before - 60 * 50_000_000 < shown < after + 60 * 50_000_000
            client.poll(0.3)
        client._link._go_down()
        stopped = client.journal_time
        time.sleep(0.05)
        assert client.journal_time == stopped >= shown
        client.wait_until(lambda: client.connected, 5)
        assert client.journal_time >= stopped


def test_a_question_outlives_its_connection(tmp_path: Path) -> None:
    """What was asked of a connection that is gone is asked again after the next logon."""
    served = config(tmp_path)
    with background(served), local(served, "ALPHA") as client:
        link = client._link
        token = link.ask(FrameType.QUERY, wire.Query(int(QueryKind.BOOK), 1))
        link._go_down()  # the answer comes to a closed socket
        found: list[object] = []

        def answered() -> bool:
            found.append(link.take_answer(token))
            return found[-1] is not None

        client.wait_until(answered, 20)
        client._link.forget(token)
        link._go_down()
        assert client.book("X1").bids == ()  # and nothing stays behind
        assert link._questions == {}
