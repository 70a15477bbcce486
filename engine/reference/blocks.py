"""Block trades: offers, counter-offers, acceptance; the terms that stand are locked for.

The rules: docs/blocks-and-auctions.md section 7. Sources: SEEE notice of 2021-06-22 (from 100,000 t, within 30 % of the
previous close; an offer is accepted, or answered in dialogue until both confirm price and quantity); rule book
section 4, B1 to B5.
"""

from __future__ import annotations

from engine.reference.admission import check_account, check_account_active, check_role, find_market
from engine.reference.exchange import Command, Exchange, Market, Refused
from engine.reference.limits import require_firm_active, require_member_limits, require_not_halted
from engine.reference.money import fee_on, require_free
from engine.reference.negotiations import end_negotiation, lock_for_terms, move_terms_lock, release_terms
from engine.reference.order_terms import check_side
from engine.reference.registers import Negotiation
from engine.schema import MAX_MONEY, MAX_QUANTITY, EventKind, Mode, Phase, Reason, Side

PUBLIC, NAMED = 0, 1
"""Scopes of an offer."""
MAX_LABEL = 2**31 - 1
"""Highest account number on a venue without pre-funding."""


def block_offer(x: Exchange, command: Command) -> None:
    """BLOCK_OFFER: terms for anybody, or for one named counterparty (rule book, B2)."""
    check_side(command.side)
    if command.scope not in (PUBLIC, NAMED):
        raise Refused(Reason.INVALID_SCOPE)
    if command.scope == PUBLIC and command.target:
        raise Refused(Reason.UNUSED_FIELD_SET)
    check_role(x, command)
    check_negotiator(x, command)
    market = find_market(x, command.instrument)
    if command.scope == NAMED:
        check_counterparty(x, command)
    check_block_open(x, market)
    check_enabled(x, command.account)
    if command.expiry and command.expiry <= x.timestamp:
        raise Refused(Reason.INVALID_EXPIRY)
    check_block_terms(market, command.price, command.quantity)
    limit_members(x, market, command, command.side)
    check_free_negotiation(x)
    locked = lock_for_terms(x, market, command.side, command.price, command.quantity)
    require_free(x, market, command.side, command.account, locked)

    offer = new_negotiation(x, command, command.instrument, command.side, command.target, command.expiry)
    stand(x, market, offer, locked)
    tell_offered(x, offer, answers=0)


def block_counter(x: Exchange, command: Command) -> None:
    """BLOCK_COUNTER: other terms; on a public offer they open a negotiation of their own with the offerer."""
    check_role(x, command)
    check_negotiator(x, command)
    negotiation = find_others_terms(x, command)
    market = x.markets[negotiation.instrument - 1]
    check_block_open(x, market)
    check_enabled(x, command.account)
    check_not_expired(x, negotiation)
    check_block_terms(market, command.price, command.quantity)
    side = opposite(negotiation.side)
    limit_members(x, market, command, side)
    if not negotiation.counterparty:
        check_free_negotiation(x)
    locked = lock_for_terms(x, market, side, command.price, command.quantity)
    require_free(x, market, side, command.account, locked)

    if negotiation.counterparty:
        counter_named(x, market, negotiation, command, locked)
    else:
        answer = new_negotiation(x, command, negotiation.instrument, side, negotiation.account, negotiation.expiry)
        stand(x, market, answer, locked)
        tell_offered(x, answer, answers=negotiation.id)


def counter_named(x: Exchange, market: Market, negotiation: Negotiation, command: Command, locked: int) -> None:
    """The other side's lock is released, the countering side's terms stand and are locked for (rule book, B3)."""
    released = release_terms(x, negotiation)
    before_number, before_session = negotiation.client_order_id, negotiation.session
    negotiation.side = opposite(negotiation.side)
    negotiation.account, negotiation.counterparty = command.account, negotiation.account
    negotiation.price, negotiation.quantity = command.price, command.quantity
    negotiation.session, negotiation.client_order_id = command.session, command.client_order_id
    stand(x, market, negotiation, locked)
    x.emit(
        EventKind.BLOCK_COUNTERED,
        side=negotiation.side,
        instrument=negotiation.instrument,
        price=negotiation.price,
        quantity=negotiation.quantity,
        account=negotiation.account,
        contra_account=negotiation.counterparty,
        order_id=negotiation.id,
        client_order_id=negotiation.client_order_id,
        contra_client_order_id=before_number,
        remaining=negotiation.quantity,
        aux=locked,
        aux2=released,
        session=negotiation.session,
        contra_session=before_session,
    )


