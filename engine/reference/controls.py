"""Kill switches and corrections by the operator (docs/controls.md 10.2 and 10.3; Regulation (EU) 2017/584 art. 18:
suspension, kill function, cancelling of trades; MEE trading rules art. 25-27: restrictions, suspension)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from engine.reference.admission import check_role, find_market
from engine.reference.bids import end_bid
from engine.reference.exchange import Command, Exchange, Market, Refused
from engine.reference.matching import end_order
from engine.reference.money import fee_on
from engine.reference.negotiations import end_negotiation
from engine.reference.registers import Bust
from engine.schema import (
    MAX_MONEY,
    MAX_QUANTITY,
    AuctionStage,
    DayStage,
    EventKind,
    KillScope,
    Mode,
    Reason,
    Status,
)
from engine.venue import MAX_BUSTS

STOP, RESUME = 0, 1
MAX_LABEL = 2**31 - 1
"""Highest account number on a venue without pre-funding."""


def kill_switch(x: Exchange, command: Command) -> None:
    """KILL_SWITCH: firm, account, instrument or venue is stopped and rid of all that is live, or resumes."""
    scope, side = command.scope, command.side
    addressed = {
        KillScope.FIRM: command.target,
        KillScope.ACCOUNT: command.account,
        KillScope.INSTRUMENT: command.instrument,
        KillScope.VENUE: 0,
    }
    if scope not in addressed:
        raise Refused(Reason.INVALID_SCOPE)
    if side not in (STOP, RESUME):
        raise Refused(Reason.INVALID_SIDE)
    if any(number for one, number in addressed.items() if one != scope):
        raise Refused(Reason.UNUSED_FIELD_SET)
    check_role(x, command)
    check_addressed(x, command)

    if scope == KillScope.FIRM:
        x.firm_status[command.target] = int(Status.SUSPENDED if side == STOP else Status.ACTIVE)
    elif scope == KillScope.ACCOUNT:
        x.accounts[command.account].status = int(Status.SUSPENDED if side == STOP else Status.ACTIVE)
    elif scope == KillScope.INSTRUMENT:
        x.markets[command.instrument - 1].halted = int(side == STOP)
    else:
        x.venue_halted = int(side == STOP)
    ended = end_all(x, KillScope(scope), addressed[KillScope(scope)]) if side == STOP else 0
    tell_killed(x, KillScope(scope), addressed[KillScope(scope)], ended, side)


def check_addressed(x: Exchange, command: Command) -> None:
    scope = command.scope
    if scope in (KillScope.FIRM, KillScope.ACCOUNT) and not x.venue.prefunded:
        raise Refused(Reason.INVALID_SCOPE)
    if scope == KillScope.FIRM and not 1 <= command.target <= x.firms:
        raise Refused(Reason.UNKNOWN_FIRM)
    if scope == KillScope.ACCOUNT and not x.account_exists(command.account):
        raise Refused(Reason.UNKNOWN_ACCOUNT)
    if scope == KillScope.INSTRUMENT:
        find_market(x, command.instrument)


def firm_kill(x: Exchange, command: Command) -> None:
    """FIRM_KILL: a firm stops itself; it cannot lift a suspension by the operator."""
    if command.scope not in (STOP, RESUME):
        raise Refused(Reason.INVALID_SCOPE)
    check_role(x, command)
    if command.session == 0 or not x.venue.prefunded:
        raise Refused(Reason.NOT_PERMITTED)
    firm = x.sessions[command.session].firm
    status = x.firm_status[firm]
    if command.scope == RESUME and status == Status.SUSPENDED:
        raise Refused(Reason.FIRM_STOPPED)

    if command.scope == RESUME:
        x.firm_status[firm] = int(Status.ACTIVE)
    elif status == Status.ACTIVE:
        x.firm_status[firm] = int(Status.STOPPED)
    ended = end_all(x, KillScope.FIRM, firm) if command.scope == STOP else 0
    tell_killed(x, KillScope.FIRM, firm, ended, command.scope)


def end_all(x: Exchange, scope: KillScope, number: int) -> int:
    """Everything live of a firm, an account, an instrument or the venue ends. Returns how many that were."""
    concerns = concerned(x, scope, number)
    orders = [order for order in x.live_orders() if concerns(order.account, order.instrument)]
    for order in orders:
        end_order(x, x.markets[order.instrument - 1], order, EventKind.CANCELLED, Reason.KILLED)
    negotiations = [one for _, one in sorted(x.negotiations.items()) if concerns(one.account, one.instrument)]
    for negotiation in negotiations:
        end_negotiation(x, negotiation, Reason.KILLED)
    bids = [
        bid
        for _, bid in sorted(x.bids.items())
        if x.auctions[bid.auction].stage == AuctionStage.OPEN
        and concerns(bid.account, x.auctions[bid.auction].instrument)
    ]
    for bid in bids:
        end_bid(x, bid, Reason.KILLED)
    return len(orders) + len(negotiations) + len(bids)


def concerned(x: Exchange, scope: KillScope, number: int) -> Callable[[int, int], bool]:
    """Whether what an account has on an instrument is of what is stopped."""
    if scope == KillScope.FIRM:
        return lambda account, instrument: x.accounts[account].firm == number
    if scope == KillScope.ACCOUNT:
        return lambda account, instrument: account == number
    if scope == KillScope.INSTRUMENT:
        return lambda account, instrument: instrument == number
    return lambda account, instrument: True


def tell_killed(x: Exchange, scope: KillScope, number: int, ended: int, side: int) -> None:
    x.emit(
        EventKind.KILL_SWITCH_SET,
        side=scope,
        instrument=number if scope == KillScope.INSTRUMENT else 0,
        quantity=ended,
        account=number if scope == KillScope.ACCOUNT else 0,
        order_id=number if scope == KillScope.FIRM else 0,
        aux=side,
    )


def set_order_status(x: Exchange, command: Command) -> None:
    """SET_ORDER_STATUS: the operator cancels one order, in every phase."""
    check_role(x, command)
    order = x.orders.get(command.target)
    if order is None:
        raise Refused(Reason.UNKNOWN_ORDER)

    end_order(x, x.markets[order.instrument - 1], order, EventKind.CANCELLED, Reason.OPERATOR)


class Returned(NamedTuple):
    """What a cancelled trade gives back."""

    pay: int = 0
    units: int = 0


def bust_trade(x: Exchange, command: Command) -> None:
    """BUST_TRADE: units back to the seller, money back to the buyer, fees stay; statistics of today shrink."""
    if command.scope not in (Mode.LISTED, Mode.BLOCK, Mode.BIDDING):
        raise Refused(Reason.INVALID_SCOPE)
    check_role(x, command)
    market = find_market(x, command.instrument)
    check_parties(x, command.account, command.quantity2)
    check_trade_terms(x, market, command)
    today = command.expiry == x.trading_date and x.day_stage != DayStage.SETTLED
    returned = check_returnable(x, market, command, today) if x.venue.prefunded else Returned()

    if x.venue.prefunded:
        give_back(x, market, command, returned, today)
    if today:
        shrink_statistics(market, Mode(command.scope), command.target, command.price, command.quantity)
    x.busts[command.target] = Bust(command.target, command.quantity)
    x.emit(
        EventKind.TRADE_BUSTED,
        side=command.scope,
        instrument=command.instrument,
        price=command.price,
        quantity=command.quantity,
        account=command.account,
        contra_account=command.quantity2,
        order_id=command.target,
        aux=returned.pay,
        aux2=returned.units,
    )


def check_parties(x: Exchange, buyer: int, seller: int) -> None:
    if x.venue.prefunded:
        known = x.account_exists(buyer) and x.account_exists(seller)
    else:
        known = buyer >= 0 and 0 <= seller <= MAX_LABEL
    if not known:
        raise Refused(Reason.UNKNOWN_ACCOUNT)
    if buyer == seller:
        raise Refused(Reason.INVALID_COMBINATION)


def check_trade_terms(x: Exchange, market: Market, command: Command) -> None:
    """The restated terms could have been a trade's, and the number is one that was given and not yet cancelled."""
    if command.price < 1:
        raise Refused(Reason.INVALID_PRICE)
    if not market.floor <= command.price <= market.ceiling:
        raise Refused(Reason.PRICE_OUT_OF_WINDOW)
    if not 1 <= command.quantity <= MAX_QUANTITY:
        raise Refused(Reason.INVALID_QUANTITY)
    most = market.ceiling * command.quantity * market.terms.tick_value
    if most + fee_on(market.terms, most) > MAX_MONEY:
        raise Refused(Reason.AMOUNT_OVERFLOW)
    if not 1 <= command.target <= x.event_sequence:
        raise Refused(Reason.INVALID_AMOUNT)
    if command.target in x.busts:
        raise Refused(Reason.ALREADY_BUSTED)
    if not 0 < command.expiry <= x.trading_date:
        raise Refused(Reason.INVALID_DATE)
    if len(x.busts) >= MAX_BUSTS - 1:
        raise Refused(Reason.BUST_TABLE_FULL)


