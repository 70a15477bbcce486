"""What the fields of every event kind mean; a field not named here is zero or one of the common fields."""

from __future__ import annotations

from typing import Final

from engine.schema.enums import EventKind

EVENT_FIELDS: Final[dict[EventKind, str]] = {
    EventKind.ACCEPTED: "price = limit in force; quantity, remaining = lots; aux = amount locked (cash "
    "minor units for a "
    "buy, asset units for a sell, 0 where the venue does not pre-fund); aux2 = order_type | time_in_force << 8 | "
    "self_trade << 16 | flags << 24 (a TAKE: order_type 0, time_in_force 4)",
    EventKind.REJECTED: "reason; side, instrument, account, price, quantity, client_order_id as sent; "
    "aux = command kind; "
    "aux2 = target as sent",
    EventKind.TRADE: "trade id = sequence; side = aggressor = the aggressor's side; account, order_id, "
    "client_order_id, "
    "remaining, session = aggressor; contra fields = resting order; aux = cash released to the buyer "
    "beside the payment "
    "(price improvement); aux2 = 0",
    EventKind.FEE: "directly after its TRADE when either fee is not zero: quantity = trade's lots; account = buyer, "
    "contra_account = seller (order ids likewise); aux = buyer's fee, aux2 = seller's fee, minor units",
    EventKind.CANCELLED: "reason; price; quantity = lots cancelled; remaining 0; aux = amount released "
    "(as in ACCEPTED); "
    "session = owner's; contra_session, contra_client_order_id = of the command that caused it",
    EventKind.EXPIRED: "as CANCELLED, for immediate remainders and day orders",
    EventKind.REPLACED: "price, quantity = new terms; remaining; aux = amount additionally locked "
    "(negative: released); "
    "aux2 = 1 when priority was kept; client_order_id = the order's; contra_client_order_id, "
    "contra_session = the command's",
    EventKind.DECREMENTED: "self-trade prevention took `quantity` lots off both orders: fields as TRADE; "
    "aux = cash released "
    "to the buyer, aux2 = units released to the seller",
    EventKind.MASS_CANCELLED: "after the CANCELLED events: quantity = their count; client_order_id = the command's",
    EventKind.PHASE_CHANGED: "instrument; phase = new phase; side = mode; aux = trading date; aux2 = previous phase",
    EventKind.CLOCK_ANCHORED: "aux = journal time; aux2 = monotonic time; quantity, remaining = rate",
    EventKind.DAY_OPENED: "aux = trading date, aux2 = previous trading date",
    EventKind.TRADING_STOPPED: "after the PHASE_CHANGED events: aux = trading date",
    EventKind.ORDERS_EXPIRED: "after the EXPIRED events: quantity = their count; aux = trading date",
    EventKind.CLOSE_FIXED: "price = close; quantity = listed lots; remaining = open; contra_remaining = "
    "high; aux2 = low; "
    "aux = turnover in ticks x lots modulo 2^62, contra_order_id = its multiples of 2^62; order_id = number of trades",
    EventKind.COMPOSITE_FIXED: "price = composite; aux = trading date",
    EventKind.UNITS_SETTLED: "account; quantity = units that became free; aux2 = asset",
    EventKind.CASH_SETTLED: "account; aux = sale proceeds that became withdrawable; aux2 = currency",
    EventKind.LIMITS_SET: "price = reference; aux, aux2 = listed lower and upper limit; remaining, "
    "contra_remaining = block "
    "lower and upper limit (0 = none)",
    EventKind.SETTLED: "aux = trading date",
    EventKind.FIRM_OPENED: "aux = firm id",
    EventKind.ACCOUNT_OPENED: "account = its id; aux = firm; aux2 = owner group; quantity = from date",
    EventKind.SESSION_OPENED: "aux = session id; aux2 = firm; quantity = role",
    EventKind.ACCOUNT_STATUS_SET: "account; aux = new status; aux2 = previous status",
    EventKind.SESSION_STATUS_SET: "aux = session id; aux2 = new status; quantity = previous status",
    EventKind.OWNER_GROUP_SET: "account; aux = new group; aux2 = previous group; quantity = from date",
    EventKind.SESSION_UP: "aux = session id; aux2 = disconnect policy",
    EventKind.SESSION_DOWN: "after the CANCELLED events: aux = session id; aux2 = orders cancelled; reason = as told",
    EventKind.CASH_MOVED: "account; aux = signed amount; aux2 = free cash afterwards; quantity = currency",
    EventKind.UNITS_MOVED: "account; aux = signed units; aux2 = free units afterwards; quantity = asset",
}
