"""The reference engine: the executable rule book, in plain Python on sorted dictionaries.

It is written from `docs/engine.md` and the pages that continue it, and shares no code with the kernel, so that each can
judge the other: in tests, and as the independent auditor of a journal. It imports only the vocabulary (`engine.schema`)
and the venue's rules (`engine.venue`). Where a rule is decided:

    admission       the checks that order commands share, in their order
    order_terms     which type, time in force, flags and further fields of an order go together
    orders          NEW_ORDER, CANCEL_ORDER, MASS_CANCEL, TAKE
    replace         REPLACE_ORDER
    quotes          QUOTE
    matching        price-time matching, self-trade prevention, what becomes of the rest, how orders end
    trades          one trade: price, delivery, fees, statistics, icebergs that show their next part
    stops           stop orders and their triggering
    corridors       volatility interruptions
    uncrossing      the end of a call auction
    money           rounding, fees, what an order locks
    phases, day     phases, end of day, closes, limits, composite
    administration  firms, accounts, sessions, deposits and withdrawals
    blocks          block negotiations and trades
    negotiations    what standing terms lock, how a negotiation ends
    auctions        announcements, seeds, bidding windows
    bids            sealed bids
    auction_bounds  yearly floors, purchase limits, notice periods
    clearing        clearing price, allocation, delivery
    encumbrances    holds on units, transfers
    compliance      allocation, obligations, surrender, carry-over
    limits          limits of venue, firms, accounts, instruments; who is stopped
    controls        kill switches, corrections by the operator
    instruments     listing, delisting, the price window
    book, exchange  the order book and all other state; events
    canonical       the state as bytes and back
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.reference import (
    administration,
    auctions,
    bids,
    blocks,
    canonical,
    compliance,
    controls,
    day,
    encumbrances,
    instruments,
    limits,
    orders,
    quotes,
    replace,
)
from engine.reference.admission import check_session, consume_number
from engine.reference.exchange import Command, Exchange, Refused
from engine.schema import COMMAND_SHAPES, CommandArray, CommandKind, EventArray, EventKind, Reason
from engine.venue import Venue

Rule = Callable[[Exchange, Command], None]

RULES: Final[dict[int, Rule]] = {
    CommandKind.NEW_ORDER: orders.new_order,
    CommandKind.CANCEL_ORDER: orders.cancel_order,
    CommandKind.REPLACE_ORDER: replace.replace_order,
    CommandKind.MASS_CANCEL: orders.mass_cancel,
    CommandKind.TAKE: orders.take,
    CommandKind.QUOTE: quotes.quote,
    CommandKind.CLOCK_ANCHOR: day.clock_anchor,
    CommandKind.SET_PHASE: day.set_phase,
    CommandKind.STOP_TRADING: day.stop_trading,
    CommandKind.EXPIRE_ORDERS: day.expire_orders,
    CommandKind.FIX_CLOSE: day.fix_close,
    CommandKind.SETTLE: day.settle,
    CommandKind.SET_REFERENCE: day.set_reference,
    CommandKind.OPEN_FIRM: administration.open_firm,
    CommandKind.OPEN_ACCOUNT: administration.open_account,
    CommandKind.OPEN_SESSION: administration.open_session,
    CommandKind.SET_ACCOUNT_STATUS: administration.set_account_status,
    CommandKind.SET_SESSION_STATUS: administration.set_session_status,
    CommandKind.SET_OWNER_GROUP: administration.set_owner_group,
    CommandKind.SESSION_UP: administration.session_up,
    CommandKind.SESSION_DOWN: administration.session_down,
    CommandKind.DEPOSIT_CASH: administration.deposit_cash,
    CommandKind.WITHDRAW_CASH: administration.withdraw_cash,
    CommandKind.DEPOSIT_UNITS: administration.deposit_units,
    CommandKind.WITHDRAW_UNITS: administration.withdraw_units,
    CommandKind.ANNOUNCE_AUCTION: auctions.announce_auction,
    CommandKind.AUCTION_BID: bids.auction_bid,
    CommandKind.AUCTION_BID_REPLACE: bids.auction_bid_replace,
    CommandKind.AUCTION_BID_WITHDRAW: bids.auction_bid_withdraw,
    CommandKind.CANCEL_AUCTION: auctions.cancel_auction,
    CommandKind.CLOSE_AUCTION: auctions.close_auction,
    CommandKind.COMMIT_SEED: auctions.commit_seed,
    CommandKind.OPEN_AUCTION: auctions.open_auction,
    CommandKind.REVEAL_SEED: auctions.reveal_seed,
    CommandKind.SET_COST_RESERVE: auctions.set_cost_reserve,
    CommandKind.BLOCK_ACCEPT: blocks.block_accept,
    CommandKind.BLOCK_COUNTER: blocks.block_counter,
    CommandKind.BLOCK_OFFER: blocks.block_offer,
    CommandKind.BLOCK_WITHDRAW: blocks.block_withdraw,
    CommandKind.BUST_TRADE: controls.bust_trade,
    CommandKind.DELIST_INSTRUMENT: instruments.delist_instrument,
    CommandKind.FIRM_KILL: controls.firm_kill,
    CommandKind.KILL_SWITCH: controls.kill_switch,
    CommandKind.LIST_INSTRUMENT: instruments.list_instrument,
    CommandKind.SET_LIMIT: limits.set_limit,
    CommandKind.SET_ORDER_STATUS: controls.set_order_status,
    CommandKind.WIDEN_WINDOW: instruments.widen_window,
    CommandKind.ACKNOWLEDGE_SETTLEMENT: compliance.acknowledge_settlement,
    CommandKind.ALLOCATE_UNITS: compliance.allocate_units,
    CommandKind.CARRY_OVER: compliance.carry_over,
    CommandKind.PLACE_HOLD: encumbrances.place_hold,
    CommandKind.PLEDGE_REQUEST: encumbrances.pledge_request,
    CommandKind.REALISE_HOLD: encumbrances.realise_hold,
    CommandKind.RELEASE_HOLD: encumbrances.release_hold,
    CommandKind.SET_OBLIGATION: compliance.set_obligation,
    CommandKind.SET_TRANSFER_WINDOW: encumbrances.set_transfer_window,
    CommandKind.SURRENDER: compliance.surrender,
    CommandKind.TRANSFER_IN: encumbrances.transfer_in,
    CommandKind.TRANSFER_OUT: encumbrances.transfer_out,
    CommandKind.VOLUNTARY_CANCEL: compliance.voluntary_cancel,
}
PREFUNDED_ONLY: Final = frozenset(
    kind for kind, rule in RULES.items() if rule.__module__ in (compliance.__name__, encumbrances.__name__)
)
"""The registry's kinds: where nothing is pre-funded nobody has units (docs/registry.md)."""
WRITTEN_BY_FIRM: Final = Command._fields[: Command._fields.index("sequence")]
"""The fields of the first 64 bytes."""


