"""The SDK's example, its asyncio twin and its promises about itself."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from engine.schema import Reason
from gateway import example
from gateway.aio import AsyncClient
from gateway.errors import OrderRefused
from gateway.server import background
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
