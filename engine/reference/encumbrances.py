"""Holds on units, transfers between registry and trading ledger (docs/registry.md; rule book section 5, G1 to G9).

The registry record is the final proof of ownership: the operator tells what the registry did, owners ask.
"""

from __future__ import annotations

from engine.reference.administration import check_amount, check_asset, check_total, find_account
from engine.reference.admission import check_account, check_account_active, check_role
from engine.reference.book import Order
from engine.reference.exchange import Command, Exchange, Hold, Refused
from engine.reference.limits import require_firm_active
from engine.reference.matching import end_order
from engine.reference.registers import Encumbrance
from engine.schema import EventKind, HoldType, Reason, Side


def check_free(hold: Hold, units: int) -> None:
    """Only what is free can be held or given away (rule book, G2)."""
    if hold.free < units:
        enough_tomorrow = hold.free + hold.bought_today >= units
        raise Refused(Reason.UNITS_BOUGHT_TODAY if enough_tomorrow else Reason.INSUFFICIENT_UNITS)


def check_room_for_hold(x: Exchange) -> None:
    if len(x.encumbrances) >= x.venue.capacity.holds:
        raise Refused(Reason.HOLD_TABLE_FULL)


def check_reference(reference: int) -> None:
    if reference < 0:
        raise Refused(Reason.INVALID_AMOUNT)


def check_creditor_account(x: Exchange, command: Command) -> None:
    """A pledge has a creditor with an account, who is not the owner."""
    if not x.account_exists(command.target):
        raise Refused(Reason.UNKNOWN_ACCOUNT)
    if command.target == command.account:
        raise Refused(Reason.INVALID_COMBINATION)


def place_hold(x: Exchange, command: Command) -> None:
    """PLACE_HOLD: a filed pledge needs free units, a court order overrides the owner's sell orders (G7, G8)."""
    if command.side not in (HoldType.PLEDGE, HoldType.JUDICIAL):
        raise Refused(Reason.INVALID_HOLD)
    check_role(x, command)
    account = find_account(x, command.account)
    check_asset(x, command.scope)
    check_amount(command.quantity)
    pledge = command.side == HoldType.PLEDGE
    if pledge:
        check_creditor_account(x, command)
    elif command.target:
        raise Refused(Reason.UNUSED_FIELD_SET)
    check_reference(command.quantity2)
    check_room_for_hold(x)
    hold = account.hold_of(command.scope)
    if pledge:
        check_free(hold, command.quantity)
    else:
        seize_from_orders(x, command, hold)

    hold.free -= command.quantity
    if pledge:
        hold.pledged += command.quantity
    else:
        hold.judicial += command.quantity
    begin_hold(x, command, command.side, command.target, command.quantity2)


def seize_from_orders(x: Exchange, command: Command, hold: Hold) -> None:
    """Sell orders are cancelled, in the order of a mass cancel, until enough is free; only if they suffice."""
    selling = [order for order in x.live_orders() if sells_asset(x, order, command.account, command.scope)]
    within_reach = hold.free + sum(units_locked(x, order) for order in selling)
    if within_reach < command.quantity:
        enough_tomorrow = within_reach + hold.bought_today >= command.quantity
        raise Refused(Reason.UNITS_BOUGHT_TODAY if enough_tomorrow else Reason.INSUFFICIENT_UNITS)
    for order in selling:
        if hold.free >= command.quantity:
            break
        end_order(x, x.markets[order.instrument - 1], order, EventKind.CANCELLED, Reason.JUDICIAL_HOLD)


def sells_asset(x: Exchange, order: Order, account: int, asset: int) -> bool:
    if order.side != Side.SELL or order.account != account:
        return False
    return x.markets[order.instrument - 1].terms.asset == asset


def units_locked(x: Exchange, order: Order) -> int:
    return order.remaining * x.markets[order.instrument - 1].terms.units_per_lot


def begin_hold(x: Exchange, command: Command, kind: int, creditor: int, reference: int) -> None:
    """The hold gets the next number."""
    x.last_hold_id += 1
    held = Encumbrance(x.last_hold_id, kind, command.account, command.scope, command.quantity, creditor, reference)
    x.encumbrances[held.id] = held
    tell_hold(x, EventKind.HOLD_PLACED, held, command.quantity, creditor)


def tell_hold(x: Exchange, kind: EventKind, held: Encumbrance, units: int, contra_account: int) -> None:
    x.emit(
        kind,
        side=held.type,
        quantity=units,
        account=held.account,
        contra_account=contra_account,
        order_id=held.id,
        remaining=held.quantity,
        aux=held.asset,
        aux2=held.reference,
    )


