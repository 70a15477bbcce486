"""The trading day: phases, stop, expiry, closing prices, composite, settlement, next day's limits.

Sources: SEEE notice of 2021-06-22 (limits, closing price = volume-weighted mean of the day's listed trades), SEEE
notice
2023-29 (composite as the plain mean of the vintages' closes; first reference of a new vintage = composite of the day
before). From 2026 the composite is the newest vintage's close. All rounding half-up.
"""

import numpy as np

from engine.arena import SIDES
from engine.kernel.admission import check_role, is_listed, set_bounds
from engine.kernel.auctions import expire_auctions
from engine.kernel.book import next_in_book
from engine.kernel.call_phases import is_call
from engine.kernel.calls import end_call
from engine.kernel.compiler import plain, rare, small
from engine.kernel.corridor import set_corridor
from engine.kernel.deadlines import tell_overdue
from engine.kernel.events import (
    about_account,
    clock_anchored,
    close_fixed,
    composite_fixed,
    counted,
    limits_set,
    phase_changed,
)
from engine.kernel.ledger import cash_of, units_of
from engine.kernel.limit_setting import tell_large_holders
from engine.kernel.matching import TURNOVER_WORD, cancel_resting
from engine.kernel.negotiations import end_all_negotiations
from engine.kernel.notice import count_notice_days
from engine.kernel.pricing import clear_trades
from engine.kernel.rounding import half_up, wide_half_up
from engine.kernel.stops import trigger_stops
from engine.layout import CALLS
from engine.schema import BASIS_POINTS, CLOSE_TRADES, DayStage, EventKind, Mode, Phase, Reason, TimeInForce

LAST_DATE = 99_991_231
MODES = 3


@rare
def set_limits(book):
    """Listed and block limits from the previous close; at least one tick away from it."""
    reference = book.previous_close
    book.limit_down = band(reference, -book.limit_listed_bps)
    book.limit_up = band(reference, book.limit_listed_bps)
    book.block_down = band(reference, -book.limit_block_bps)
    book.block_up = band(reference, book.limit_block_bps)
    set_bounds(book)


@small
def band(reference, bps):
    if reference == 0 or bps == 0:
        return np.int64(0)
    limit = half_up(reference * (BASIS_POINTS + bps), np.int64(BASIS_POINTS))
    if limit == reference:
        limit = reference + 1 if bps > 0 else reference - 1
    return max(limit, np.int64(1))


@plain
def first_composite(s):
    """The composite before the first close: the mean of the given reference prices."""
    total = count = np.int64(0)
    if s.composite_rule:
        for i in range(1, s.instruments + 1):
            if s.books[i].in_composite and s.books[i].previous_close > 0:
                total += s.books[i].previous_close
                count += 1
    s.composite = half_up(total, count) if count > 0 else 0


@plain
def set_phase(s, c):
    if c.scope < Mode.LISTED or c.scope > Mode.BIDDING:
        return Reason.INVALID_SCOPE
    phase, date = c.quantity, c.expiry
    if phase < 0 or phase > Phase.HALT or (is_call(phase) and c.scope != Mode.LISTED):
        return Reason.INVALID_PHASE
    if c.quantity2 != 0 and (not is_call(phase) or c.quantity2 != 1):
        return Reason.UNUSED_FIELD_SET
    if date < 0 or date > LAST_DATE:
        return Reason.INVALID_DATE
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    if c.instrument < 0 or c.instrument > s.instruments:
        return Reason.UNKNOWN_INSTRUMENT
    if date < s.trading_date:
        return Reason.INVALID_DATE
    new_day = date > s.trading_date
    if new_day:
        if s.day_stage != DayStage.SETTLED and not (s.day_stage == DayStage.OPEN and s.trading_date == 0):
            return Reason.DAY_NOT_SETTLED
    elif s.day_stage != DayStage.OPEN:
        return Reason.DAY_CLOSED
    if c.instrument > 0 and not is_listed(s, s.books[c.instrument], date):
        return Reason.NOT_LISTED
    if is_call(phase) and lacks_calls(s, c.instrument, date):
        return Reason.INVALID_PHASE
    if new_day:
        open_day(s, c, date)
    addressed = 0
    for i in range(1, s.instruments + 1):
        if (c.instrument == 0 or c.instrument == i) and is_listed(s, s.books[i], date):
            change_phase(s, c, i, c.scope, phase)
            addressed += 1
    if addressed == 0:
        phase_changed(s, c, 0, c.scope, phase, 0, c.quantity2)
    return Reason.NONE


