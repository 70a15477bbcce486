"""The day from beginning to end: starts the processes, kills two of them, compares, replays."""

from __future__ import annotations

import queue
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import msgspec

from engine.schema import Reason
from gateway.demo import rejects
from gateway.demo.children import Child, Said
from gateway.demo.plan import (
    EXTRA,
    FIRMS,
    KILL_CLIENT,
    KILL_SERVER,
    TRADERS,
    VENUE_SESSIONS,
    Plan,
    firm_sessions,
    local,
    moment,
)
from gateway.demo.screen import Screen
from gateway.security import create_server_keys, create_session_keys

PATIENCE: Final = 150.0
"""Seconds of waiting for any one thing after which the demonstration has failed."""
COMPILING: Final = 600.0
CLIENTS: Final = (*TRADERS, "desk", "provoker", "watch")
VICTIM: Final = "traders A"


class DemoFailed(Exception):
    """Something did not happen, or not as it should."""


class Conductor:
    """Runs the processes and keeps what they report.

    Attributes:
        faults: what differs, one line each; the demonstration is good when it stays empty.
        sessions: session -> its number, of all sessions whose records are logged.
        finals: what each client process said at its end.
        statement: the buyer's balances before and after.
        sealed: (commands, digest) as the server said at its end.
    """

    def __init__(self, plan: Plan, screen: Screen) -> None:
        self.plan = plan
        self.screen = screen
        self.faults: list[str] = []
        self.sessions: dict[str, int] = {}
        self.finals: dict[str, dict[str, Any]] = {}
        self.statement: dict[str, Any] = {}
        self.leveled: list[str] = []
        self.sealed = (0, "")
        self.composite_before = ""
        self.provoked: set[Reason] = set()
        self.refusals = 0
        self._inbox: queue.Queue[Said] = queue.Queue()
        self._children: list[Child] = []
        self._clients: dict[str, Child] = {}
        self._counts: dict[str, int] = {}
        self._rates: list[tuple[float, int]] = []
        self._over: Counter[str] = Counter()
        self._logged_on: Counter[str] = Counter()
        self._dealt = 0
        self._back: set[str] = set()
        self._server_lines: list[str] = []
        self._figures: dict[str, Any] = {}
        self._port = 0
        self._entered = False
        self._server: Child | None = None

    # --- processes ------------------------------------------------------------------------------------------------

    def spawn(self, name: str, module: str, *arguments: str, inbox: queue.Queue[Said] | None = None) -> Child:
        """Start one; `inbox` takes its reports in place of the conductor's own."""
        log = self.plan.root / "logs" / f"{name.replace(' ', '-')}.log"
        child = Child(name, [module, *arguments], inbox or self._inbox, log)
        self._children.append(child)
        return child

    def stop_all(self) -> None:
        """End every process that is still there."""
        for child in self._children:
            if child.running:
                child.terminate()
        for child in self._children:
            child.end()

    def wait_until(self, done: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
        """Take in reports until `done()`. Raises DemoFailed."""
        deadline = time.monotonic() + patience
        while not done():
            if time.monotonic() > deadline:
                raise DemoFailed(f"{what}: not within {patience:g} s")
            self.take_in(0.1)

    def take_in(self, timeout: float) -> None:
        """Handle what children have said."""
        self.screen.refresh()
        try:
            said = self._inbox.get(timeout=timeout)
        except queue.Empty:
            return
        while True:
            self._handle(said.child, said.report)
            try:
                said = self._inbox.get_nowait()
            except queue.Empty:
                return

    # --- reports --------------------------------------------------------------------------------------------------

    def _handle(self, child: Child, report: dict[str, Any]) -> None:
        handler = getattr(self, f"_on_{report['report'].replace(' ', '_')}")
        handler(child, report)

    def _on_line(self, child: Child, report: dict[str, Any]) -> None:
        if child is self._server:
            self._server_lines.append(report["text"])

    def _on_ended(self, child: Child, report: dict[str, Any]) -> None:
        if not child.expected_to_end and report["code"] != 0:
            last = " / ".join(self._server_lines[-3:]) if child is self._server else child.tail()
            raise DemoFailed(f"{child.name} ended with {report['code']}: {last}")

    def _on_warm(self, child: Child, report: dict[str, Any]) -> None:
        self._over["warm"] += 1

    def _on_logged_on(self, child: Child, report: dict[str, Any]) -> None:
        self.sessions |= report["sessions"]
        self._logged_on[child.name] += 1
        if self._logged_on[child.name] > 1:
            self.screen.event(
                f"{child.name} is back: {report['replayed']:,} records received again, byte for byte those of before;"
                f" {report['sent_again']} commands sent again",
                "green",
            )

    def _on_count(self, child: Child, report: dict[str, Any]) -> None:
        self._counts[child.name] = report["acknowledged"]
        now, total = time.monotonic(), sum(self._counts.values())
        self._rates = [(at, count) for at, count in self._rates if now - at < 2] + [(now, total)]
        span = now - self._rates[0][0]
        self.screen.rate = int((total - self._rates[0][1]) / span) if span > 0.5 else self.screen.rate
        self.screen.commands = total

    def _on_figures(self, child: Child, report: dict[str, Any]) -> None:
        self._figures = self.screen.figures = report
        self.composite_before = self.composite_before or report["composite"]

    def _on_dealt(self, child: Child, report: dict[str, Any]) -> None:
        self._dealt += 1
        self.screen.event(f"desk: {report['what']}", "dim")

    def _on_refused(self, child: Child, report: dict[str, Any]) -> None:
        self.refusals += 1
        self.provoked.add(Reason[report["expected"]])
        if report["got"] != report["expected"]:
            self.faults.append(f"{report['what']}: {report['expected']} was expected, {report['got']} came")

    def _on_duplicate(self, child: Child, report: dict[str, Any]) -> None:
        if not report["identical"]:
            self.faults.append("a command sent twice was not answered with the original records")

    def _on_stranger(self, child: Child, report: dict[str, Any]) -> None:
        self.screen.event(f"{report['what']}: {report['answer']}")
        if report["answer"] == "admitted":
            self.faults.append(f"{report['what']} was admitted")

    def _on_over(self, child: Child, report: dict[str, Any]) -> None:
        self._over[child.name] += 1

    def _on_back(self, child: Child, report: dict[str, Any]) -> None:
        self._back.add(child.name)
        self.screen.event(
            f"{child.name}: {report['sessions']} sessions back; of the commands without an answer"
            f" {report['found_done']} were found done, {report['sent_again']} are sent under their old numbers",
            "green",
        )

    def _on_leveled(self, child: Child, report: dict[str, Any]) -> None:
        self.leveled = report["deals"]
        self._over["leveled"] += 1

    def _on_statement(self, child: Child, report: dict[str, Any]) -> None:
        self.statement = report

    def _on_final(self, child: Child, report: dict[str, Any]) -> None:
        self.finals[child.name] = report
        if not report["no_engine"]:
            self.faults.append(f"{child.name} has loaded an engine; a client needs none")

    # --- the day --------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Keys, client processes and the kernel, all at once: the first compilation takes a minute."""
        plan, screen = self.plan, self.screen
        for folder in ("clients", "logs", "keys"):
            (plan.root / folder).mkdir(parents=True, exist_ok=True)
        (plan.root / "plan.json").write_bytes(msgspec.json.encode(plan))
        screen.activity = "loading the kernel (the first time on a machine it is compiled: about a minute)"
        self.spawn("kernel", "gateway.demo.audit", "warm")
        create_server_keys(plan.keys)
        for session, firm in firm_sessions().items():
            create_session_keys(plan.keys, session, firm)
        for session, role in (EXTRA | VENUE_SESSIONS).items():
            firm = FIRMS[-1] if role == "trader" else "Exchange"
            create_session_keys(plan.keys, session, firm, role)
        screen.event(
            f"CURVE keys for {len(FIRMS)} firms ({len(firm_sessions()) + len(EXTRA) + len(VENUE_SESSIONS)} sessions)"
        )
        for name in CLIENTS:
            self._start_client(name)
        self.wait_until(lambda: self._over["warm"] > 0, "the kernel", COMPILING)
        screen.activity = ""

    def _start_client(self, name: str) -> None:
        self._clients[name] = self.spawn(name, "gateway.demo.role", str(self.plan.root / "plan.json"), name)

    def start_server(self) -> None:
        """Start it, or start it again on the port it had, and wait until it is ready."""
        path = self.plan.root / "server.json"
        path.write_bytes(msgspec.json.encode(self.plan.config(self._port)))
        self._server_lines = []
        self._server = self.spawn("server", "gateway.server", str(path))
        self.wait_until(lambda: "Ready" in self._server_lines, "the server")
        endpoint = next(line.split()[-1] for line in self._server_lines if line.startswith("Listening on tcp"))
        self._port = int(endpoint.rpartition(":")[2])

    @property
    def endpoint(self) -> str:
        return f"tcp://127.0.0.1:{self._port}"

    def start_clients(self) -> None:
        for child in self._clients.values():
            child.order("start", endpoint=self.endpoint, again=False)
        self.wait_until(lambda: len(self._logged_on) == len(CLIENTS), "the clients")
        self.screen.event(f"{len(FIRMS)} firms in {len(CLIENTS) - 1} client processes logged on at {self.endpoint}")

    def time(self) -> int:
        """The exchange's time as last read over the socket."""
        return int(self._figures.get("time", 0))

    def provocations(self) -> None:
        """Wait for them; then the simulated flow may enter their vintage."""
        self.wait_until(lambda: self._over["provoker"] >= 1, "the provocations")
        self.screen.event(f"{self.refusals} refusals provoked, {len(self.provoked)} different reasons")
        self._entered = True
        for name in TRADERS:
            self._clients[name].order("enter")

    def kill_client(self) -> None:
        """SIGKILL one client process; a new one takes its sessions over and goes on."""
        self.wait_until(lambda: self.time() >= moment(KILL_CLIENT), "the client's end")
        victim = self._clients[VICTIM]
        victim.kill()
        self.screen.event(
            f"{local(self.time())} SIGKILL: client process {VICTIM} (pid {victim.pid}), {len(TRADERS[VICTIM])} firms",
            "bold red",
        )
        self._start_client(VICTIM)
        self._clients[VICTIM].order("start", endpoint=self.endpoint, again=True)
        if self._entered:
            self._clients[VICTIM].order("enter")
        self.wait_until(lambda: self._logged_on[VICTIM] > 1, "the client's return")

    def kill_server(self) -> None:
        """SIGKILL the server in the middle of the morning and start it again on its journal."""
        self.wait_until(lambda: self.time() >= moment(KILL_SERVER), "the server's end")
        server = self._server
        assert server is not None
        server.kill()
        self.screen.event(f"{local(self.time())} SIGKILL: the server (pid {server.pid}), in mid-session", "bold red")
        self.start_server()
        for line in self._server_lines:
            if not line.startswith(("Ready", "Listening")):
                self.screen.event(f"server: {line.strip()}", "yellow")
        self.wait_until(lambda: self._back >= set(TRADERS), "the clients' return")

    def trade_out(self) -> None:
        """The rest of the day until every flow is over, the last pairs, and the figures before the close."""
        everyone = (*TRADERS, "desk")
        self.wait_until(
            lambda: all(self._over[n] >= 1 for n in everyone) and self._over["provoker"] >= 2, "the flow's end"
        )
        self._clients["desk"].order("level")
        self.wait_until(lambda: self._over["leveled"] > 0, "the last pairs")
        self.screen.event(f"last pairs: {'; '.join(self.leveled) or 'none needed'}", "dim")

    def read(self) -> dict[str, Any]:
        """Figures asked for now, not before."""
        token = time.monotonic_ns()
        self._clients["watch"].order("read", token=token)
        self.wait_until(lambda: self._figures.get("token") == token, "the figures")
        return self._figures

    def read_day(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The figures before the close and those after the settlement."""
        before = self.read()
        if before["stage"] != "OPEN":
            raise DemoFailed(f"the day ended before it was traded out (it is {local(before['time'])}): a slow machine?")
        self.wait_until(lambda: self._figures.get("stage") == "SETTLED", "the end of the day")
        after = self.read()
        self.screen.event(f"{local(after['time'])} closed and settled: composite {after['composite']}", "bold")
        return before, after

    def finish(self) -> None:
        """Clients log out; then SIGTERM: the server seals its journal."""
        for child in self._clients.values():
            child.order("finish")
        self.wait_until(lambda: len(self.finals) == len(CLIENTS), "the clients' end")
        server = self._server
        assert server is not None
        server.terminate()
        self.wait_until(lambda: not server.running and any("Sealed" in line for line in self._server_lines), "the seal")
        if server.process.returncode != 0:
            self.faults.append(f"the server ended with {server.process.returncode} after SIGTERM")
        line = next(line for line in self._server_lines if line.startswith("Sealed"))
        found = re.fullmatch(r"Sealed after command (\d+), state ([0-9a-f]{64})", line)
        if found is None:
            raise DemoFailed(f"the server's last words are not understood: {line}")
        self.sealed = int(found[1]), found[2]
        self.screen.figures = {}
        self.screen.event(f"SIGTERM: the server sealed {self.sealed[0]:,} commands, state {self.sealed[1][:16]}…")

    def missing_refusals(self) -> list[str]:
        """Reasons that should have been provoked and were not."""
        wanted = {wrong.reason for wrong in rejects.COMMANDS} | set(rejects.STAGED) | set(rejects.FRAMES)
        return [f"{reason.name} was not provoked" for reason in sorted(wanted - self.provoked)]