def block_accept(x: Exchange, command: Command) -> None:
    """BLOCK_ACCEPT: both have confirmed price and quantity; locked and traded in one step (rule book, B3)."""
    check_role(x, command)
    check_negotiator(x, command)
    negotiation = find_others_terms(x, command)
    market = x.markets[negotiation.instrument - 1]
    check_block_open(x, market)
    check_enabled(x, command.account)
    check_not_expired(x, negotiation)
    if (command.price, command.quantity) != (negotiation.price, negotiation.quantity):
        raise Refused(Reason.TERMS_CHANGED)
    side = opposite(negotiation.side)
    limit_members(x, market, command, side)
    check_self_block(x, command.account, negotiation.account)
    locked = lock_for_terms(x, market, side, negotiation.price, negotiation.quantity)
    require_free(x, market, side, command.account, locked)

    move_terms_lock(x, market, side, command.account, locked)
    del x.negotiations[negotiation.id]
    trade_block(x, market, negotiation, command, side)


def block_withdraw(x: Exchange, command: Command) -> None:
    """BLOCK_WITHDRAW: either of the two ends it, a public offer only the offerer; in every phase."""
    check_role(x, command)
    check_negotiator(x, command)
    negotiation = x.negotiations.get(command.target)
    if negotiation is None or command.account not in (negotiation.account, negotiation.counterparty):
        raise Refused(Reason.UNKNOWN_NEGOTIATION)

    timer = command.session == 0 and has_expired(x, negotiation)
    end_negotiation(x, negotiation, Reason.TERMS_EXPIRED if timer else Reason.USER_REQUESTED)


def opposite(side: int) -> int:
    return int(Side.SELL if side == Side.BUY else Side.BUY)


def check_negotiator(x: Exchange, command: Command) -> None:
    """As NEW_ORDER 1; account 0 cannot negotiate, because counterparty 0 means public."""
    check_account(x, command)
    if command.account < 1:
        raise Refused(Reason.UNKNOWN_ACCOUNT)


def check_counterparty(x: Exchange, command: Command) -> None:
    """A named counterparty is another account, whoever owns it."""
    known = x.account_exists(command.target) if x.venue.prefunded else 1 <= command.target <= MAX_LABEL
    if not known:
        raise Refused(Reason.UNKNOWN_ACCOUNT)
    if command.target == command.account:
        raise Refused(Reason.INVALID_COMBINATION)


def check_block_open(x: Exchange, market: Market) -> None:
    """The instrument is traded in blocks now, and has the previous close that its limits need (rule book, B1)."""
    if not x.is_listed(market, x.trading_date):
        raise Refused(Reason.NOT_LISTED)
    if not market.terms.block_min:
        raise Refused(Reason.MODE_NOT_OFFERED)
    require_not_halted(x, market)
    if market.phases[Mode.BLOCK] != Phase.CONTINUOUS:
        raise Refused(Reason.WRONG_PHASE)
    if market.terms.limit_block_bps and not market.previous_close:
        raise Refused(Reason.NO_REFERENCE_PRICE)


def check_enabled(x: Exchange, account: int) -> None:
    check_account_active(x, account)
    require_firm_active(x, account)


def check_block_terms(market: Market, price: int, quantity: int) -> None:
    """Price, quantity, window, block limits, amount, in this order."""
    terms = market.terms
    if price < 1:
        raise Refused(Reason.INVALID_PRICE)
    if price % terms.price_step:
        raise Refused(Reason.OFF_TICK)
    if not 1 <= quantity <= MAX_QUANTITY:
        raise Refused(Reason.INVALID_QUANTITY)
    if quantity % terms.quantity_step:
        raise Refused(Reason.OFF_LOT)
    if quantity < terms.block_min:
        raise Refused(Reason.QUANTITY_TOO_SMALL)
    if quantity > terms.block_max:
        raise Refused(Reason.QUANTITY_TOO_LARGE)
    if not market.floor <= price <= market.ceiling:
        raise Refused(Reason.PRICE_OUT_OF_WINDOW)
    if terms.limit_block_bps and price > market.block_up:
        raise Refused(Reason.PRICE_ABOVE_LIMIT)
    if terms.limit_block_bps and price < market.block_down:
        raise Refused(Reason.PRICE_BELOW_LIMIT)
    most = market.ceiling * quantity * terms.tick_value
    if most + fee_on(terms, most) > MAX_MONEY:
        raise Refused(Reason.AMOUNT_OVERFLOW)


def limit_members(x: Exchange, market: Market, command: Command, side: int) -> None:
    """The member limits of docs/controls.md section 10.1, of the account that offers, answers or accepts."""
    require_member_limits(x, market, side=side, account=command.account, price=command.price, quantity=command.quantity)


def check_free_negotiation(x: Exchange) -> None:
    if len(x.negotiations) >= x.venue.capacity.negotiations:
        raise Refused(Reason.NEGOTIATION_TABLE_FULL)