@plain
def lacks_calls(s, instrument, date):
    """Whether an addressed instrument has no call auctions."""
    for i in range(1, s.instruments + 1):
        addressed = (instrument == 0 or instrument == i) and is_listed(s, s.books[i], date)
        if addressed and not s.books[i].further & CALLS:
            return True
    return False


@plain
def change_phase(s, c, instrument, mode, phase):
    """One instrument: what a call collected is uncrossed where it ends, and stops follow where trading begins."""
    book = s.books[instrument]
    if mode == Mode.LISTED:
        end_call(s, c, instrument, phase)
    phase_changed(s, c, instrument, mode, phase, book.phases[mode], c.quantity2)
    book.phases[mode] = phase
    if mode == Mode.LISTED:
        book.call_frozen = c.quantity2
        if book.further:
            set_corridor(book)
            trigger_stops(s, c, instrument)


@plain
def open_day(s, c, date):
    """A later trading date: newly listed instruments get the composite as their reference."""
    counted(s, c, EventKind.DAY_OPENED, 0, date, s.trading_date, 0)
    s.trading_date = date
    s.day_stage = DayStage.OPEN
    tell_overdue(s, c, date - 1)
    for i in range(1, s.instruments + 1):
        book = s.books[i]
        limited = book.limit_listed_bps > 0 or book.limit_block_bps > 0
        if limited and book.previous_close == 0 and s.composite > 0 and is_listed(s, book, date):
            book.previous_close = s.composite
            set_limits(book)
            limits_set(s, c, i)
    count_notice_days(s, c)


@small
def check_stage(s, c, stage):
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    return Reason.NONE if s.day_stage == stage else Reason.WRONG_DAY_STAGE


@plain
def stop_trading(s, c):
    reason = check_stage(s, c, DayStage.OPEN)
    if reason != Reason.NONE:
        return reason
    for i in range(1, s.instruments + 1):
        for mode in range(1, MODES + 1):
            previous = s.books[i].phases[mode]
            if previous != Phase.CLOSED:
                if mode == Mode.LISTED:
                    end_call(s, c, i, Phase.CLOSED)
                    s.books[i].call_frozen = 0
                s.books[i].phases[mode] = Phase.CLOSED
                phase_changed(s, c, i, mode, Phase.CLOSED, previous, 0)
    s.day_stage = DayStage.STOPPED
    counted(s, c, EventKind.TRADING_STOPPED, 0, s.trading_date, 0, 0)
    return Reason.NONE


@plain
def expire_orders(s, c):
    reason = check_stage(s, c, DayStage.STOPPED)
    if reason != Reason.NONE:
        return reason
    count = 0
    for i in range(1, s.instruments + 1):
        for k in range(SIDES):
            slot = next_in_book(s, i, k, 0)
            while slot != 0:
                following = next_in_book(s, i, k, slot)
                if s.orders[slot].time_in_force == TimeInForce.DAY:
                    cancel_resting(s, c, slot, EventKind.EXPIRED, Reason.END_OF_DAY)
                    count += 1
                elif s.orders[slot].time_in_force == TimeInForce.GTD and s.extras[slot].expiry <= s.trading_date:
                    cancel_resting(s, c, slot, EventKind.EXPIRED, Reason.GOOD_TILL_DATE)
                    count += 1
                slot = following
    end_all_negotiations(s, c)
    expire_auctions(s, c)
    s.day_stage = DayStage.EXPIRED
    counted(s, c, EventKind.ORDERS_EXPIRED, count, s.trading_date, 0, 0)
    return Reason.NONE


@plain
def closing_price(book):
    if book.close_is_last5:
        return mean_of_last_trades(book)
    if book.volume == 0:
        return book.previous_close
    if not book.close_is_vwap:
        return book.last
    if book.turnover_high >= book.volume:
        return book.high
    if book.turnover_high == 0 and book.turnover < TURNOVER_WORD // 2:
        mean = half_up(book.turnover, book.volume)
    else:
        mean = wide_half_up(book.turnover_high, book.turnover, book.volume)
    return min(max(mean, book.low), book.high)  # only a correction with wrong terms brings it outside


@plain
def mean_of_last_trades(book):
    """The mean price of the trades that a LAST5 close looks at, by lots."""
    high = low = lots = np.int64(0)
    for n in range(CLOSE_TRADES):
        low += book.close_price[n] * book.close_lots[n]
        lots += book.close_lots[n]
        if low >= TURNOVER_WORD:
            low -= TURNOVER_WORD
            high += 1
    if lots == 0:
        return book.previous_close
    return wide_half_up(high, low, lots)


