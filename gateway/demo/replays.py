"""The sealed journal replayed by kernel and reference, each in a process of its own, side by side."""

from __future__ import annotations

import queue
from typing import Any

from gateway.demo.children import Child, Said
from gateway.demo.conductor import PATIENCE, Conductor, DemoFailed

IMPLEMENTATIONS = ("kernel", "reference")


class Replays:
    """Two replays under way."""

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor
        self._inbox: queue.Queue[Said] = queue.Queue()
        self._progress: dict[str, int] = dict.fromkeys(IMPLEMENTATIONS, 0)
        self.verdicts: dict[str, dict[str, Any]] = {}
        journal = str(conductor.plan.journal)
        self._children: list[Child] = [
            conductor.spawn(name, "gateway.demo.audit", journal, name, inbox=self._inbox) for name in IMPLEMENTATIONS
        ]

    def wait(self) -> list[str]:
        """Wait for both; returns a line for each difference."""
        conductor = self._conductor
        for _ in range(int(PATIENCE * 10)):
            self._take_in()
            total = conductor.sealed[0]
            shown = ", ".join(f"{name} {done:,}" for name, done in self._progress.items())
            conductor.screen.activity = f"replaying {total:,} commands: {shown}"
            conductor.screen.refresh()
            if len(self.verdicts) == len(IMPLEMENTATIONS):
                conductor.screen.activity = ""
                return self._differences()
        raise DemoFailed("the replays: not finished in time")

    def _take_in(self) -> None:
        try:
            child, report = self._inbox.get(timeout=0.1)
        except queue.Empty:
            return
        if report["report"] == "progress":
            self._progress[child.name] = report["commands"]
        elif report["report"] == "verdict":
            self._progress[child.name] = report["commands"]
            self.verdicts[child.name] = report
            self._conductor.screen.event(
                f"{child.name}: {report['commands']:,} commands, {report['events']:,} events recomputed in"
                f" {report['seconds']:.1f} s ({report['commands'] / max(report['seconds'], 1e-9):,.0f} commands/s):"
                f" {report['result']}",
                "green" if report["ok"] else "bold red",
            )
        elif report["report"] == "ended" and child.name not in self.verdicts:
            raise DemoFailed(f"the replay with the {child.name} ended with {report['code']}: {child.tail()}")

    def _differences(self) -> list[str]:
        found = []
        commands, digest = self._conductor.sealed
        for name, verdict in self.verdicts.items():
            if not verdict["ok"]:
                found.append(f"replay by the {name}: {verdict['fault']}")
            if verdict["commands"] != commands:
                found.append(f"replay by the {name}: {verdict['commands']:,} commands, the server sealed {commands:,}")
            if verdict["digest"] != digest:
                found.append(f"replay by the {name}: digest {verdict['digest']}, the server sealed {digest}")
        return found