def pledge_request(x: Exchange, command: Command) -> None:
    """PLEDGE_REQUEST: the pledge stands at once; the loan is the creditor's figure, never the book's (G9)."""
    check_role(x, command)
    check_account(x, command)
    check_account_active(x, command.account)
    require_firm_active(x, command.account)
    check_asset(x, command.scope)
    check_amount(command.quantity)
    check_creditor_account(x, command)
    check_reference(command.quantity2)
    check_room_for_hold(x)
    hold = x.accounts[command.account].hold_of(command.scope)
    check_free(hold, command.quantity)

    hold.free -= command.quantity
    hold.pledged += command.quantity
    begin_hold(x, command, HoldType.PLEDGE, command.target, command.quantity2)


def set_transfer_window(x: Exchange, command: Command) -> None:
    """SET_TRANSFER_WINDOW: whether owners may ask for transfers now (G2)."""
    if command.scope not in (0, 1):
        raise Refused(Reason.INVALID_SCOPE)
    check_role(x, command)

    was_open = not x.transfers_closed
    x.transfers_closed = int(command.scope == 0)
    x.emit(EventKind.TRANSFER_WINDOW_SET, aux=command.scope, aux2=int(was_open))


def transfer_out(x: Exchange, command: Command) -> None:
    """TRANSFER_OUT: back to the registry; held until the registry answers (G2)."""
    hold = check_transfer(x, command)
    check_free(hold, command.quantity)

    hold.free -= command.quantity
    hold.transfer_pending += command.quantity
    begin_hold(x, command, HoldType.TRANSFER_OUT, 0, 0)


def transfer_in(x: Exchange, command: Command) -> None:
    """TRANSFER_IN: a request; nothing moves until the registry confirms (G2)."""
    check_transfer(x, command)
    check_total(x.units_deposited[command.scope] + command.quantity)

    begin_hold(x, command, HoldType.TRANSFER_IN, 0, 0)


def check_transfer(x: Exchange, command: Command) -> Hold:
    check_role(x, command)
    check_account(x, command)
    check_account_active(x, command.account)
    require_firm_active(x, command.account)
    check_asset(x, command.scope)
    check_amount(command.quantity)
    if x.transfers_closed:
        raise Refused(Reason.TRANSFERS_CLOSED)
    check_room_for_hold(x)
    return x.accounts[command.account].hold_of(command.scope)


def find_hold(x: Exchange, command: Command) -> Encumbrance:
    """The live hold that is released or realised, for no more than it still has; a pledge in its creditor's name."""
    check_role(x, command)
    held = x.encumbrances.get(command.target)
    if held is None:
        raise Refused(Reason.UNKNOWN_HOLD)
    check_amount(command.quantity)
    if command.quantity > held.quantity:
        raise Refused(Reason.EXCEEDS_HOLD)
    if held.type == HoldType.PLEDGE:
        if command.quantity2 != held.creditor:
            raise Refused(Reason.WRONG_CREDITOR)
    elif command.quantity2:
        raise Refused(Reason.UNUSED_FIELD_SET)
    return held


def take_off(x: Exchange, held: Encumbrance, units: int) -> Hold:
    """The hold shrinks with its bucket; with nothing left it is gone. A TRANSFER_IN has no bucket."""
    hold = x.accounts[held.account].hold_of(held.asset)
    if held.type == HoldType.PLEDGE:
        hold.pledged -= units
    elif held.type == HoldType.JUDICIAL:
        hold.judicial -= units
    elif held.type == HoldType.TRANSFER_OUT:
        hold.transfer_pending -= units
    held.quantity -= units
    if not held.quantity:
        del x.encumbrances[held.id]
    return hold


def release_hold(x: Exchange, command: Command) -> None:
    """RELEASE_HOLD: whole or in part, back to free; a TRANSFER_IN is refused."""
    held = find_hold(x, command)

    hold = take_off(x, held, command.quantity)
    if held.type != HoldType.TRANSFER_IN:
        hold.free += command.quantity
    tell_hold(x, EventKind.HOLD_RELEASED, held, command.quantity, held.creditor)


def realise_hold(x: Exchange, command: Command) -> None:
    """REALISE_HOLD: a pledge goes to a receiver, a court's deduction too or out; a transfer is completed."""
    held = find_hold(x, command)
    receiver = command.account
    if receiver:
        find_account(x, receiver)
    check_receiver(held, receiver)
    if held.type == HoldType.TRANSFER_IN:
        check_total(x.units_deposited[held.asset] + command.quantity)

    hold = take_off(x, held, command.quantity)
    if held.type == HoldType.TRANSFER_IN:
        hold.free += command.quantity
        x.units_deposited[held.asset] += command.quantity
    elif receiver:
        x.accounts[receiver].hold_of(held.asset).free += command.quantity
    else:
        x.units_deposited[held.asset] -= command.quantity
    tell_hold(x, EventKind.HOLD_REALISED, held, command.quantity, receiver)


def check_receiver(held: Encumbrance, receiver: int) -> None:
    if held.type in (HoldType.TRANSFER_IN, HoldType.TRANSFER_OUT):
        fits = receiver == 0
    elif held.type == HoldType.PLEDGE:
        fits = receiver not in (0, held.account)
    else:
        fits = receiver != held.account
    if not fits:
        raise Refused(Reason.INVALID_COMBINATION)