@plain
def fix_close(s, c):
    reason = check_stage(s, c, DayStage.EXPIRED)
    if reason != Reason.NONE:
        return reason
    for i in range(1, s.instruments + 1):
        book = s.books[i]
        if is_listed(s, book, s.trading_date):
            book.close = closing_price(book)
            close_fixed(s, c, i)
    if s.composite_rule:
        fix_composite(s)
        composite_fixed(s, c)
    s.day_stage = DayStage.CLOSE_FIXED
    return Reason.NONE


@plain
def fix_composite(s):
    total = count = newest = np.int64(0)
    for i in range(1, s.instruments + 1):
        book = s.books[i]
        if book.in_composite and book.close > 0 and is_listed(s, book, s.trading_date):
            total += book.close
            count += 1
            if newest == 0 or book.listed_from >= s.books[newest].listed_from:
                newest = i
    if count > 0:
        mean = s.trading_date <= s.composite_mean_until
        s.composite = half_up(total, count) if mean else s.books[newest].close


@plain
def settle(s, c):
    reason = check_stage(s, c, DayStage.CLOSE_FIXED)
    if reason != Reason.NONE:
        return reason
    if s.prefunded and s.settlement_ack and s.acknowledged_date != s.trading_date:
        return Reason.SETTLEMENT_NOT_ACKNOWLEDGED
    cancel_delisted(s, c)
    for account in range(1, s.accounts_open + 1):
        for asset in range(1, s.assets + 1):
            hold = units_of(s, account, asset)
            units = hold.bought_today
            if units > 0:
                hold.free += units
                hold.bought_today = 0
                about_account(s, c, EventKind.UNITS_SETTLED, account, 0, asset, units)
        for currency in range(1, s.currencies + 1):
            cash = cash_of(s, account, currency)
            if cash.proceeds_today > 0:
                about_account(s, c, EventKind.CASH_SETTLED, account, cash.proceeds_today, currency, 0)
                cash.proceeds_today = 0
    tell_large_holders(s, c)
    tell_overdue(s, c, s.trading_date)
    for i in range(1, s.instruments + 1):
        if is_listed(s, s.books[i], s.trading_date):
            next_day(s.books[i])
            limits_set(s, c, i)
    s.day_stage = DayStage.SETTLED
    counted(s, c, EventKind.SETTLED, 0, s.trading_date, 0, 0)
    return Reason.NONE


@plain
def cancel_delisted(s, c):
    """No order outlasts its instrument's last date."""
    for i in range(1, s.instruments + 1):
        if s.books[i].listed_until == 0 or s.books[i].listed_until > s.trading_date:
            continue
        for k in range(SIDES):
            slot = next_in_book(s, i, k, 0)
            while slot != 0:
                following = next_in_book(s, i, k, slot)
                cancel_resting(s, c, slot, EventKind.CANCELLED, Reason.DELISTED)
                slot = following


@plain
def next_day(book):
    """Today's close becomes the reference of the next day's limits; the day's statistics start anew."""
    if book.close > 0:
        book.previous_close = book.close
    set_limits(book)
    book.close = 0
    book.open = 0
    book.high = 0
    book.low = 0
    book.volume = 0
    book.turnover = 0
    book.turnover_high = 0
    book.trades = 0
    book.block_volume = 0
    book.block_turnover = 0
    book.block_turnover_high = 0
    book.block_trades = 0
    book.auction_volume = 0
    book.call_price = 0
    clear_trades(book)


@plain
def set_reference(s, c):
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    if c.instrument < 1 or c.instrument > s.instruments:
        return Reason.UNKNOWN_INSTRUMENT
    if s.day_stage != DayStage.SETTLED and not (s.day_stage == DayStage.OPEN and s.trading_date == 0):
        return Reason.WRONG_DAY_STAGE
    book = s.books[c.instrument]
    if c.price < 1:
        return Reason.INVALID_PRICE
    if c.price < book.floor or c.price > book.ceiling:
        return Reason.PRICE_OUT_OF_WINDOW
    book.previous_close = c.price
    set_limits(book)
    if s.trading_date == 0:
        first_composite(s)
    limits_set(s, c, c.instrument)
    return Reason.NONE


@plain
def clock_anchor(s, c):
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    if c.quantity < 1 or c.quantity > 1_000_000_000 or c.quantity2 < 1 or c.quantity2 > 1_000_000_000:
        return Reason.INVALID_AMOUNT
    s.anchor_journal = c.target
    s.anchor_monotonic = c.expiry
    s.rate_numerator = c.quantity
    s.rate_denominator = c.quantity2
    clock_anchored(s, c)
    return Reason.NONE
