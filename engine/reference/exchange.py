"""Everything the exchange knows, and how it tells: the state that the rules read and change, and its events."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.reference.book import BookSide, Order, StopSide
from engine.reference.registers import Auction, Bid, Bust, Encumbrance, Limit, Negotiation, Obligation
from engine.schema import (
    EVENT,
    DayStage,
    EventKind,
    Mode,
    OrderType,
    Phase,
    Reason,
    Side,
    Status,
    TimeInForce,
)
from engine.venue import Instrument, Venue

EVENT_PACKER = struct.Struct("<4B2h3q2iq2i8q2i")
"""The layout of `schema.EVENT`."""
assert EVENT_PACKER.size == EVENT.itemsize


class Refused(Exception):
    """The command fails a check; the first one that fails gives the reason. Nothing has been changed."""

    def __init__(self, reason: Reason, figure: int = 0) -> None:
        super().__init__(reason.name)
        self.reason = reason
        self.figure = figure
        """What the reason is about (`schema.EVENT_FIELDS`, REJECTED)."""


class Command(NamedTuple):
    """One command as plain integers: the fields of `schema.COMMAND`."""

    kind: int
    side: int
    order_type: int
    time_in_force: int
    flags: int
    self_trade: int
    scope: int
    instrument: int
    account: int
    client_order_id: int
    target: int
    expiry: int
    price: int
    price2: int
    quantity: int
    quantity2: int
    sequence: int
    timestamp: int
    session: int
    actor: int
    spare: int


class Terms:
    """What the venue file says of one instrument, prices in ticks, names as ids."""

    def __init__(self, venue: Venue, instrument: Instrument) -> None:
        self.asset = venue.asset_id(instrument.asset)
        self.currency = venue.currency_id(instrument.currency)
        self.tick_value = instrument.tick_value
        self.units_per_lot = instrument.units_per_lot
        self.price_step = instrument.price_step
        self.quantity_step = instrument.quantity_step
        self.quantity_min = instrument.quantity_min
        self.quantity_max = instrument.quantity_max
        self.floor = instrument.floor_ticks
        self.ceiling = instrument.ceiling_ticks
        self.limit_listed_bps = instrument.limit_listed_bps
        self.limit_block_bps = instrument.limit_block_bps
        self.block_min = instrument.block_min
        self.block_max = instrument.block_max
        self.auctioned = instrument.auction
        self.auction_min = instrument.auction_min
        self.auction_step = instrument.auction_step
        self.auction_bid_max = instrument.auction_bid_max
        self.auction_covered_bps = instrument.auction_covered_bps
        self.auction_other_bps = instrument.auction_other_bps
        self.auction_floor = instrument.auction_floor_ticks
        self.auction_floor_year = instrument.auction_floor_year
        self.auction_floor_rise_bps = instrument.auction_floor_rise_bps
        self.auction_floor_inflation_ppm = instrument.auction_floor_inflation_ppm
        self.auction_reserve = instrument.auction_reserve
        self.auction_cap = instrument.auction_cap
        self.fee_ppm = instrument.fee_ppm
        self.order_types = frozenset(int(OrderType[name.upper()]) for name in instrument.order_types)
        self.times_in_force = frozenset(int(TimeInForce[name.upper()]) for name in instrument.times_in_force)
        self.post_only = instrument.post_only
        self.hidden = instrument.hidden
        self.quotes = instrument.quotes
        self.price_rule = instrument.price_rule
        self.call_auction = instrument.call_auction
        self.call_rule = instrument.call_rule
        self.corridor_dynamic_bps = instrument.corridor_dynamic_bps
        self.corridor_static_bps = instrument.corridor_static_bps
        self.close_rule = instrument.close
        self.listed_from = instrument.listed_from_date
        self.in_composite = instrument.in_composite


class Market:
    """One instrument: its terms, book, phases, limits and the day's statistics (`schema.STATE_INSTRUMENT`)."""

    def __init__(self, instrument: int, terms: Terms) -> None:
        self.instrument = instrument
        self.terms = terms
        self.buys = BookSide(Side.BUY)
        self.sells = BookSide(Side.SELL)
        self.phases = {Mode.LISTED: int(Phase.CLOSED), Mode.BLOCK: int(Phase.CLOSED), Mode.BIDDING: int(Phase.CLOSED)}
        self.previous_close = self.limit_down = self.limit_up = self.block_down = self.block_up = 0
        self.last = self.open = self.high = self.low = 0
        self.volume = self.turnover = self.trades = self.close = 0
        self.listed_from = terms.listed_from
        self.listed_until = self.halted = 0
        self.floor, self.ceiling = terms.floor, terms.ceiling
        self.block_volume = self.block_turnover = self.block_trades = 0
        self.auction_volume = self.auction_price = 0
        self.carried = [0, 0, 0, 0]
        self.buy_stops = StopSide(Side.BUY)
        self.sell_stops = StopSide(Side.SELL)
        self.call_frozen = self.call_price = 0
        self.last_trades: list[tuple[int, int, int]] = []
        """Trade id, ticks, lots; the latest first; kept where the close looks at them (LAST5)."""

    @property
    def listed_phase(self) -> int:
        return self.phases[Mode.LISTED]

    def side(self, side: int) -> BookSide:
        return self.buys if side == Side.BUY else self.sells

    def counter_side(self, side: int) -> BookSide:
        return self.sells if side == Side.BUY else self.buys

    def place_of(self, order: Order) -> BookSide | StopSide:
        """Where a live order stands: in the stop book while it waits, else in the order book."""
        if order.waiting:
            return self.buy_stops if order.side == Side.BUY else self.sell_stops
        return self.side(order.side)

    def orders(self) -> Iterator[Order]:
        """Live orders in mass-cancel order: buys, sells, best price first; then waiting buy and sell stops."""
        for place in (self.buys, self.sells, self.buy_stops, self.sell_stops):
            yield from place.orders()


