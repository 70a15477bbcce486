"""A journal that grows without a server."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from engine.core import Engine
from engine.schema import Side, TimeInForce
from engine.venue import Venue
from replay import create
from tests.gateway.builders import limit


class Offline:
    """A journal of the preset plain, written by the reference engine; `over` ends whoever follows it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "journal"
        venue = Venue.preset("plain")
        self.engine = Engine(venue, "reference")
        self.writer = create(self.folder, venue, "async")
        self.sent = 0
        self.over = threading.Event()

    def append(self, count: int) -> None:
        """As many orders: bids of a lot, each met by the next one. Every command changes the book."""
        orders = limit(self.sent + 1, price=5_000, count=count)
        orders["side"][1::2], orders["time_in_force"][1::2] = Side.SELL, TimeInForce.IOC
        orders["sequence"] = np.arange(self.sent + 1, self.sent + count + 1)
        orders["timestamp"] = 1_000 + orders["sequence"]
        self.sent += count
        self.writer.append(orders, self.engine.apply_all(orders))
