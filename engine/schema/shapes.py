"""How every command kind of the rule book lies on the Command record."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.schema.enums import CommandKind
from engine.schema.records import COMMAND


class Shape(NamedTuple):
    """How one command kind uses the 64 bytes: by field what it means; a field not named must be zero."""

    purpose: str
    uses: dict[str, str]


def _shape(purpose: str, **uses: str) -> Shape:
    return Shape(purpose, {**uses, "client_order_id": "number of this command in its session"})


_TARGET = "order id, or with flag BY_CLIENT_ID the client_order_id of an order of this session"

COMMAND_SHAPES: Final[dict[CommandKind, Shape]] = {
    CommandKind.NEW_ORDER: _shape(
        "enter an order",
        side="buy or sell",
        order_type="limit, market, stop, stop-limit, iceberg, stop-limit iceberg",
        time_in_force="day, GTC, IOC, FOK or GTD",
        flags="POST_ONLY, HIDDEN",
        self_trade="prevention mode, 0 = the venue's",
        instrument="instrument",
        account="account",
        price="limit; for a market or stop order a collar or 0",
        quantity="lots",
        target="minimum quantity to trade at entry, 0 = none",
        expiry="last trading date of a GTD order",
        price2="stop price",
        quantity2="lots that an iceberg shows",
    ),
    CommandKind.CANCEL_ORDER: _shape("cancel an order", flags="BY_CLIENT_ID", target=_TARGET),
    CommandKind.REPLACE_ORDER: _shape(
        "change price and total quantity of an order; only less quantity at the same price keeps priority",
        flags="BY_CLIENT_ID",
        target=_TARGET,
        price="new limit; of a waiting stop 0 = keep",
        quantity="new total quantity, filled part included",
        price2="new stop price of a waiting stop, 0 = keep",
        quantity2="new shown lots of an iceberg, 0 = keep",
        expiry="new last trading date of a GTD order, 0 = keep",
    ),
    CommandKind.MASS_CANCEL: _shape(
        "cancel all orders of the session's firm that fit",
        side="with SIDE",
        scope="bits: ACCOUNT, INSTRUMENT, SIDE, SESSION",
        instrument="with INSTRUMENT",
        account="with ACCOUNT",
    ),
    CommandKind.TAKE: _shape(
        "take a named listing (listed agreement, CLICK)",
        side="the taker's side",
        instrument="instrument",
        account="account",
        target="order id of the listing",
        price="the listing's price as seen",
        quantity="lots to take",
    ),
    CommandKind.QUOTE: _shape(
        "enter, replace or withdraw a two-sided market-maker quote; consumes two numbers, the offer's is the next one",
        flags="POST_ONLY",
        self_trade="prevention mode",
        instrument="instrument",
        account="account",
        price="bid",
        quantity="lots bid, 0 = no bid",
        price2="offer",
        quantity2="lots offered, 0 = no offer",
    ),
    CommandKind.BLOCK_OFFER: _shape(
        "open a block negotiation",
        side="buy or sell",
        scope="0 public, 1 named counterparty",
        instrument="instrument",
        account="account",
        target="counterparty account when named",
        expiry="last moment, ns",
        price="price",
        quantity="lots",
    ),
    CommandKind.BLOCK_COUNTER: _shape(
        "answer with other terms",
        account="account",
        target="negotiation id",
        price="price",
        quantity="lots",
    ),
    CommandKind.BLOCK_ACCEPT: _shape(
        "accept the standing terms, which are restated",
        account="account",
        target="negotiation id",
        price="price",
        quantity="lots",
    ),
    CommandKind.BLOCK_WITHDRAW: _shape("end a negotiation", account="account", target="negotiation id"),
    CommandKind.AUCTION_BID: _shape(
        "enter a sealed bid (or offer, in a reverse auction)",
        side="buy or sell",
        instrument="instrument",
        account="account",
        target="auction id",
        price="price",
        quantity="lots",
    ),
    CommandKind.AUCTION_BID_REPLACE: _shape("change a bid", target="bid order id", price="price", quantity="lots"),
    CommandKind.AUCTION_BID_WITHDRAW: _shape("withdraw a bid", target="bid order id"),
    CommandKind.SURRENDER: _shape(
        "surrender units for an obligation",
        account="account",
        scope="asset",
        quantity="units",
        expiry="compliance year",
        target="obligation id",
    ),
    CommandKind.VOLUNTARY_CANCEL: _shape("cancel units for good", account="account", scope="asset", quantity="units"),
    CommandKind.TRANSFER_IN: _shape(
        "ask for units from the registry: realising the hold brings them, releasing it refuses",
        account="account",
        scope="asset",
        quantity="units",
    ),
    CommandKind.TRANSFER_OUT: _shape(
        "return units to the registry: held until the hold is realised (they left) or released (refused)",
        account="account",
        scope="asset",
        quantity="units",
    ),
    CommandKind.PLEDGE_REQUEST: _shape(
        "the owner pledges units: the hold stands at once, the creditor refuses it by a release",
        account="account",
        scope="asset",
        quantity="units",
        target="creditor account",
        quantity2="loan, minor units",
    ),
    CommandKind.FIRM_KILL: _shape(
        "a firm stops itself: cancel all, refuse new; or resumes",
        scope="0 stop, 1 resume",
    ),
    CommandKind.CLOCK_ANCHOR: _shape(
        "journal time = target + rate x (monotonic - expiry)",
        target="journal time, ns",
        expiry="monotonic time, ns",
        quantity="rate numerator",
        quantity2="rate denominator",
    ),
    CommandKind.SET_PHASE: _shape(
        "change the phase of one mode; a later trading date opens a new day",
        scope="mode",
        instrument="instrument, 0 = all",
        quantity="phase",
        quantity2="1 = a call that is frozen: no cancels any more",
        expiry="trading date YYYYMMDD",
    ),
    CommandKind.STOP_TRADING: _shape("end of day 1: every mode of every instrument closes"),
    CommandKind.EXPIRE_ORDERS: _shape("end of day 2: day orders lapse, their locks are released"),
    CommandKind.FIX_CLOSE: _shape("end of day 3: closing prices and the composite"),
    CommandKind.SETTLE: _shape("end of day 4: bought units and sale proceeds settle, next day's limits"),
    CommandKind.SET_REFERENCE: _shape(
        "set the previous close of an instrument before the day opens", instrument="instrument", price="reference price"
    ),
    CommandKind.WIDEN_WINDOW: _shape(
        "widen an instrument's price window", instrument="instrument", price="floor", price2="ceiling"
    ),
    CommandKind.LIST_INSTRUMENT: _shape(
        "list an instrument of the venue's rules from a date on; also in session",
        instrument="instrument",
        price="reference price, 0 = the composite",
        expiry="first trading date",
    ),
    CommandKind.DELIST_INSTRUMENT: _shape("delist an instrument", instrument="instrument", expiry="last trading date"),
    CommandKind.OPEN_FIRM: _shape("open a firm; its name stands in a note"),
    CommandKind.OPEN_ACCOUNT: _shape(
        "open an account", quantity="firm", quantity2="owner group, 0 = none", expiry="owner group from this date"
    ),
    CommandKind.OPEN_SESSION: _shape(
        "open a session; its public key stands in a note", quantity="firm (0 for operator and reader)", scope="role"
    ),
    CommandKind.SET_ACCOUNT_STATUS: _shape("suspend or resume an account", account="account", scope="status"),
    CommandKind.SET_SESSION_STATUS: _shape("end or resume a session", target="session", scope="status"),
    CommandKind.SET_OWNER_GROUP: _shape(
        "change an account's beneficial owner group",
        account="account",
        quantity2="owner group",
        expiry="from this date",
    ),
    CommandKind.SESSION_UP: _shape("a session logged on", target="session", scope="disconnect policy"),
    CommandKind.SESSION_DOWN: _shape(
        "a session was lost: its disconnect policy is carried out", target="session", quantity="reason code"
    ),
    CommandKind.DEPOSIT_CASH: _shape("pay in", account="account", scope="currency", quantity="minor units"),
    CommandKind.WITHDRAW_CASH: _shape("pay out", account="account", scope="currency", quantity="minor units"),
    CommandKind.DEPOSIT_UNITS: _shape("units in from the registry", account="account", scope="asset", quantity="units"),
    CommandKind.WITHDRAW_UNITS: _shape("units out to the registry", account="account", scope="asset", quantity="units"),
    CommandKind.ALLOCATE_UNITS: _shape(
        "allocation of a compliance year",
        account="account",
        scope="asset",
        quantity="units",
        expiry="compliance year",
    ),
    CommandKind.PLACE_HOLD: _shape(
        "pledge or judicial freeze",
        side="hold type",
        account="account",
        scope="asset",
        quantity="units",
        target="creditor account of a pledge",
        quantity2="reference number",
    ),
    CommandKind.RELEASE_HOLD: _shape(
        "release a hold, whole or in part",
        target="hold id",
        quantity="units",
        quantity2="creditor account of a pledge, restated",
    ),
    CommandKind.REALISE_HOLD: _shape(
        "realise a pledge, execute a deduction or complete a transfer",
        target="hold id",
        quantity="units",
        account="receiver, 0 = out of the ledger",
        quantity2="creditor account of a pledge, restated",
    ),
    CommandKind.ACKNOWLEDGE_SETTLEMENT: _shape(
        "the registry's answer to the settlement file", expiry="trading date", scope="0 accepted, 1 refused"
    ),
    CommandKind.SET_OBLIGATION: _shape(
        "state what an account must surrender for a compliance year",
        account="account",
        quantity="units due",
        expiry="compliance year",
        target="last date to surrender, 0 = the venue's for that year",
    ),
    CommandKind.SET_TRANSFER_WINDOW: _shape(
        "open or close the transfer window", scope="1 transfers may be asked for, 0 not"
    ),
    CommandKind.SET_LIMIT: _shape(
        "set one limit of a firm, an account, an instrument, or (none named) of the venue; 0 = no limit",
        scope="which limit",
        account="account",
        instrument="instrument",
        target="firm",
        quantity="value",
        quantity2="overriding value",
        expiry="the overriding value holds until, ns",
    ),
    CommandKind.KILL_SWITCH: _shape(
        "stop and mass-cancel, or resume",
        scope="firm, account, instrument or venue",
        side="0 stop, 1 resume",
        account="account",
        instrument="instrument",
        target="firm",
    ),
    CommandKind.BUST_TRADE: _shape(
        "cancel a trade, whose terms are restated",
        scope="mode",
        instrument="instrument",
        account="buyer",
        target="trade id (event sequence)",
        expiry="trading date of the trade",
        price="price",
        quantity="lots",
        quantity2="seller",
    ),
    CommandKind.SET_ORDER_STATUS: _shape("operator cancels an order", target="order id"),
    CommandKind.ANNOUNCE_AUCTION: _shape(
        "announce an auction",
        side="the initiator's side",
        scope="AuctionPrice | AuctionTie << 2 | AuctionShort << 4 | AuctionSecondary << 6, 0 in a part = the venue's",
        instrument="instrument",
        account="initiator",
        target="threshold below the secondary price, basis points",
        expiry="window opens, ns (information)",
        price="reserve",
        price2="cap, 0 = the venue's rule",
        quantity="lots",
        quantity2="secondary price, ticks; 0 = unknown",
    ),
    CommandKind.COMMIT_SEED: _shape(
        "SHA-256 of the tie seed, 32 bytes over four fields; auction id in account",
        account="auction id",
        target="bytes 0-7",
        expiry="bytes 8-15",
        quantity="bytes 16-23",
        quantity2="bytes 24-31",
    ),
    CommandKind.OPEN_AUCTION: _shape("open the bidding window", target="auction id"),
    CommandKind.CLOSE_AUCTION: _shape(
        "close the window; without lots to draw the auction clears at once", target="auction id"
    ),
    CommandKind.REVEAL_SEED: _shape(
        "the seed behind the commitment",
        account="auction id",
        target="bytes 0-7",
        expiry="bytes 8-15",
        quantity="bytes 16-23",
        quantity2="bytes 24-31",
    ),
    CommandKind.CANCEL_AUCTION: _shape("cancel an auction", target="auction id"),
    CommandKind.SET_COST_RESERVE: _shape(
        "put a cost containment reserve behind an announced auction, or another one in its place",
        target="auction id",
        price="trigger",
        quantity="lots",
    ),
    CommandKind.CARRY_OVER: _shape(
        "carry units over to a later vintage",
        account="account",
        scope="from asset",
        side="to asset",
        quantity="units",
        quantity2="net sales that the limit counts, units",
        expiry="compliance year",
    ),
}


def unused_field_masks() -> NDArray[np.int64]:
    """Which bits of a command must be zero.

    Returns int64[256, 8]: for each kind, a mask over the command's first eight 64-bit words in which a bit is 1
    where the kind does not use the field. An unknown kind has only ones.
    """
    masks = np.full((256, 8), -1, np.int64)
    for kind, shape in COMMAND_SHAPES.items():
        used = np.zeros(1, COMMAND)
        raw = used.view(np.uint8)
        for name in ("kind", *shape.uses):
            field_type, offset = COMMAND.fields[name][:2]  # type: ignore[index]
            raw[offset : offset + field_type.itemsize] = 0xFF
        masks[kind] = ~used.view(np.int64)[:8]
    return masks