def find_others_terms(x: Exchange, command: Command) -> Negotiation:
    """The live negotiation that this account may see and whose standing terms are somebody else's."""
    negotiation = x.negotiations.get(command.target)
    if negotiation is None or (
        negotiation.counterparty and command.account not in (negotiation.account, negotiation.counterparty)
    ):
        raise Refused(Reason.UNKNOWN_NEGOTIATION)
    if negotiation.account == command.account:
        raise Refused(Reason.OWN_TERMS)
    return negotiation


def has_expired(x: Exchange, negotiation: Negotiation) -> bool:
    return bool(negotiation.expiry) and x.timestamp >= negotiation.expiry


def check_not_expired(x: Exchange, negotiation: Negotiation) -> None:
    if has_expired(x, negotiation):
        raise Refused(Reason.NEGOTIATION_EXPIRED)


def check_self_block(x: Exchange, account: int, other: int) -> None:
    """One beneficial owner on both sides is no trade, where the venue prevents self-trades."""
    group = x.owner_group(account)
    if x.venue.self_trade_mode and group and group == x.owner_group(other):
        raise Refused(Reason.SELF_TRADE)


def new_negotiation(
    x: Exchange, command: Command, instrument: int, side: int, counterparty: int, expiry: int
) -> Negotiation:
    """The next negotiation, with the command's terms."""
    x.last_negotiation_id += 1
    negotiation = Negotiation(
        id=x.last_negotiation_id,
        instrument=instrument,
        side=side,
        account=command.account,
        counterparty=counterparty,
        price=command.price,
        quantity=command.quantity,
        expiry=expiry,
        session=command.session,
        client_order_id=command.client_order_id,
    )
    x.negotiations[negotiation.id] = negotiation
    return negotiation


def stand(x: Exchange, market: Market, negotiation: Negotiation, locked: int) -> None:
    """The terms stand: they are locked for."""
    move_terms_lock(x, market, negotiation.side, negotiation.account, locked)
    negotiation.locked = locked


def tell_offered(x: Exchange, negotiation: Negotiation, *, answers: int) -> None:
    x.emit(
        EventKind.BLOCK_OFFERED,
        side=negotiation.side,
        instrument=negotiation.instrument,
        price=negotiation.price,
        quantity=negotiation.quantity,
        account=negotiation.account,
        contra_account=negotiation.counterparty,
        order_id=negotiation.id,
        contra_order_id=answers,
        remaining=negotiation.quantity,
        aux=negotiation.locked,
        aux2=negotiation.expiry,
    )


def trade_block(x: Exchange, market: Market, negotiation: Negotiation, command: Command, side: int) -> None:
    """Delivery against payment, statistics of the block mode, events. Both sides are locked in full."""
    price, quantity = negotiation.price, negotiation.quantity
    buyer, seller = negotiation.account, command.account
    if side == Side.BUY:
        buyer, seller = seller, buyer
    fee = settle_block(x, market, buyer, seller, price, quantity) if x.venue.prefunded else 0
    market.block_volume += quantity
    market.block_turnover += price * quantity
    market.block_trades += 1
    x.emit(
        EventKind.BLOCK_TRADE,
        side=side,
        aggressor=side,
        instrument=market.instrument,
        price=price,
        quantity=quantity,
        account=command.account,
        contra_account=negotiation.account,
        order_id=negotiation.id,
        contra_order_id=negotiation.id,
        contra_client_order_id=negotiation.client_order_id,
        contra_session=negotiation.session,
    )
    if not fee:
        return
    accepting = (command.session, command.client_order_id)
    standing = (negotiation.session, negotiation.client_order_id)
    buying, selling = (accepting, standing) if side == Side.BUY else (standing, accepting)
    x.emit(
        EventKind.FEE,
        instrument=market.instrument,
        price=price,
        quantity=quantity,
        account=buyer,
        contra_account=seller,
        order_id=negotiation.id,
        contra_order_id=negotiation.id,
        client_order_id=buying[1],
        contra_client_order_id=selling[1],
        aux=fee,
        aux2=fee,
        session=buying[0],
        contra_session=selling[0],
    )


def settle_block(x: Exchange, market: Market, buyer: int, seller: int, price: int, quantity: int) -> int:
    """Money and units of one block trade, T+1 as in the listed mode (rule book, B5). Returns the fee of each side.

    The buyer's lock is exactly payment and fee, so nothing is left to release.
    """
    terms = market.terms
    pay, units = price * quantity * terms.tick_value, quantity * terms.units_per_lot
    fee = fee_on(terms, pay)
    x.accounts[buyer].cash_in(terms.currency).locked -= pay + fee
    received = x.accounts[buyer].hold_of(terms.asset)
    if x.venue.settlement_days:
        received.bought_today += units
    else:
        received.free += units
    x.accounts[seller].hold_of(terms.asset).locked -= units
    purse = x.accounts[seller].cash_in(terms.currency)
    purse.free += pay - fee
    purse.proceeds_today += pay - fee
    x.fees[terms.currency] += 2 * fee
    return fee
