"""Setting limits, counting what they look at from scratch, and the report of large holders.

Sources: as in `limits`; MEE trading rules art. 22 (large holders are reported, nothing is refused).
"""

import numpy as np

from engine.arena import SIDES
from engine.kernel.admission import check_role
from engine.kernel.book import next_in_book
from engine.kernel.compiler import plain, small
from engine.kernel.events import listed_phase, write_event
from engine.kernel.limits import COLLAR, COUNTED, LARGE, POSITION, count_resting, in_force, total_units
from engine.schema import BASIS_POINTS, EventKind, Reason, Status

MOST = (1 << 62) - 1
LARGE_BIT = 1 << LARGE


@plain
def check_addressed(s, c):
    """At most one firm, account or instrument is named, and it exists."""
    if (c.account != 0 and (c.instrument != 0 or c.target != 0)) or (c.instrument != 0 and c.target != 0):
        return Reason.INVALID_COMBINATION
    if not s.prefunded and (c.account != 0 or c.target != 0):
        return Reason.INVALID_COMBINATION
    if c.account < 0 or c.account > s.accounts_open:
        return Reason.UNKNOWN_ACCOUNT if s.prefunded else Reason.INVALID_COMBINATION
    if c.instrument < 0 or c.instrument > s.instruments:
        return Reason.UNKNOWN_INSTRUMENT
    return Reason.UNKNOWN_FIRM if c.target < 0 or c.target > s.firms else Reason.NONE


@plain
def check_values(s, c):
    if (c.scope == POSITION or c.scope == LARGE) and (c.instrument != 0 or not s.prefunded):
        return Reason.INVALID_LIMIT
    most = BASIS_POINTS if c.scope == COLLAR else MOST
    if c.quantity < 0 or c.quantity > most or c.quantity2 < 0 or c.quantity2 > most:
        return Reason.INVALID_LIMIT
    if c.expiry < 0 or (c.expiry == 0) != (c.quantity2 == 0):
        return Reason.INVALID_EXPIRY
    return Reason.NONE


@small
def put_limit(limit, c):
    """The counters stay, unless the limit is gone."""
    limit.value = c.quantity
    limit.override = c.quantity2
    limit.until = c.expiry
    if c.quantity == 0 and c.quantity2 == 0:
        limit.second = 0
        limit.count = 0


@plain
def set_limit(s, c):
    kind = np.int64(c.scope)
    if kind < 1 or kind > LARGE:
        return Reason.INVALID_LIMIT
    reason = check_role(s, c)
    if reason == Reason.NONE:
        reason = check_addressed(s, c)
    if reason == Reason.NONE:
        reason = check_values(s, c)
    if reason != Reason.NONE:
        return reason
    if c.target != 0:
        put_limit(s.firm_limits[c.target, kind], c)
    elif c.account != 0:
        put_limit(s.account_limits[c.account, kind], c)
    elif c.instrument != 0:
        put_limit(s.instrument_limits[c.instrument, kind], c)
    else:
        put_limit(s.venue_limits[kind], c)
    s.limits_set |= 1 << kind
    if s.limits_set & COUNTED and not s.counting:
        count_all(s)
    phase = listed_phase(s, c.instrument) if c.instrument != 0 else np.int64(0)
    write_event(
        s, c, EventKind.LIMIT_SET, 0, 0, phase, 0, c.instrument, 0, kind, c.account, 0,
        c.target, 0, c.client_order_id, 0, c.expiry, 0, c.quantity, c.quantity2, c.session, 0,
    )  # fmt: skip
    return Reason.NONE


@plain
def count_all(s):
    """Resting orders are counted from now on."""
    s.counting = 1
    for account in range(1, s.accounts_open + 1):
        s.account_orders[account] = 0
        for column in range(s.currencies, s.columns):
            s.holds[account * s.columns + column].buying = 0
    for firm in range(1, s.firms + 1):
        s.firm_orders[firm] = 0
    for instrument in range(1, s.instruments + 1):
        s.instrument_orders[instrument] = 0
        for k in range(SIDES):
            slot = next_in_book(s, instrument, k, 0)
            while slot != 0:
                order = s.orders[slot]
                count_resting(s, order, np.int64(order.remaining), 1)
                slot = next_in_book(s, instrument, k, slot)


@small
def join_firm(s, account):
    """An account becomes its firm's first one."""
    firm = s.accounts[account].firm
    s.next_account[account] = s.first_account[firm]
    s.first_account[firm] = account


@plain
def accounts_of_firm(s, firm):
    """How many accounts a firm has."""
    count, account = 0, s.first_account[firm]
    while account != 0:
        count += 1
        account = s.next_account[account]
    return count


@plain
def recount(s):
    """What follows from the state and is not part of it: call when a state has been restored."""
    for account in range(1, s.accounts_open + 1):
        join_firm(s, account)
    s.stopped_firms = 0
    for firm in range(1, s.firms + 1):
        if s.firm_table[firm].status != Status.ACTIVE:
            s.stopped_firms += 1
    if s.limits_set & COUNTED:
        count_all(s)


@plain
def large_holder_limit(s, account):
    """The account's limit, else its firm's, else the venue's; 0 = none."""
    limit = in_force(s, s.account_limits[account, LARGE])
    if limit == 0:
        limit = in_force(s, s.firm_limits[s.accounts[account].firm, LARGE])
    return limit if limit != 0 else in_force(s, s.venue_limits[LARGE])


@plain
def tell_large_holders(s, c):
    """SETTLE: who holds more than the limit, by account and asset."""
    if not s.limits_set & LARGE_BIT:
        return
    for account in range(1, s.accounts_open + 1):
        limit = large_holder_limit(s, account)
        if limit == 0:
            continue
        for asset in range(1, s.assets + 1):
            units = total_units(s, account, s.currencies + asset - 1)
            if units > limit:
                write_event(
                    s, c, EventKind.LARGE_HOLDER, 0, 0, 0, 0, 0, 0, 0, account, 0,
                    0, 0, c.client_order_id, 0, limit, 0, units, asset, c.session, 0,
                )  # fmt: skip
