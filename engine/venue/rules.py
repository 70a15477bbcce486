"""A venue's whole rule set as one frozen Struct."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import msgspec

from engine.explain import explain
from engine.schema import SWEEP_LEVELS, SelfTrade
from engine.venue.calendar import Calendar
from engine.venue.errors import VenueError
from engine.venue.terms import (
    AssetTerms,
    AuctionPriceName,
    AuctionSecondaryName,
    AuctionShortName,
    AuctionTieName,
    Capacity,
    ComplianceYear,
    CompositeRule,
    CrossPolicy,
    DepthRemainder,
    Instrument,
    SelfTradeName,
)


class Venue(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that decides what a command does, beside the commands before it."""

    name: str
    title: str = ""
    prefunded: bool = True
    """Accounts, cash and units are kept and every order is funded in full; without it accounts are mere labels."""
    open_from_start: bool = False
    """Trading is continuous from the first command on, without a calendar or phases."""
    self_trade: SelfTradeName = "CANCEL_TAKER"
    sweep_levels: int = SWEEP_LEVELS
    """How many price levels one order may take; 0 = no limit."""
    cross_policy: CrossPolicy = "TAKE"
    depth_remainder: DepthRemainder = "SYSTEM_CANCEL"
    take: bool = True
    """TAKE (picking a named listing) is offered."""
    click_strict: bool = True
    """TAKE only at the best price; otherwise anywhere in the best `sweep_levels` levels."""
    break_cancel: bool = True
    """Orders may be cancelled during a break."""
    settlement_days: Literal[0, 1] = 1
    """0: bought units are free at once; 1: free after the day's settlement (T+1)."""
    withdraw_after: Literal["EOD", "AT_ONCE"] = "EOD"
    """When sale proceeds may leave the venue; they may be spent at once in either case."""
    composite: CompositeRule = "NONE"
    """MEAN_UNTIL: mean of the closes until `composite_mean_until`, from then on the newest vintage's close."""
    composite_mean_until: date = date(2025, 12, 31)
    auction_price: AuctionPriceName = "UNIFORM"
    """What successful bids pay where the announcement does not say."""
    auction_tie: AuctionTieName = "TIME"
    auction_short: AuctionShortName = "PARTIAL"
    """What happens when less is bid for than offered."""
    auction_secondary: AuctionSecondaryName = "OFF"
    """When the clearing price lies far below the secondary market: CANCEL the auction, or RAISE the price."""
    auction_carry_over: int = 0
    """Unsold lots are spread over this many following auctions of the instrument (at most 4)."""
    auction_carry_cap_bps: int = 12_500
    """An auction grows by carried lots to at most this share of its own quantity."""
    auction_notice_days: int = 0
    """So many trading days after the one of its announcement an auction opens at the earliest."""
    auction_freeze_days: int = 0
    """An auction may be announced before its lots are in place; they are frozen so many trading days before the
    earliest opening, or it is withdrawn. 0: they are in place when it is announced."""
    bid_amend: Literal["LOSES_TIME", "KEEPS_TIME"] = "LOSES_TIME"
    """LOSES_TIME: a bid with another price or more lots goes behind those of its price."""
    settlement_ack: bool = False
    """SETTLE waits for the registry's acknowledgement of the day's settlement file."""
    offset_limit_bps: int = 500
    """Offsets may cover this share of an obligation."""
    carry_over_base: int = 10_000
    """Units that may be carried over in any case; see carry_over_factor_bps."""
    carry_over_factor_bps: int = 15_000
    """Units that may be carried over beside the base, as a share of the net sales."""
    accounts_per_firm: int = 0
    """Most accounts that one firm may have; 0 = no limit."""
    asset_terms: tuple[AssetTerms, ...] = ()
    compliance_years: tuple[ComplianceYear, ...] = ()
    currencies: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    capacity: Capacity = Capacity()
    calendar: Calendar = Calendar()
    instruments: tuple[Instrument, ...]

    @classmethod
    def preset(cls, name: str) -> Venue:
        """A venue that comes with the package: `seee`, `plain`."""
        folder = files("engine") / "venues"
        known = sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
        if name not in known:
            raise VenueError(f"no preset {name!r}; there are: {', '.join(known)}")
        from engine.venue.parse import parse_venue  # it needs this class

        return parse_venue((folder / f"{name}.toml").read_text("utf-8"), source=f"preset {name}")

    @classmethod
    def load(cls, path: str | Path) -> Venue:
        """Read a venue file. Raises VenueError."""
        try:
            text = Path(path).read_text("utf-8")
        except OSError as error:
            raise VenueError(f"{path}: cannot be read ({error.strerror}); name a venue file or a preset") from None
        except UnicodeDecodeError:
            raise VenueError(f"{path}: is not UTF-8 text; write TOML") from None
        from engine.venue.parse import parse_venue

        return parse_venue(text, source=str(path))

    @classmethod
    def find(cls, name_or_path: str) -> Venue:
        """A preset by its name, or a file by its path (anything with a dot or a slash)."""
        return cls.load(name_or_path) if re.search(r"[./\\]", name_or_path) else cls.preset(name_or_path)

    @classmethod
    def from_json(cls, data: bytes) -> Venue:
        """The venue of a journal's genesis. Raises VenueError."""
        from engine.venue.parse import checked

        try:
            return checked(msgspec.json.decode(data, type=cls), "genesis")
        except msgspec.ValidationError as error:
            raise VenueError(f"genesis: {explain(str(error), cls)}") from None
        except msgspec.DecodeError as error:
            raise VenueError(f"genesis: not valid JSON: {error}") from None

    def to_json(self) -> bytes:
        return msgspec.json.encode(self)

    def with_instruments(self, count: int) -> Venue:
        """The same venue with `count` copies of its first instrument, named X1, X2, ..."""
        from engine.venue.parse import checked

        first = self.instruments[0]
        copies = tuple(msgspec.structs.replace(first, symbol=f"X{i}") for i in range(1, count + 1))
        return checked(msgspec.structs.replace(self, instruments=copies), f"{self.name} with {count} instruments")

    def changed(self, **changes: Any) -> Venue:
        """A copy with other values, validated again."""
        from engine.venue.parse import checked

        return checked(msgspec.structs.replace(self, **changes), self.name)

    def instrument_id(self, symbol: str) -> int:
        """Symbol -> id from 1. Raises VenueError."""
        for number, instrument in enumerate(self.instruments, 1):
            if instrument.symbol == symbol:
                return number
        raise VenueError(f"{self.name}: no instrument {symbol!r}; there are: {_names(self.instruments)}")

    def asset_id(self, asset: str) -> int:
        """Name -> id from 1; 0 for the empty name."""
        return self.assets.index(asset) + 1 if asset else 0

    def currency_id(self, currency: str) -> int:
        """Name -> id from 1; 0 for the empty name."""
        return self.currencies.index(currency) + 1 if currency else 0

    @property
    def self_trade_mode(self) -> int:
        """0 = off, else a SelfTrade."""
        return 0 if self.self_trade == "OFF" else int(SelfTrade[self.self_trade])


def _names(instruments: Iterable[Instrument]) -> str:
    return ", ".join(i.symbol for i in instruments)
