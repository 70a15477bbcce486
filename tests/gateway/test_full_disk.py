"""A disk that fills up under a running server: cancels only, then an orderly stop; freed space brings orders back."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.control import EndDay, SetPhase
from engine.schema import EventKind, Phase, TimeInForce
from gateway.cli import cli
from gateway.client import Client
from gateway.config import Config
from gateway.errors import ClientError, VenueDraining
from gateway.orders import Status
from replay import JournalReader, NoteKind, verify
from tests.gateway.builders import limit
from tests.gateway.servers import ServerProcess, config, funded, local

SEGMENT = 64 << 10
OPEN = "2025-08-11T10:00:00+08:00"


class FullDisk:
    """A server process with small journal files, on a disk that can be made full."""

    def __init__(self, folder: Path, served: Config) -> None:
        self.config = served
        self.flag = folder / "disk-is-full"
        self.server = ServerProcess(folder, served, "tests.gateway.full_disk", str(self.flag)).ready()

    def fill(self, client: Client, state: str) -> None:
        """Send orders on a full disk until the venue's status is `state`."""
        self.flag.touch()
        deadline = time.monotonic() + 20
        while client.status().accepts != state:
            assert time.monotonic() < deadline, client.status()
            client.submit(limit(0, price=6_000, tif=TimeInForce.IOC, count=20))
            client.poll(0.01)


def sealed(disk: FullDisk) -> None:
    """The journal is whole and its last word is the seal."""
    folder = Path(disk.config.data) / "journal"
    verify(folder)
    last = list(JournalReader(folder).batches())[-1]
    assert [note.kind for note in last.notes] == [NoteKind.SEAL]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[FullDisk]:
    started = FullDisk(tmp_path, config(tmp_path, segment_bytes=SEGMENT, queries_per_second=10_000))
    yield started
    if started.server.process.poll() is None:
        started.server.kill()


def test_orders_are_refused_and_cancels_taken_until_there_is_room(disk: FullDisk) -> None:
    with local(disk.config) as alpha:
        order = alpha.place("X1", "buy", 1, "70.00").wait()
        alpha.place("X1", "buy", 1, "69.00").wait()
        disk.fill(alpha, "cancels")
        before = alpha.status()
        refused = alpha.place("X1", "buy", 1, "70.00")
        with pytest.raises(VenueDraining, match="takes cancels and no orders"):
            refused.wait()
        assert refused.status is Status.REJECTED
        with pytest.raises(VenueDraining):
            order.replace(quantity=2).wait()
        after = alpha.status()
        # Nothing of it was journaled, and the numbers may be used again.
        assert (after.command_sequence, after.event_sequence) == (before.command_sequence, before.event_sequence)
        assert after.sessions[0].drained == before.sessions[0].drained + 2
        order.cancel().wait()
        assert int(alpha.mass_cancel().wait().events[-1]["quantity"]) == 1
        assert alpha.open_orders() == []

        disk.flag.unlink()
        alpha.wait_until(lambda: alpha.status().accepts == "orders", 5, "room")
        assert alpha.place("X1", "buy", 1, "70.00").wait().order_id > 0
    assert disk.server.stop() == 0
    said = "\n".join(disk.server.lines)
    assert said.index("The disk is full: orders are refused, cancels are taken") < said.index("The disk has room again")
    sealed(disk)


def test_the_venue_stops_in_order_before_the_last_room_is_used(disk: FullDisk) -> None:
    alpha = local(disk.config, reconnect_timeout=1.0)
    alpha.place("X1", "buy", 1, "70.00").wait()
    disk.fill(alpha, "cancels")
    sent = 0
    with pytest.raises(ClientError):  # the connection ends
        while True:
            alpha.mass_cancel().wait()
            sent += 1
    alpha.close(logout=False)
    assert disk.server.process.wait(10) == 7
    disk.server.stop()
    assert sent > 10
    assert "the venue stops now" in "\n".join(disk.server.lines)
    sealed(disk)
    assert not list(Path(disk.config.data).glob("post-mortem-*"))
    disk.flag.unlink()
    again = FullDisk(disk.flag.parent, disk.config)
    with local(disk.config) as client:
        assert client.logon.last_client_order_id == alpha.acknowledged
        client.place("X1", "buy", 1, "70.00").wait()
    assert again.server.stop() == 0


def test_the_day_can_be_ended_on_a_full_disk(tmp_path: Path) -> None:
    served = config(
        tmp_path, segment_bytes=SEGMENT, queries_per_second=10_000, venue="seee", opening=funded(), start_time=OPEN
    )
    disk = FullDisk(tmp_path, served)
    try:
        with local(served, "S1", reconnect_timeout=2) as firm, local(served, "OPS", reconnect_timeout=2) as operator:
            disk.fill(firm, "cancels")
            events = operator.control(EndDay())
            assert EventKind.SETTLED in events["kind"]
            with pytest.raises(VenueDraining):
                firm.place("CEA24", "buy", 1, "73.20").wait()
            operator.control(SetPhase(int(Phase.CLOSED), 20250812))
            assert operator.status().accepts == "cancels"
    finally:
        code = disk.server.stop()
    assert code == 0, disk.server.lines


def test_status_on_the_command_line(disk: FullDisk) -> None:
    with local(disk.config) as alpha:
        disk.fill(alpha, "cancels")
    where = ["--connect", disk.config.ipc_endpoint, "--data", disk.config.data]
    for group, session in (("client", "ALPHA"), ("operate", "OPS")):
        text = CliRunner().invoke(cli, [group, "status", "--session", session, *where]).stdout
        assert "CANCELS ONLY" in text and "ALPHA" in text
        told = json.loads(CliRunner().invoke(cli, [group, "status", "--session", session, *where, "--json"]).stdout)
        assert told["accepts"] == "cancels"
        assert [s["name"] for s in told["sessions"]] == (["ALPHA", "BETA", "OPS"] if session == "OPS" else ["ALPHA"])
        assert bool(told["counters"]) == (session == "OPS")
    place = ["client", "place", "X1", "buy", "1", "70", "--session", "ALPHA", *where]
    result = CliRunner().invoke(cli, place)
    assert (result.exit_code, "VENUE_DRAINING (118)" in result.output) == (1, True)
