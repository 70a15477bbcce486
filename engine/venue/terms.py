"""What a venue file says of capacities, assets and instruments. Prices become ticks here."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final, Literal

import msgspec

from engine.schema import MAX_QUANTITY
from engine.venue.calendar import date_number
from engine.venue.errors import VenueError

MAX_INSTRUMENTS: Final = 256
MAX_WINDOW: Final = 1 << 17
"""Most ticks between an instrument's floor and ceiling, both included."""
MAX_ORDERS: Final = 1 << 20
MAX_ACCOUNTS: Final = 1 << 14
MAX_FIRMS: Final = 1 << 14
MAX_SESSIONS: Final = 1 << 14
MAX_ASSETS: Final = 64
MAX_CURRENCIES: Final = 4
MAX_NEGOTIATIONS: Final = 1 << 12
MAX_AUCTIONS: Final = 1 << 8
MAX_BIDS: Final = 1 << 17
MAX_ENCUMBRANCES: Final = 1 << 16
MAX_OBLIGATIONS: Final = 1 << 16
MAX_BUSTS: Final = 1 << 12
MAX_ICEBERGS: Final = 1 << 16
MAX_CALL_END_SECONDS: Final = 3_600
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2999
"""Compliance years that there may be."""
MAX_FLOOR_YEARS: Final = 64
"""Most years of inflation that an auction's yearly floor may list."""
MAX_INFLATION_PPM: Final = 500_000
MAX_NOTICE_DAYS: Final = 250
MAX_CARRY: Final = 4
"""Most following auctions over which unsold lots are spread."""

OrderTypeName = Literal["limit", "market", "stop", "stop_limit", "iceberg", "stop_limit_iceberg"]
TimeInForceName = Literal["day", "gtc", "ioc", "fok", "gtd"]
CrossPolicy = Literal["TAKE", "REJECT"]
DepthRemainder = Literal["SYSTEM_CANCEL", "REST_AT_LAST", "RESWEEP"]
SelfTradeName = Literal["OFF", "CANCEL_TAKER", "CANCEL_MAKER", "CANCEL_BOTH", "DECREMENT"]
CloseRule = Literal["VWAP", "LAST", "LAST5"]
PriceRule = Literal["MAKER", "MEDIAN3"]
CallRule = Literal["T7", "KRX"]
CompositeRule = Literal["NONE", "MEAN_UNTIL"]
AssetKindName = Literal["ALLOWANCE", "OFFSET", "CREDIT"]
AuctionPriceName = Literal["UNIFORM", "PAY_AS_BID"]
AuctionTieName = Literal["TIME", "RANDOM", "PRORATA_RANDOM"]
AuctionShortName = Literal["PARTIAL", "CANCEL"]
AuctionSecondaryName = Literal["OFF", "CANCEL", "RAISE"]
ReserveRule = Literal["ANY", "CLOSE_OR_LOWER_LIMIT"]
CapRule = Literal["NONE", "UPPER_LIMIT"]


class Capacity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many of each the venue holds; a full table refuses with a reason. Slot 0 of every table means none."""

    orders: int = 100_000
    accounts: int = 10_000
    firms: int = 10_000
    sessions: int = 10_000
    negotiations: int = 1_000
    auctions: int = 64
    bids: int = 20_000
    holds: int = 20_000
    obligations: int = 40_000
    icebergs: int = 10_000
    """Live orders that show only a part; they count among `orders` too."""


class AssetTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an asset may be surrendered for; assets without a table of their own are allowances without an end."""

    asset: str
    kind: AssetKindName = "ALLOWANCE"
    surrender_until: int = 0
    """Last compliance year that it counts for; 0 = no end."""


