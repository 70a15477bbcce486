"""What the fields of every event kind mean; a field not named here is zero or one of the common fields."""

from __future__ import annotations

from typing import Final

from engine.schema.enums import EventKind

EVENT_FIELDS: Final[dict[EventKind, str]] = {
    EventKind.ACCEPTED: "price = limit in force; quantity, remaining = lots; aux = amount locked (cash "
    "minor units for a "
    "buy, asset units for a sell, 0 where the venue does not pre-fund); aux2 = order_type | time_in_force << 8 | "
    "self_trade << 16 | flags << 24 (a TAKE: order_type 0, time_in_force 4); of a QUOTE's offer client_order_id = the "
    "command's and 1",
    EventKind.REJECTED: "reason; side, instrument, account, price, quantity, client_order_id as sent; "
    "aux = command kind; "
    "aux2 = target as sent; remaining = what the reason is about: PURCHASE_LIMIT the lots that may still be bid for, "
    "BELOW_FLOOR the floor of the year, NOTICE_PERIOD the trading days still missing; else 0",
    EventKind.TRADE: "trade id = sequence; side = aggressor = the aggressor's side; account, order_id, "
    "client_order_id, "
    "remaining, session = aggressor; contra fields = resting order; aux = cash released to the buyer "
    "beside the payment "
    "(price improvement); aux2 = 0. In a call auction side = aggressor = 0: account, order_id, client_order_id, "
    "remaining, session = buyer, contra fields = seller",
    EventKind.FEE: "directly after its TRADE when either fee is not zero: quantity = trade's lots; account = buyer, "
    "contra_account = seller (order ids likewise); aux = buyer's fee, aux2 = seller's fee, minor units",
    EventKind.CANCELLED: "reason; price; quantity = lots cancelled; remaining 0; aux = amount released "
    "(as in ACCEPTED); "
    "session = owner's; contra_session, contra_client_order_id = of the command that caused it",
    EventKind.EXPIRED: "as CANCELLED, for immediate remainders, day orders, orders good till a date and what a call "
    "auction leaves of the orders for it alone",
    EventKind.REPLACED: "price, quantity = new terms; remaining; aux = amount additionally locked "
    "(negative: released); "
    "aux2 = 1 when priority was kept; client_order_id = the order's; contra_client_order_id, "
    "contra_session = the command's",
    EventKind.DECREMENTED: "self-trade prevention took `quantity` lots off both orders: fields as TRADE; "
    "aux = cash released "
    "to the buyer, aux2 = units released to the seller",
    EventKind.MASS_CANCELLED: "after the CANCELLED events: quantity = their count; client_order_id = the command's",
    EventKind.TRIGGERED: "a stop order becomes active: side, quantity, account, order_id, client_order_id, remaining, "
    "session = the order's; price = its limit; aux = the last price, which triggered it; aux2 = its stop price",
    EventKind.REFRESHED: "an iceberg shows its next part behind the others: side, price, account, order_id, "
    "client_order_id, session = the order's; quantity = lots now shown; remaining",
    EventKind.CALL_UNCROSSED: "before the trades of a call auction: price = uncrossing price, quantity = lots "
    "that trade; "
    "remaining = lots bid at it or higher, contra_remaining = lots offered at it or lower; aux = reference price",
    EventKind.PHASE_CHANGED: "instrument; phase = new phase; side = mode; aux = trading date; aux2 = previous phase; "
    "quantity = 1 when the call is frozen (no cancels)",
    EventKind.CLOCK_ANCHORED: "aux = journal time; aux2 = monotonic time; quantity, remaining = rate",
    EventKind.DAY_OPENED: "aux = trading date, aux2 = previous trading date",
    EventKind.TRADING_STOPPED: "after the PHASE_CHANGED events: aux = trading date",
    EventKind.ORDERS_EXPIRED: "after the EXPIRED events: quantity = their count; aux = trading date",
    EventKind.CLOSE_FIXED: "price = close; quantity = listed lots; remaining = open; contra_remaining = "
    "high; aux2 = low; "
    "aux = turnover in ticks x lots modulo 2^62, contra_order_id = its multiples of 2^62; order_id = number of "
    "trades",
    EventKind.COMPOSITE_FIXED: "price = composite; aux = trading date",
    EventKind.UNITS_SETTLED: "account; quantity = units that became free; aux2 = asset",
    EventKind.CASH_SETTLED: "account; aux = sale proceeds that became withdrawable; aux2 = currency",
    EventKind.LIMITS_SET: "price = reference; aux, aux2 = listed lower and upper limit; remaining, "
    "contra_remaining = block "
    "lower and upper limit (0 = none)",
    EventKind.SETTLED: "aux = trading date",
    EventKind.INSTRUMENT_LISTED: "price = reference; aux = first trading date",
    EventKind.INSTRUMENT_DELISTED: "aux = last trading date",
    EventKind.WINDOW_SET: "aux, aux2 = new floor and ceiling; remaining, contra_remaining = the previous ones",
    EventKind.SETTLEMENT_ACKNOWLEDGED: "aux = trading date; quantity = 0 accepted, 1 refused",
    EventKind.TRANSFER_WINDOW_SET: "aux = 1 transfers may be asked for, 0 not; aux2 = the same before",
    EventKind.FIRM_OPENED: "aux = firm id",
    EventKind.ACCOUNT_OPENED: "account = its id; aux = firm; aux2 = owner group; quantity = from date",
    EventKind.SESSION_OPENED: "aux = session id; aux2 = firm; quantity = role",
    EventKind.ACCOUNT_STATUS_SET: "account; aux = new status; aux2 = previous status",
    EventKind.SESSION_STATUS_SET: "aux = session id; aux2 = new status; quantity = previous status",
    EventKind.OWNER_GROUP_SET: "account; aux = new group; aux2 = previous group; quantity = from date",
    EventKind.SESSION_UP: "aux = session id; aux2 = disconnect policy",
    EventKind.SESSION_DOWN: "after the CANCELLED events: aux = session id; aux2 = orders cancelled; reason = as told",
    EventKind.LIMIT_SET: "instrument, account, order_id = firm, as far as addressed; quantity = LimitKind; aux "
    "= value, "
    "aux2 = overriding value, remaining = until when that one holds, ns",
    EventKind.KILL_SWITCH_SET: "after the orders, bids and negotiations that it ended: side = KillScope; account, "
    "instrument, order_id = firm, as addressed; quantity = how many ended; aux = 0 stop, 1 resume",
    EventKind.TRADE_BUSTED: "order_id = trade id; side = mode; price, quantity; account = buyer, contra_account "
    "= seller; "
    "aux = cash returned to the buyer, aux2 = units returned to the seller",
    EventKind.LARGE_HOLDER: "report: account; aux = units held, aux2 = asset, remaining = the limit; nothing is "
    "refused",
    EventKind.CASH_MOVED: "account; aux = signed amount; aux2 = free cash afterwards; quantity = currency",
    EventKind.UNITS_MOVED: "account; aux = signed units; aux2 = free units afterwards; quantity = asset",
    EventKind.UNITS_ALLOCATED: "account; aux = units; aux2 = free units afterwards; quantity = asset; "
    "remaining = year; contra_remaining = 1 when the year's date for allocation had passed",
    EventKind.HOLD_PLACED: "order_id = hold id; side = HoldType; account; contra_account = creditor; quantity, "
    "remaining = "
    "units; aux = asset; aux2 = reference (loan in minor units where the owner asked for the pledge)",
    EventKind.HOLD_RELEASED: "as HOLD_PLACED: quantity = units released, remaining = units still held",
    EventKind.HOLD_REALISED: "as HOLD_RELEASED; contra_account = receiver, 0 = the units left the ledger",
    EventKind.OBLIGATION_SET: "account; order_id = obligation id; quantity = units due; remaining = units still due; "
    "contra_remaining = last date to surrender, 0 = none; aux = compliance year; aux2 = units due before",
    EventKind.UNITS_SURRENDERED: "account; order_id = obligation id; quantity = units; remaining = units still due; "
    "contra_remaining = units surrendered late so far; aux = asset; aux2 = compliance year",
    EventKind.UNITS_CANCELLED: "account; quantity = units; aux = asset; aux2 = free units afterwards",
    EventKind.UNITS_CARRIED_OVER: "account; quantity = units; aux = from asset; aux2 = to asset; remaining = "
    "units carried "
    "over from that asset so far; contra_remaining = compliance year",
    EventKind.OBLIGATION_OVERDUE: "account; order_id = obligation id; quantity = units due; remaining = units "
    "missing; aux = compliance year; aux2 = the date by which they were to be surrendered",
    EventKind.BLOCK_OFFERED: "order_id = negotiation id; contra_order_id = the public one it answers; side = of "
    "the terms; "
    "price, quantity; account = whose terms stand; contra_account = named counterparty, 0 = public; aux = locked; "
    "aux2 = last moment",
    EventKind.BLOCK_COUNTERED: "as BLOCK_OFFERED; client_order_id, session = the command's; contra_client_order_id, "
    "contra_session = of the terms before; aux = locked for the new terms, aux2 = released to the other account",
    EventKind.BLOCK_TRADE: "trade id = sequence; order_id, contra_order_id = negotiation id; side = aggressor = "
    "the accepting "
    "account's side; account, client_order_id, session = accepting; contra fields = whose terms stood; aux = cash "
    "released to the buyer beside the payment",
    EventKind.BLOCK_ENDED: "reason; order_id = negotiation id; side, price, quantity = of the terms; account, "
    "client_order_id, session = whose terms stood; contra_account = named counterparty; contra_client_order_id, "
    "contra_session = of the command that caused it; aux = released",
    EventKind.AUCTION_ANNOUNCED: "order_id = auction id; side = of the initiator; account = initiator; price = "
    "reserve; "
    "remaining = cap; quantity = lots; contra_remaining = lots carried over into them; aux = units or cash frozen; "
    "aux2 = policies as in the command's scope",
    EventKind.SEED_COMMITTED: "order_id = auction id; contra_order_id, remaining, aux, aux2 = the hash, 8 bytes each",
    EventKind.AUCTION_OPENED: "order_id = auction id; account = initiator; quantity = lots",
    EventKind.BID_ACCEPTED: "order_id = of the bid; contra_order_id = auction id; side, price, quantity; "
    "account; remaining = "
    "lots; aux = locked",
    EventKind.BID_REPLACED: "as BID_ACCEPTED: aux = additionally locked; aux2 = 1 when the bid kept its time; "
    "contra_client_order_id, contra_session = the command's",
    EventKind.BID_ENDED: "reason; as BID_ACCEPTED: quantity = lots not allocated; remaining = 0; aux = released; "
    "contra_client_order_id, contra_session = of the command that caused it",
    EventKind.AUCTION_CLOSED: "bidding ended, the seed is awaited: order_id = auction id; quantity = lots; "
    "remaining = number "
    "of bids",
    EventKind.SEED_REVEALED: "order_id = auction id; contra_order_id, remaining, aux, aux2 = the seed, 8 bytes each",
    EventKind.AUCTION_TRADE: "trade id = sequence; order_id = of the bid; contra_order_id = auction id; side = "
    "of the bid; "
    "aggressor 0; price, quantity; account, client_order_id, session = bidder's; contra_account = initiator; "
    "remaining = "
    "lots of the bid left; contra_remaining = lots of the auction left; aux = cash released to the buyer",
    EventKind.AUCTION_CLEARED: "after trades and ended bids: order_id = auction id; account = initiator; price "
    "= clearing "
    "price; quantity = lots sold; remaining = lots unsold; contra_remaining = lots bid; aux = unfrozen for the "
    "initiator; "
    "aux2 = number of bids",
    EventKind.AUCTION_CANCELLED: "reason; after the ended bids: order_id = auction id; account = initiator; "
    "price = reserve; "
    "quantity = lots; contra_remaining = lots bid; aux = unfrozen for the initiator; aux2 = number of bids",
    EventKind.AUCTION_SECURED: "what an auction offers is frozen, on a later day than that of its announcement: side, "
    "price, quantity, account, order_id as AUCTION_ANNOUNCED; aux = units or cash frozen",
    EventKind.COST_RESERVE_SET: "order_id = auction id; account = initiator; price = trigger; quantity = lots of the "
    "reserve; aux = units additionally frozen",
    EventKind.COST_RESERVE_RELEASED: "before the trades of an auction with a cost containment reserve: order_id = "
    "auction id; account = initiator; price = trigger; quantity = lots released, 0 when the condition is not met; "
    "remaining = lots kept back; contra_remaining = lots bid above the trigger",
}
