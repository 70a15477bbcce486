"""A client process's line to the conductor: one JSON object per line, orders on stdin, reports on stdout."""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from typing import Any


class Talk:
    """Orders come in a thread of their own, so that the process never waits for one.

    The end of stdin means that the conductor is gone: the process ends at once, whatever it is doing.
    """

    def __init__(self) -> None:
        self._orders: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in sys.stdin:
            self._orders.put(json.loads(line))
        os._exit(0)

    def order(self) -> dict[str, Any] | None:
        """The next order, if one has come."""
        try:
            return self._orders.get_nowait()
        except queue.Empty:
            return None

    def wait_for(self, name: str) -> dict[str, Any]:
        """Wait for this order; others on the way are passed over."""
        while True:
            order = self._orders.get()
            if order["do"] == name:
                return order

    def report(self, kind: str, **fields: Any) -> None:
        """Tell the conductor."""
        print(json.dumps({"report": kind, **fields}), flush=True)


def loads_no_engine() -> bool:
    """Whether this process has neither kernel, reference engine nor compiler in it: a client needs none of them."""
    return not any(name.startswith(("engine.kernel", "engine.reference", "numba")) for name in sys.modules)
