"""kill -9 at random moments under load: what was acknowledged is there, nothing is there twice.

Fifty kills by default; `CARBONBOOK_KILLS` asks for another number, `CARBONBOOK_SEED` for other moments.
"""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import numpy as np
import pytest

from engine.schema import EventKind
from gateway.directory import Directory
from gateway.routing import for_session
from replay import JournalReader, verify
from tests.gateway.builders import limit
from tests.gateway.servers import ServerProcess, config, local

KILLS = int(os.environ.get("CARBONBOOK_KILLS", "50"))
SEED = int(os.environ.get("CARBONBOOK_SEED", "20251123"))


@pytest.mark.slow
def test_kill_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    served = config(tmp_path)
    received: list[np.ndarray] = []
    told = 0
    server = ServerProcess(tmp_path, served).ready()
    client = local(served)
    try:
        for round_number in range(KILLS):
            killer = threading.Timer(chance.uniform(0.0, 0.25), server.process.kill)
            killer.start()
            while server.process.poll() is None:
                client.submit(limit(0, price=chance.randint(6_000, 7_000), count=chance.choice([1, 1, 7, 64])))
                received.append(client.poll(0.001))
            killer.join()
            server.kill()
            told = max(told, client.acknowledged)
            server = ServerProcess(tmp_path, served).ready()
            client.wait_until(lambda: client.acknowledged == client.last_client_order_id, 20, f"round {round_number}")
            received.append(client.poll())
        orders = client.open_orders()
        client.close()
        assert server.stop() == 0
    finally:
        if server.process.poll() is None:
            server.kill()
    sent = client.last_client_order_id
    assert [order.client_order_id for order in orders] == list(range(1, sent + 1)), f"seed {SEED}"
    got = np.concatenate(received)
    assert (np.diff(got["sequence"]) > 0).all()
    assert got["client_order_id"].tolist() == list(range(1, sent + 1))
    assert set(got["kind"]) == {EventKind.ACCEPTED}
    journaled = np.concatenate(list(JournalReader(tmp_path / "data/journal").events(1)))
    assert for_session(journaled, 1, Directory.of(journaled)).tobytes() == got.tobytes()
    assert 0 < told <= sent
    assert verify(tmp_path / "data/journal", "reference").ok