@dataclass(slots=True)
class Cash:
    """An account's money in one currency, minor units."""

    free: int = 0
    locked: int = 0
    auction_locked: int = 0
    proceeds_today: int = 0


@dataclass(slots=True)
class Hold:
    """An account's holding of one asset, units; the buckets of the rule book, section 5."""

    free: int = 0
    locked: int = 0
    bought_today: int = 0
    pledged: int = 0
    judicial: int = 0
    auction_frozen: int = 0
    transfer_pending: int = 0
    carried_over: int = 0
    """No bucket: units carried over from this asset so far."""


@dataclass(slots=True)
class Account:
    firm: int
    owner_group: int
    group_from: int
    status: int = Status.ACTIVE
    cash: dict[int, Cash] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)

    def cash_in(self, currency: int) -> Cash:
        cash = self.cash.get(currency)
        if cash is None:
            cash = self.cash[currency] = Cash()
        return cash

    def hold_of(self, asset: int) -> Hold:
        hold = self.holds.get(asset)
        if hold is None:
            hold = self.holds[asset] = Hold()
        return hold


@dataclass(slots=True)
class Session:
    firm: int
    role: int
    status: int = Status.ACTIVE
    policy: int = 0
    connected: int = 0
    last_client_order_id: int = 0


class Exchange:
    """The whole state. Lists by id have an unused slot 0, except `sessions`, whose 0 is the venue itself."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.trading_date = 0
        self.day_stage = int(DayStage.OPEN if venue.open_from_start else DayStage.SETTLED)
        self.composite = 0
        self.last_order_id = self.event_sequence = 0
        self.command_sequence = self.timestamp = 0
        self.anchor_journal = self.anchor_monotonic = self.rate_numerator = self.rate_denominator = 0
        self.firm_status: list[int] = [0]
        self.last_negotiation_id = self.last_auction_id = self.last_hold_id = self.last_obligation_id = 0
        self.acknowledged_date = self.venue_halted = 0
        self.transfers_closed = int(bool(venue.calendar.transfer_windows))
        self.negotiations: dict[int, Negotiation] = {}
        self.auctions: dict[int, Auction] = {}
        self.bids: dict[int, Bid] = {}
        self.encumbrances: dict[int, Encumbrance] = {}
        self.obligations: dict[int, Obligation] = {}
        self.limits: dict[tuple[int, int, int, int], Limit] = {}
        """By (firm, account, instrument, kind); at most one of the first three is not 0."""
        self.busts: dict[int, Bust] = {}
        self.cash_deposited = [0] * (len(venue.currencies) + 1)
        self.fees = [0] * (len(venue.currencies) + 1)
        self.units_deposited = [0] * (len(venue.assets) + 1)
        self.markets = [Market(number, Terms(venue, i)) for number, i in enumerate(venue.instruments, 1)]
        self.accounts = [Account(0, 0, 0)]
        self.sessions = [Session(0, 0)]
        self.orders: dict[int, Order] = {}
        self.by_client_id: dict[tuple[int, int], Order] = {}
        self.command = Command._make([0] * len(Command._fields))
        self.outbox: list[bytes] = []
        self.references: dict[int, int] = {}
        """By instrument: what the dynamic corridor lies around during this command. Nothing in it outlives one."""
        if venue.open_from_start:
            for market in self.markets:
                market.phases[Mode.LISTED] = int(Phase.CONTINUOUS)

    @property
    def firms(self) -> int:
        return len(self.firm_status) - 1

    def market(self, instrument: int) -> Market | None:
        return self.markets[instrument - 1] if 1 <= instrument <= len(self.markets) else None

    def account_exists(self, account: int) -> bool:
        return 1 <= account < len(self.accounts)

    def is_listed(self, market: Market, on_date: int) -> bool:
        """On a date; before the first trading date only where the venue is open from the start."""
        if not on_date:
            return self.venue.open_from_start
        return market.listed_from <= on_date and (not market.listed_until or on_date <= market.listed_until)

    def listed_markets(self) -> list[Market]:
        return [market for market in self.markets if self.is_listed(market, self.trading_date)]

    def live_orders(self) -> Iterator[Order]:
        """By instrument, in mass-cancel order: the order of every mass event."""
        for market in self.markets:
            yield from market.orders()

    def owns_account(self, session: int, account: int) -> bool:
        return session == 0 or self.accounts[account].firm == self.sessions[session].firm

    def owns_order(self, session: int, order: Order) -> bool:
        """Pre-funded venues: the accounts of the session's firm; others: what the session entered itself."""
        if session == 0:
            return True
        return self.owns_account(session, order.account) if self.venue.prefunded else order.session == session

    def owner_group(self, account: int) -> int:
        """Beneficial owner; without pre-funding accounts are labels and each is its own group."""
        return self.accounts[account].owner_group if self.venue.prefunded else account

    def enter_live(self, order: Order) -> None:
        """The order comes to rest, or to wait for its stop price. An iceberg shows its first part."""
        self.orders[order.order_id] = order
        if order.client_order_id:
            self.by_client_id[order.session, order.client_order_id] = order
        if order.shown and not order.waiting:
            order.visible = order.visible or min(order.shown, order.remaining)
        self.markets[order.instrument - 1].place_of(order).add(order)

    def leave_live(self, order: Order) -> None:
        """The order rests no longer; no effect on one that never did."""
        if self.orders.pop(order.order_id, None) is None:
            return
        if order.client_order_id:
            del self.by_client_id[order.session, order.client_order_id]
        self.markets[order.instrument - 1].place_of(order).remove(order)
        order.visible = 0

    def emit(
        self,
        kind: EventKind,
        *,
        side: int = 0,
        phase: int | None = None,
        aggressor: int = 0,
        reason: int = 0,
        instrument: int = 0,
        price: int = 0,
        quantity: int = 0,
        account: int = 0,
        contra_account: int = 0,
        order_id: int = 0,
        contra_order_id: int = 0,
        client_order_id: int | None = None,
        contra_client_order_id: int = 0,
        remaining: int = 0,
        contra_remaining: int = 0,
        aux: int = 0,
        aux2: int = 0,
        session: int | None = None,
        contra_session: int = 0,
    ) -> None:
        """Append one event. Left out: the phase is the instrument's listed one, session and number the command's."""
        if phase is None:
            market = self.market(instrument)
            phase = market.listed_phase if market else 0
        if session is None:
            session = self.command.session
        if client_order_id is None:
            client_order_id = self.command.client_order_id
        self.event_sequence += 1
        self.outbox.append(
            EVENT_PACKER.pack(
                kind,
                side,
                phase,
                aggressor,
                reason,
                0,
                self.event_sequence,
                self.command_sequence,
                self.timestamp,
                instrument,
                price,
                quantity,
                account,
                contra_account,
                order_id,
                contra_order_id,
                client_order_id,
                contra_client_order_id,
                remaining,
                contra_remaining,
                aux,
                aux2,
                session,
                contra_session,
            )
        )

    def collect_events(self) -> NDArray[Any]:
        """The events since the last call."""
        events = np.frombuffer(bytearray(b"".join(self.outbox)), EVENT)
        self.outbox.clear()
        return events
