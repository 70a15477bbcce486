"""Holds on units: pledges, court orders, transfers between registry and trading ledger.

The rules: docs/registry.md. Sources: MEE measures (the registry's record is the proof of ownership, judicial freezes),
pledge practice of the national registry. Only pre-funded venues come here (see admission.check_kind).
"""

import numpy as np

from engine.kernel.admission import check_account, check_role
from engine.kernel.book import next_in_book
from engine.kernel.compiler import plain, small
from engine.kernel.events import counted, write_event
from engine.kernel.ledger import lock_of, units_of
from engine.kernel.matching import cancel_resting
from engine.kernel.registers import compact, live_row
from engine.kernel.registry import check_operator_account
from engine.schema import EventKind, HoldType, Reason, Status

MAX_UNITS = (1 << 62) - 1
PLEDGE, JUDICIAL = int(HoldType.PLEDGE), int(HoldType.JUDICIAL)
SELLING = (1, 3)
"""Sides that lock units: sell orders, then waiting sell stops."""
TRANSFER_OUT, TRANSFER_IN = int(HoldType.TRANSFER_OUT), int(HoldType.TRANSFER_IN)


@small
def tell(s, c, kind, side, account, contra_account, number, quantity, remaining, contra_remaining, aux, aux2):
    """An event of the registry: about an account, with the command's session and number."""
    write_event(
        s, c, kind, 0, side, 0, 0, 0, 0, quantity, account, contra_account, number, 0, c.client_order_id, 0,
        remaining, contra_remaining, aux, aux2, c.session, 0,
    )  # fmt: skip


@plain
def tell_hold(s, c, kind, row, contra_account, units):
    """HOLD_PLACED, HOLD_RELEASED or HOLD_REALISED; the hold's quantity has already shrunk."""
    hold = s.encumbrances[row]
    tell(
        s, c, kind, hold.type, hold.account, contra_account, hold.id, units, hold.quantity, 0, hold.asset,
        hold.reference,
    )  # fmt: skip


@small
def buckets_of(s, account, asset):
    """The buckets that trading does not touch."""
    return s.holds[np.int64(account) * s.columns + s.currencies + np.int64(asset) - 1]


@small
def check_amount(units):
    return Reason.NONE if 1 <= units <= MAX_UNITS else Reason.INVALID_AMOUNT


@small
def check_asset(s, asset):
    return Reason.NONE if 1 <= asset <= s.assets else Reason.UNKNOWN_ASSET


@small
def check_asset_units(s, c):
    reason = check_asset(s, c.scope)
    return reason if reason != Reason.NONE else check_amount(c.quantity)


@plain
def check_owner(s, c):
    """Role, account owned and ACTIVE."""
    reason = check_role(s, c)
    if reason == Reason.NONE:
        reason = check_account(s, c)
    if reason == Reason.NONE and s.accounts[c.account].status != Status.ACTIVE:
        reason = Reason.ACCOUNT_SUSPENDED
    return reason


@plain
def check_owner_enabled(s, c):
    """Role, account owned and ACTIVE, its firm ACTIVE, asset and units."""
    reason = check_owner(s, c)
    if reason == Reason.NONE and s.firm_table[s.accounts[c.account].firm].status != Status.ACTIVE:
        reason = Reason.FIRM_STOPPED
    return reason if reason != Reason.NONE else check_asset_units(s, c)


@small
def check_creditor(s, c):
    """A pledge names another existing account as its creditor, and a reference."""
    if c.target < 1 or c.target > s.accounts_open:
        return Reason.UNKNOWN_ACCOUNT
    return Reason.INVALID_COMBINATION if c.target == c.account else Reason.NONE


@plain
def missing_units(s, account, asset, units, more):
    """Reason.NONE when free units, and `more` that can be made free, are enough; else why not."""
    balance = units_of(s, account, asset)
    found = balance.free + more
    if found >= units:
        return Reason.NONE
    return Reason.UNITS_BOUGHT_TODAY if found + balance.bought_today >= units else Reason.INSUFFICIENT_UNITS


@plain
def check_free_hold(s):
    if s.encumbrances_used >= s.hold_capacity:
        s.encumbrances_used = compact(s.encumbrances, s.encumbrances_used)
    return Reason.HOLD_TABLE_FULL if s.encumbrances_used >= s.hold_capacity else Reason.NONE


