"""Answers to queries as people read them: symbols and Decimal prices instead of ids and ticks."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation, localcontext
from typing import Final, NamedTuple

from engine.schema import DayStage, OrderFlag, OrderType, Phase, Reason, Side, Status, TimeInForce
from gateway import wire
from gateway.errors import InvalidCommand
from gateway.wire_calls import IndicativeData


class Level(NamedTuple):
    price: Decimal
    quantity: int
    orders: int


class Book(NamedTuple):
    """Best five levels per side, best first: displayed lots. In a call bids may stand above offers."""

    symbol: str
    phase: Phase
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class Indicative(NamedTuple):
    """What a call would do now: lots that trade at `price` (None: none would), and lots bid less lots offered there.

    `frozen`: orders are entered, not changed or cancelled any more.
    """

    symbol: str
    phase: Phase
    frozen: bool
    price: Decimal | None
    volume: int
    surplus: int


class Day(NamedTuple):
    """An instrument's day. A price is None when there is none; volume in lots, turnover in currency units."""

    symbol: str
    trading_date: int
    stage: DayStage
    phase: Phase
    previous_close: Decimal | None
    limit_down: Decimal | None
    limit_up: Decimal | None
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    last: Decimal | None
    close: Decimal | None
    volume: int
    turnover: Decimal
    trades: int
    change_pct: Decimal | None
    """Of the close, before it is fixed of the last trade today, against the previous close; None without either."""


class Cash(NamedTuple):
    """Minor currency units."""

    currency: str
    free: int
    locked: int
    proceeds_today: int


class Holding(NamedTuple):
    """Asset units."""

    asset: str
    free: int
    locked: int
    bought_today: int


class Account(NamedTuple):
    number: int
    status: Status
    cash: tuple[Cash, ...]
    holdings: tuple[Holding, ...]


class OpenOrder(NamedTuple):
    order_id: int
    client_order_id: int
    symbol: str
    account: int
    side: Side
    price: Decimal
    quantity: int
    remaining: int
    order_type: OrderType
    time_in_force: TimeInForce
    stop: Decimal | None
    shown: int
    visible: int
    """Lots that others see now."""
    waiting: bool
    """A stop order whose stop price has not been met."""
    hidden: bool
    good_till: int
    """YYYYMMDD; 0 = not good till a date."""
    quote: bool
    """A side of the account's present quote."""


MOST_TICKS: Final = 2**31 - 1
"""What a price field of the records holds."""
_EXACT: Final = Context(prec=40, traps=[InvalidOperation])
"""In which a price is divided by its tick: what this rounds is no multiple."""


def to_ticks(instrument: wire.InstrumentData, price: Decimal | str | int) -> int:
    """Price in currency units -> ticks.

    Raises InvalidCommand (OFF_TICK, INVALID_PRICE, PRICE_OUT_OF_WINDOW), TypeError for a float.
    """
    if isinstance(price, float):
        raise TypeError("a price is a Decimal, a string or an int: a float is not exact")
    try:
        with localcontext(_EXACT) as context:
            value = Decimal(price) / Decimal(instrument.tick)
            is_rounded = context.flags[Inexact]
    except InvalidOperation:
        raise InvalidCommand(Reason.INVALID_PRICE, f"{price!r} is no decimal number") from None
    if not value.is_nan() and abs(value) > MOST_TICKS:
        raise InvalidCommand(Reason.PRICE_OUT_OF_WINDOW, "price is beyond every price window")
    if not value.is_finite() or is_rounded or value != value.to_integral_value():
        raise InvalidCommand(Reason.OFF_TICK, f"{price} is not a multiple of {instrument.tick}")
    return int(value)


def change_pct(previous: int, price: int) -> Decimal | None:
    """Change from `previous` to `price`, both in ticks, in per cent with two decimals; None when either is 0.

    Half-up, an exact half away from zero on both sides (rule book section 2, change_pct).
    """
    if not previous or not price:
        return None
    return (Decimal(100 * (price - previous)) / previous).quantize(Decimal("0.01"), ROUND_HALF_UP)