def unused_fields(kind: int) -> list[int]:
    """Places of the fields of a command that must be zero, because its kind does not use them."""
    uses = COMMAND_SHAPES[CommandKind(kind)].uses
    return [at for at, name in enumerate(WRITTEN_BY_FIRM) if name != "kind" and name not in uses]


class ReferenceEngine:
    """One venue's exchange (see `engine.core.Implementation`)."""

    def __init__(self, venue: Venue) -> None:
        self._exchange = Exchange(venue)
        day.start(self._exchange)
        self._rules = {kind: (rule, unused_fields(kind)) for kind, rule in RULES.items()}
        if not venue.take:
            del self._rules[CommandKind.TAKE]
        if not venue.prefunded:
            self._rules = {kind: rule for kind, rule in self._rules.items() if kind not in PREFUNDED_ONLY}

    def apply(self, commands: CommandArray) -> tuple[int, EventArray]:
        """Apply every command. Returns how many, and their events (dtype EVENT)."""
        x = self._exchange
        for fields in commands.tolist():
            command = Command._make(fields)
            x.command = command
            x.command_sequence = command.sequence
            x.timestamp = command.timestamp
            x.references.clear()
            try:
                self._carry_out(x, command)
            except Refused as refusal:
                tell_rejected(x, command, refusal)
        return len(commands), x.collect_events()

    def _carry_out(self, x: Exchange, command: Command) -> None:
        """The checks that every command passes first (docs/engine.md section 1), then its kind's own rule."""
        check_session(x, command)
        consume_number(x, command)
        known = self._rules.get(command.kind)
        if known is None:
            raise Refused(Reason.INVALID_KIND)
        rule, unused = known
        if any(command[at] for at in unused):
            raise Refused(Reason.UNUSED_FIELD_SET)
        rule(x, command)

    def canonical_state(self) -> bytes:
        """The state as bytes, the same as the kernel's."""
        return canonical.canonical_state(self._exchange)

    def restore(self, state: bytes) -> None:
        """Become the exchange whose canonical state is `state`. Raises ValueError when the bytes are none."""
        self._exchange = Exchange(self._exchange.venue)
        canonical.restore(self._exchange, state)

    def last_client_order_id(self, session: int) -> int:
        """The last number consumed by a session; 0 for one that has used none or does not exist."""
        sessions = self._exchange.sessions
        return sessions[session].last_client_order_id if 0 <= session < len(sessions) else 0

    def touch(self) -> None:
        """Nothing to do: memory comes object by object."""


def tell_rejected(x: Exchange, command: Command, refusal: Refused) -> None:
    """One REJECTED event with the command's own words and the figure that the reason is about, and nothing else."""
    x.emit(
        EventKind.REJECTED,
        reason=refusal.reason,
        side=command.side,
        instrument=command.instrument,
        account=command.account,
        price=command.price,
        quantity=command.quantity,
        client_order_id=command.client_order_id,
        aux=command.kind,
        aux2=command.target,
        remaining=refusal.figure,
    )


__all__ = ["ReferenceEngine"]