@plain
def place(s, c, kind, creditor, reference):
    """A new hold of the command's account, asset and units; told at once."""
    s.last_hold_id += 1
    s.encumbrances_used += 1
    hold = s.encumbrances[s.encumbrances_used]
    hold.id = s.last_hold_id
    hold.type = kind
    hold.account = c.account
    hold.asset = c.scope
    hold.quantity = c.quantity
    hold.creditor = creditor
    hold.reference = reference
    tell_hold(s, c, EventKind.HOLD_PLACED, s.encumbrances_used, creditor, c.quantity)


@plain
def lift(s, row, units):
    """Take units of a hold out of their bucket; a TRANSFER_IN has none."""
    hold = s.encumbrances[row]
    buckets = buckets_of(s, hold.account, hold.asset)
    if hold.type == PLEDGE:
        buckets.pledged -= units
    elif hold.type == JUDICIAL:
        buckets.judicial -= units
    elif hold.type == TRANSFER_OUT:
        buckets.transfer_pending -= units
    hold.quantity -= units


@plain
def place_hold(s, c):
    if c.side != PLEDGE and c.side != JUDICIAL:
        return Reason.INVALID_HOLD
    reason = check_operator_account(s, c)
    if reason == Reason.NONE:
        reason = check_asset_units(s, c)
    if reason != Reason.NONE:
        return reason
    if c.side == PLEDGE:
        reason = check_creditor(s, c)
    elif c.target != 0:
        reason = Reason.UNUSED_FIELD_SET
    if reason == Reason.NONE and c.quantity2 < 0:
        reason = Reason.INVALID_AMOUNT
    if reason == Reason.NONE:
        reason = check_free_hold(s)
    if reason != Reason.NONE:
        return reason
    balance = units_of(s, c.account, c.scope)
    judicial = c.side == JUDICIAL
    offered = units_offered(s, c.account, c.scope) if judicial and balance.free < c.quantity else np.int64(0)
    reason = missing_units(s, c.account, c.scope, c.quantity, offered)
    if reason != Reason.NONE:
        return reason
    if judicial:
        if balance.free < c.quantity:
            seize_offered(s, c)
        buckets_of(s, c.account, c.scope).judicial += c.quantity
    else:
        buckets_of(s, c.account, c.scope).pledged += c.quantity
    balance.free -= c.quantity
    place(s, c, np.int64(c.side), c.target, c.quantity2)
    return Reason.NONE


@plain
def units_offered(s, account, asset):
    """Units that the account's live sell orders lock in all instruments of the asset."""
    units = np.int64(0)
    for i in range(1, s.instruments + 1):
        for k in SELLING:
            slot = next_in_book(s, i, k, 0) if s.books[i].asset == asset else np.int64(0)
            while slot != 0:
                if s.orders[slot].account == account:
                    units += lock_of(s, s.orders[slot])
                slot = next_in_book(s, i, k, slot)
    return units


@plain
def seize_offered(s, c):
    """A court order overrides the owner: sell orders are cancelled until the units are free."""
    balance = units_of(s, c.account, c.scope)
    for i in range(1, s.instruments + 1):
        for k in SELLING:
            slot = next_in_book(s, i, k, 0) if s.books[i].asset == c.scope else np.int64(0)
            while slot != 0 and balance.free < c.quantity:
                following = next_in_book(s, i, k, slot)
                if s.orders[slot].account == c.account:
                    cancel_resting(s, c, slot, EventKind.CANCELLED, Reason.JUDICIAL_HOLD)
                slot = following


@plain
def pledge_request(s, c):
    reason = check_owner_enabled(s, c)
    if reason == Reason.NONE:
        reason = check_creditor(s, c)
    if reason == Reason.NONE and c.quantity2 < 0:
        reason = Reason.INVALID_AMOUNT
    if reason == Reason.NONE:
        reason = check_free_hold(s)
    if reason == Reason.NONE:
        reason = missing_units(s, c.account, c.scope, c.quantity, np.int64(0))
    if reason != Reason.NONE:
        return reason
    units_of(s, c.account, c.scope).free -= c.quantity
    buckets_of(s, c.account, c.scope).pledged += c.quantity
    place(s, c, PLEDGE, c.target, c.quantity2)
    return Reason.NONE