class ComplianceYear(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The dates of one compliance year, where its work notice has set them; days of the venue's trading date."""

    year: int
    allocation_by: date | None = None
    """Last day of the final allocation; one that comes later is taken and told as late."""
    surrender_by: date | None = None
    """Last day to surrender; an obligation that lacks units at its end is overdue."""


class Instrument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One order book. Sources of the defaults: rule table in the venue file itself."""

    symbol: str
    asset: str = ""
    currency: str = ""
    tick: Decimal = Decimal("0.01")
    """Smallest price difference, in currency units; prices on the wire count these."""
    tick_value: int = 1
    """Minor currency units that one lot costs per tick."""
    units_per_lot: int = 1
    price_step: int = 1
    """Prices must be a multiple of this many ticks."""
    quantity_step: int = 1
    quantity_min: int = 1
    quantity_max: int = MAX_QUANTITY
    floor: Decimal
    ceiling: Decimal
    limit_listed_bps: int = 0
    """Daily limit of the listed mode around the previous close, basis points; 0 = none."""
    limit_block_bps: int = 0
    block_min: int = 0
    """Least lots of a block trade; 0 = no block trades."""
    block_max: int = MAX_QUANTITY
    auction: bool = False
    """Auctions (one-way bidding) of this instrument may be announced."""
    auction_min: int = 1
    """Least lots that an auction may offer."""
    auction_step: int = 1
    """Lots of auctions and bids must be a multiple of this."""
    auction_bid_max: int = MAX_QUANTITY
    auction_covered_bps: int = 0
    """All bids of a bidder with a compliance obligation come to at most this share of the lots offered; 0 = any."""
    auction_other_bps: int = 0
    """The same of every other bidder."""
    auction_floor: Decimal | None = None
    """Lowest reserve price in the year `auction_floor_year`; it rises every year. Without it there is none."""
    auction_floor_year: int = 0
    auction_floor_rise_bps: int = 0
    """Yearly rise of the floor beside inflation."""
    auction_floor_inflation_ppm: tuple[int, ...] = ()
    """Inflation that the floor of each following year adds, from the year after `auction_floor_year` on; a year that is
    not listed adds none."""
    auction_reserve: ReserveRule = "ANY"
    """CLOSE_OR_LOWER_LIMIT: previous close or the day's lower limit (in a reverse auction: its upper limit)."""
    auction_cap: CapRule = "NONE"
    """UPPER_LIMIT: bids stay within the day's upper limit (lower in a reverse auction)."""
    fee_ppm: int = 0
    """Fee per side, parts per million of the amount."""
    order_types: tuple[OrderTypeName, ...] = ("limit", "market")
    times_in_force: tuple[TimeInForceName, ...] = ("day", "gtc", "ioc", "fok")
    post_only: bool = True
    hidden: bool = False
    """Orders may be hidden: never in depth, behind all displayed ones of their price."""
    quotes: bool = False
    """Market makers may enter two-sided quotes (QUOTE)."""
    price_rule: PriceRule = "MAKER"
    """A trade's price: the resting order's, or the middle one of bid, offer and last price (MEDIAN3, Hubei)."""
    call_auction: bool = False
    """The instrument has the phases OPEN_CALL, CLOSE_CALL and VOLATILITY_CALL, and PRE_OPEN takes orders for them."""
    call_rule: CallRule = "T7"
    """Which of several prices with the largest volume: T7 by surplus, then reference; KRX by reference alone."""
    call_random_end_seconds: int = 0
    """A call ends up to this many seconds later, drawn by the gateway from a journaled seed; 0 = on time."""
    corridor_dynamic_bps: int = 0
    """A trade further than this from the last price interrupts trading for a call, basis points; 0 = none."""
    corridor_static_bps: int = 0
    """The same around the price of the day's last call auction, else the previous close."""
    close: CloseRule = "VWAP"
    """VWAP of the day's listed trades, the LAST one, or the VWAP of the last five (LAST5, Hubei)."""
    listed_from: date = date(1970, 1, 1)
    previous_close: Decimal | None = None
    in_composite: bool = False

    def ticks(self, price: Decimal | str | int) -> int:
        """Price in currency units -> ticks. Raises VenueError when it is off the tick."""
        try:
            value = Decimal(price)
        except InvalidOperation:
            raise VenueError(f"{self.symbol}: {price!r} is no price; write a decimal number such as 72.93") from None
        if not value.is_finite() or abs(value.adjusted()) > 30:
            raise VenueError(f"{self.symbol}: {price} is no price; write a decimal number such as 72.93")
        ticks = Fraction(value) / Fraction(self.tick)
        if ticks.denominator != 1:
            raise VenueError(f"{self.symbol}: price {price} is not a multiple of the tick {self.tick}; round it")
        return ticks.numerator

    def price(self, ticks: int) -> Decimal:
        """Ticks -> price in currency units."""
        return self.tick * ticks

    @property
    def floor_ticks(self) -> int:
        return self.ticks(self.floor)

    @property
    def ceiling_ticks(self) -> int:
        return self.ticks(self.ceiling)

    @property
    def previous_close_ticks(self) -> int:
        """0 when there is none."""
        return 0 if self.previous_close is None else self.ticks(self.previous_close)

    @property
    def auction_floor_ticks(self) -> int:
        """0 when there is none."""
        return 0 if self.auction_floor is None else self.ticks(self.auction_floor)

    @property
    def listed_from_date(self) -> int:
        return date_number(self.listed_from)
