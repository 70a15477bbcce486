"""Who takes part, when what happens, and how much: one Struct that every process of the demonstration reads."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from engine.control import Control, MoveCash, MoveUnits, OpenAccount, OpenFirm
from engine.schema import DisconnectPolicy
from engine.venue import number_date, utc_ns
from gateway.config import Config
from gateway.demo.published import DATE
from gateway.security import RoleName

ZONE: Final = ZoneInfo("Asia/Shanghai")
FIRMS: Final = (
    *("Anning Power", "Beihe Steel", "Changpu Cement", "Dongting Energy", "Emei Aluminium"),
    *("Fenhe Heat", "Gaochun Power", "Huai Cement", "Jialing Energy", "Kunlun Steel"),
    *("Lianshui Heat", "Minjiang Power", "Nanwan Energy", "Ordos Aluminium", "Poyang Steel"),
    *("Qinling Cement", "Runan Power", "Songhua Energy", "Taihu Heat", "Wujiang Power"),
)
"""Invented. The first two trade by the script, the last two provoke refusals, the others are simulated."""
DESK: Final = ("S01", "S02")
PROVOKERS: Final = ("S19", "S20")
TRADERS: Final[dict[str, tuple[str, ...]]] = {
    "traders A": ("S03", "S04", "S05", "S06", "S07", "S08"),
    "traders B": ("S09", "S10", "S11", "S12", "S13"),
    "traders C": ("S14", "S15", "S16", "S17", "S18"),
}
"""Client processes and the sessions that each one holds. A is killed; C asks for its orders to be cancelled when its
connection is lost."""
POLICIES: Final = {"traders C": DisconnectPolicy.CANCEL_DAY}
EXTRA: Final[dict[str, RoleName]] = {"RAW": "trader", "FLOOD": "trader", "GUEST": "trader", "TWICE": "trader"}
"""Further sessions of the last firm, for what an honest client never sends."""
VENUE_SESSIONS: Final[dict[str, RoleName]] = {"OPS": "operator", "BOARD": "reader"}

SIMULATED: Final = (1, 2, 3)
"""Instruments of the simulated flow: the vintages that had no trades on the real day."""
PROVOKED: Final = 2
"""The one of them that the provocations have to themselves before the simulated flow enters it."""

CASH: Final = 100_000_000_000
UNITS: Final = 1_000_000
POOR_CASH: Final = 100_000_000
POOR_UNITS: Final = 20_000
"""What the last firm gets: too little for one order of the greatest size."""

BEGIN: Final = "09:10"
KILL_CLIENT: Final = "10:05"
KILL_SERVER: Final = "10:40"
BREAK: Final = "11:30"
AFTER_BREAK: Final = "13:00"
FLOW_ENDS: Final = "14:20"
CLOSE: Final = "15:00"
FLOW: Final = (("09:31", "11:29"), ("13:01", FLOW_ENDS))
"""When the simulated firms send orders."""


class Size(msgspec.Struct, frozen=True):
    """How much of everything."""

    rate: int
    """Seconds of the exchange's day per real second."""
    firm_commands: int
    """Commands of each simulated firm over the day."""
    frame: int
    """Commands that a simulated firm sends together."""
    least: int
    """Commands that the whole day must have."""


FULL: Final = Size(rate=300, firm_commands=12_800, frame=48, least=200_000)
QUICK: Final = Size(rate=600, firm_commands=600, frame=12, least=9_000)


class Plan(msgspec.Struct, frozen=True):
    """One run of the demonstration."""

    folder: str
    size: Size
    falsify: bool = False

    @property
    def root(self) -> Path:
        return Path(self.folder)

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def journal(self) -> Path:
        return self.root / "data" / "journal"

    def secret(self, session: str) -> Path:
        return self.keys / f"{session}.secret"

    @property
    def server_key(self) -> Path:
        return self.keys / "server.pub"

    def log(self, session: str, what: str) -> Path:
        """Where a client keeps what it sent (`commands`) or received (`events`)."""
        return self.root / "clients" / f"{session}.{what}"

    def config(self, port: int = 0) -> Config:
        """The server's configuration. The same port again after a restart, so that the clients find it."""
        return Config(
            data=str(self.root / "data"),
            venue="seee",
            tcp=f"tcp://127.0.0.1:{port}",
            keys=str(self.keys),
            durability="sync",
            clock_rate=self.size.rate,
            start_time=datetime.fromtimestamp(moment(BEGIN) // 1_000_000_000, ZONE).isoformat(),
            # Low enough that one session can be made to feel both limits, far above what the others need.
            commands_per_second=4_000,
            burst=4_096,
            cancels_per_second=4_000,
            cancel_burst=4_096,
            credit_bytes=1 << 20,
            opening=opening(),
        )


def opening() -> tuple[Control, ...]:
    """Firms with one account each, cash and units. Every account is its own owner group: nobody trades with himself."""
    made: list[Control] = []
    for number, name in enumerate(FIRMS, 1):
        poor = number == len(FIRMS)
        made += [OpenFirm(name), OpenAccount(number, name, owner_group=number)]
        made.append(MoveCash(number, 1, POOR_CASH if poor else CASH, "opening balance"))
        made += [MoveUnits(number, asset, POOR_UNITS if poor else UNITS, "opening balance") for asset in range(1, 6)]
    return tuple(made)


def firm_sessions() -> dict[str, str]:
    """Session -> firm, of the firms' own sessions."""
    return {f"S{number:02}": name for number, name in enumerate(FIRMS, 1)}


def account_of(session: str) -> int:
    """Firms, accounts and their sessions count alike: S07 has account 7."""
    return int(session[1:])


def moment(text: str) -> int:
    """Local time of the demonstration's day, HH:MM -> UTC ns."""
    return utc_ns(datetime.combine(number_date(DATE), time.fromisoformat(text), tzinfo=ZONE))


def local(moment_ns: int) -> str:
    """UTC ns -> HH:MM:SS of the exchange."""
    return datetime.fromtimestamp(moment_ns // 1_000_000_000, ZONE).strftime("%H:%M:%S")


def read_plan(path: str) -> Plan:
    return msgspec.json.decode(Path(path).read_bytes(), type=Plan)