class Reference:
    """The venue's reference data with look-ups by symbol."""

    def __init__(self, data: wire.ReferenceData) -> None:
        self.data = data
        self.instruments = data.instruments
        self.accounts = data.accounts
        self._by_symbol = {i.symbol: i for i in data.instruments}

    def instrument(self, name: str | int) -> wire.InstrumentData:
        """By symbol or id. Raises InvalidCommand (UNKNOWN_INSTRUMENT)."""
        if isinstance(name, int) and 1 <= name <= len(self.instruments):
            return self.instruments[name - 1]
        found = self._by_symbol.get(str(name))
        if found is None:
            known = ", ".join(self._by_symbol)
            raise InvalidCommand(Reason.UNKNOWN_INSTRUMENT, f"no instrument {name!r}; there are: {known}")
        return found

    def ticks(self, name: str | int, price: Decimal | str | int) -> int:
        """Price in currency units -> ticks. Raises InvalidCommand (OFF_TICK), TypeError for a float."""
        return to_ticks(self.instrument(name), price)

    def price(self, name: str | int, ticks: int) -> Decimal:
        """Ticks -> price in currency units."""
        return Decimal(self.instrument(name).tick) * ticks

    def book(self, data: wire.BookData) -> Book:
        tick = Decimal(self.instrument(data.instrument).tick)

        def side(levels: tuple[wire.LevelData, ...]) -> tuple[Level, ...]:
            return tuple(Level(tick * level.price, level.quantity, level.orders) for level in levels)

        symbol = self.instrument(data.instrument).symbol
        return Book(symbol, Phase(data.phase), side(data.bids), side(data.asks))

    def day(self, data: wire.DayData) -> Day:
        instrument = self.instrument(data.instrument)
        tick = Decimal(instrument.tick)

        def price(ticks: int) -> Decimal | None:
            return tick * ticks if ticks else None

        latest = data.close or (data.last if data.trades else 0)
        return Day(
            symbol=instrument.symbol,
            trading_date=data.trading_date,
            stage=DayStage(data.stage),
            phase=Phase(data.phase),
            previous_close=price(data.previous_close),
            limit_down=price(data.limit_down),
            limit_up=price(data.limit_up),
            open=price(data.open),
            high=price(data.high),
            low=price(data.low),
            last=price(data.last),
            close=price(data.close),
            volume=data.volume,
            turnover=tick * instrument.units_per_lot * int(data.turnover),
            trades=data.trades,
            change_pct=change_pct(data.previous_close, latest),
        )

    def account(self, data: wire.AccountData) -> Account:
        currencies, assets = self.data.currencies, self.data.assets
        cash = tuple(Cash(currencies[c.currency - 1], c.free, c.locked, c.proceeds_today) for c in data.cash)
        holdings = tuple(Holding(assets[h.asset - 1], h.free, h.locked, h.bought_today) for h in data.holdings)
        return Account(data.account, Status(data.status), cash, holdings)

    def indicative(self, data: IndicativeData) -> Indicative:
        instrument = self.instrument(data.instrument)
        price = Decimal(instrument.tick) * data.price if data.price else None
        return Indicative(instrument.symbol, Phase(data.phase), data.frozen, price, data.volume, data.surplus)

    def order(self, data: wire.OrderData) -> OpenOrder:
        instrument = self.instrument(data.instrument)
        tick = Decimal(instrument.tick)
        hidden, waiting = bool(data.flags & OrderFlag.HIDDEN), bool(data.waiting)
        return OpenOrder(
            data.order_id,
            data.client_order_id,
            instrument.symbol,
            data.account,
            Side(data.side),
            tick * data.price,
            data.quantity,
            data.remaining,
            OrderType(data.order_type),
            TimeInForce(data.time_in_force),
            tick * data.stop_price if data.stop_price else None,
            data.shown,
            0 if hidden or waiting else data.visible if data.shown else data.remaining,
            waiting,
            hidden,
            data.expiry,
            bool(data.quote),
        )