def not_settled(x: Exchange, today: bool) -> bool:
    """Whether the units still stand as bought today."""
    return today and bool(x.venue.settlement_days)


def check_returnable(x: Exchange, market: Market, command: Command, today: bool) -> Returned:
    """The buyer still has the units and the seller the money."""
    terms = market.terms
    pay, units = command.price * command.quantity * terms.tick_value, command.quantity * terms.units_per_lot
    bought = x.accounts[command.account].hold_of(terms.asset)
    if (bought.bought_today if not_settled(x, today) else bought.free) < units:
        raise Refused(Reason.INSUFFICIENT_UNITS)
    if x.accounts[command.quantity2].cash_in(terms.currency).free < pay:
        raise Refused(Reason.INSUFFICIENT_FUNDS)
    return Returned(pay, units)


def give_back(x: Exchange, market: Market, command: Command, returned: Returned, today: bool) -> None:
    terms = market.terms
    buyer, seller = x.accounts[command.account], x.accounts[command.quantity2]
    if not_settled(x, today):
        buyer.hold_of(terms.asset).bought_today -= returned.units
    else:
        buyer.hold_of(terms.asset).free -= returned.units
    seller.hold_of(terms.asset).free += returned.units
    purse = seller.cash_in(terms.currency)
    purse.free -= returned.pay
    if today:
        purse.proceeds_today -= min(purse.proceeds_today, returned.pay)
    buyer.cash_in(terms.currency).free += returned.pay


def shrink_statistics(market: Market, mode: Mode, trade_id: int, price: int, quantity: int) -> None:
    """The day's figures of one mode, each where it is large enough; the last price stays."""

    def less(figure: int, part: int) -> int:
        return figure - part if figure >= part else figure

    if mode == Mode.LISTED:
        market.volume = less(market.volume, quantity)
        market.turnover = less(market.turnover, price * quantity)
        market.trades = less(market.trades, 1)
        market.last_trades = [trade for trade in market.last_trades if trade[0] != trade_id]
        if not market.volume:
            market.open = market.high = market.low = 0
    elif mode == Mode.BLOCK:
        market.block_volume = less(market.block_volume, quantity)
        market.block_turnover = less(market.block_turnover, price * quantity)
        market.block_trades = less(market.block_trades, 1)
    else:
        market.auction_volume = less(market.auction_volume, quantity)