@plain
def set_transfer_window(s, c):
    """The calendar, or an operator, opens or closes the window in which owners ask for transfers."""
    if c.scope > 1:
        return Reason.INVALID_SCOPE
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    previous = 1 - s.transfers_closed
    s.transfers_closed = 1 - c.scope
    counted(s, c, EventKind.TRANSFER_WINDOW_SET, 0, c.scope, previous, 0)
    return Reason.NONE


@plain
def check_transfer(s, c):
    """What both transfers ask first."""
    reason = check_owner_enabled(s, c)
    if reason == Reason.NONE and s.transfers_closed:
        reason = Reason.TRANSFERS_CLOSED
    return reason if reason != Reason.NONE else check_free_hold(s)


@plain
def transfer_out(s, c):
    reason = check_transfer(s, c)
    if reason == Reason.NONE:
        reason = missing_units(s, c.account, c.scope, c.quantity, np.int64(0))
    if reason != Reason.NONE:
        return reason
    units_of(s, c.account, c.scope).free -= c.quantity
    buckets_of(s, c.account, c.scope).transfer_pending += c.quantity
    place(s, c, TRANSFER_OUT, 0, 0)
    return Reason.NONE


@plain
def transfer_in(s, c):
    """Nothing moves until the registry confirms by REALISE_HOLD."""
    reason = check_transfer(s, c)
    if reason == Reason.NONE and c.quantity > MAX_UNITS - s.units_deposited[c.scope]:
        reason = Reason.AMOUNT_OVERFLOW
    if reason == Reason.NONE:
        place(s, c, TRANSFER_IN, 0, 0)
    return reason


@plain
def check_hold(s, c, row):
    """What RELEASE_HOLD and REALISE_HOLD ask alike, after the role."""
    if row == 0:
        return Reason.UNKNOWN_HOLD
    hold = s.encumbrances[row]
    reason = check_amount(c.quantity)
    if reason != Reason.NONE:
        return reason
    if c.quantity > hold.quantity:
        return Reason.EXCEEDS_HOLD
    if hold.type == PLEDGE:
        return Reason.NONE if c.quantity2 == hold.creditor else Reason.WRONG_CREDITOR
    return Reason.NONE if c.quantity2 == 0 else Reason.UNUSED_FIELD_SET


@plain
def release_hold(s, c):
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    row = live_row(s.encumbrances, s.encumbrances_used, c.target)
    reason = check_hold(s, c, row)
    if reason != Reason.NONE:
        return reason
    hold = s.encumbrances[row]
    if hold.type != TRANSFER_IN:
        units_of(s, hold.account, hold.asset).free += c.quantity
    lift(s, row, c.quantity)
    tell_hold(s, c, EventKind.HOLD_RELEASED, row, hold.creditor, c.quantity)
    return Reason.NONE


@plain
def check_receiver(s, c, row):
    """Whom the units of a realised hold may go to; 0 = out of the ledger (TRANSFER_IN: into it)."""
    hold = s.encumbrances[row]
    if c.account < 0 or c.account > s.accounts_open:
        return Reason.UNKNOWN_ACCOUNT
    if hold.type == PLEDGE:
        allowed = c.account != 0 and c.account != hold.account
    elif hold.type == JUDICIAL:
        allowed = c.account != hold.account
    else:
        allowed = c.account == 0
    if not allowed:
        return Reason.INVALID_COMBINATION
    if hold.type == TRANSFER_IN and c.quantity > MAX_UNITS - s.units_deposited[hold.asset]:
        return Reason.AMOUNT_OVERFLOW
    return Reason.NONE


@plain
def realise_hold(s, c):
    reason = check_role(s, c)
    if reason != Reason.NONE:
        return reason
    row = live_row(s.encumbrances, s.encumbrances_used, c.target)
    reason = check_hold(s, c, row)
    if reason == Reason.NONE:
        reason = check_receiver(s, c, row)
    if reason != Reason.NONE:
        return reason
    hold = s.encumbrances[row]
    if hold.type == TRANSFER_IN:
        units_of(s, hold.account, hold.asset).free += c.quantity
        s.units_deposited[hold.asset] += c.quantity
    elif c.account != 0:
        units_of(s, c.account, hold.asset).free += c.quantity
    else:
        s.units_deposited[hold.asset] -= c.quantity
    lift(s, row, c.quantity)
    tell_hold(s, c, EventKind.HOLD_REALISED, row, c.account, c.quantity)
    return Reason.NONE
