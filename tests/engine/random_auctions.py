"""Small random auctions, drawn in whole arrays, and what every one of their outcomes must satisfy.

stream = AuctionStream(venue, seed)
commands = stream.take(500)                  # 500 whole auctions, one after another
outcomes = outcomes_of(events, stream.seeds) # what the events say of each
check_outcome(outcome)                       # the rules as conditions on the outcome, not as a procedure

Prices lie within five ticks and lots within a few steps, so that ties, exact fits and shortages are common.
"""

from __future__ import annotations

import hashlib
import struct
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.schema import COMMAND, CommandArray, EventArray, EventKind, Reason
from engine.schema import CommandKind as K
from engine.venue import Venue
from tests.engine.auction_hall import hall
from tests.engine.builders import BUY, SELL, plain

ANNOUNCE, BACK, COMMIT, OPEN, FIRST_BID, CHANGE, CLOSE, REVEAL, SLOTS = 0, 1, 2, 3, 4, 9, 10, 11, 12
"""Places of an auction's commands: a cost reserve behind it; five bids, then a change, a withdrawal or a sixth bid."""
BIDS = CHANGE - FIRST_BID
RESERVE = 100
ACCOUNTS = 5
PLENTY = 10**15
UNIFORM, RANDOM, PRORATA, CANCEL_SHORT, CANCEL_BELOW, RAISE = 1, 2, 3, 2, 1, 2
Array = NDArray[Any]


def venues() -> dict[str, Venue]:
    """Rule sets that differ in what an announcement cannot say."""
    return {
        "fees": hall({"fee_ppm": 12_345, "units_per_lot": 10}, auction_carry_over=4),
        "steps": hall({"auction_step": 5}, bid_amend="KEEPS_TIME", settlement_days=0, auction_carry_over=3),
        "labels": plain({"auction": True, "auction_step": 3, "price_step": 2}, self_trade="CANCEL_TAKER"),
    }


class AuctionStream:
    """An endless stream of auctions of one venue, all commands by the venue itself; one seed gives one stream."""

    def __init__(self, venue: Venue, seed: int) -> None:
        self.venue = venue
        self.step = venue.instruments[0].auction_step
        self.tick = venue.instruments[0].price_step
        self.random = np.random.default_rng(seed)
        self.sequence = self.auctions = self.orders = 0
        self.seeds: dict[int, bytes] = {}
        self.pending = self._set_up()

    def _set_up(self) -> CommandArray:
        rows: list[dict[str, int]] = []
        if self.venue.prefunded:
            for account in range(1, ACCOUNTS + 1):
                rows += [{"kind": K.OPEN_FIRM}, {"kind": K.OPEN_ACCOUNT, "quantity": account}]
                rows.append({"kind": K.DEPOSIT_CASH, "account": account, "scope": 1, "quantity": PLENTY})
                rows.append({"kind": K.DEPOSIT_UNITS, "account": account, "scope": 1, "quantity": PLENTY})
        if not self.venue.open_from_start:
            rows.append({"kind": K.SET_PHASE, "scope": 1, "quantity": 3, "expiry": 20250811})
        commands = np.zeros(len(rows), COMMAND)
        for at, row in enumerate(rows):
            for name, value in row.items():
                commands[name][at] = value
        return commands

    def take(self, count: int) -> CommandArray:
        """The commands of the next `count` auctions."""
        commands = np.zeros((count, SLOTS), COMMAND)
        kept = np.ones((count, SLOTS), bool)
        sides = self.random.choice([SELL, SELL, BUY], count)
        self._announce(commands, sides)
        self._back(commands, sides, kept)
        self._bid(commands, sides, kept)
        self._conduct(commands, kept)
        self.auctions += count
        joined = np.concatenate([self.pending, commands[kept]])
        self.pending = self.pending[:0]
        joined["sequence"] = np.arange(self.sequence + 1, self.sequence + 1 + len(joined))
        joined["timestamp"] = joined["sequence"] * 1_000
        self.sequence += len(joined)
        return joined

    def _announce(self, commands: CommandArray, sides: Array) -> None:
        count = len(commands)
        first = commands[:, ANNOUNCE]
        draw = self.random.integers
        first["kind"] = K.ANNOUNCE_AUCTION
        first["side"] = sides
        first["instrument"] = first["account"] = 1
        first["scope"] = draw(0, 3, count) | draw(0, 4, count) << 2 | draw(0, 3, count) << 4 | draw(0, 4, count) << 6
        first["price"] = RESERVE * self.tick
        first["quantity"] = self.step * draw(1, 16, count)
        near = (RESERVE + np.where(sides == SELL, 1, -1) * draw(0, 6, count)) * self.tick
        first["quantity2"] = np.where(self.random.random(count) < 0.5, near, 0)
        first["target"] = self.random.choice([0, 100, 200, 350], count)

    def _back(self, commands: CommandArray, sides: Array, kept: Array) -> None:
        """A cost containment reserve behind half of the selling auctions, refused where the secondary market counts."""
        count = len(commands)
        back = commands[:, BACK]
        back["kind"] = K.SET_COST_RESERVE
        back["target"] = self.auctions + np.arange(1, count + 1)
        back["price"] = (RESERVE + self.random.integers(0, 5, count)) * self.tick
        back["quantity"] = self.step * self.random.integers(1, 9, count)
        kept[:, BACK] = (sides == SELL) & (self.random.random(count) < 0.5)

    def _bid(self, commands: CommandArray, sides: Array, kept: Array) -> None:
        """Up to six bids, some of them below the reserve and so refused; the ids of the others are known beforehand."""
        shape = (len(commands), BIDS + 1)
        draw = self.random.integers
        bids = commands[:, FIRST_BID : CHANGE + 1]
        better = np.where(sides == SELL, 1, -1)[:, None]
        good = self.random.random(shape) < self.random.choice([0.1, 0.8, 0.8, 1.0], (len(commands), 1))
        roll = self.random.random(len(commands))
        kinds = [int(K.AUCTION_BID_REPLACE), int(K.AUCTION_BID_WITHDRAW)]
        sixth = np.select([roll < 0.4, roll < 0.6], kinds, int(K.AUCTION_BID))
        good[:, BIDS] = sixth == K.AUCTION_BID
        kept[:, FIRST_BID:CHANGE] = good[:, :BIDS] | (self.random.random((len(commands), BIDS)) < 0.2)
        bids["kind"] = K.AUCTION_BID
        bids["side"] = 3 - sides[:, None]
        bids["instrument"] = 1
        bids["account"] = draw(2, ACCOUNTS + 1, shape)
        bids["target"] = self.auctions + np.arange(1, len(commands) + 1)[:, None]
        bids["price"] = (RESERVE + better * np.where(good, draw(0, 5, shape), -1)) * self.tick
        bids["quantity"] = self.step * draw(1, 8, shape)
        ids = self.orders + np.cumsum(good).reshape(shape)
        self.orders += int(good.sum())
        change = commands[:, CHANGE]
        change["kind"] = sixth
        for name in ("side", "instrument", "account"):
            change[name][sixth != K.AUCTION_BID] = 0
        chosen = ids[np.arange(len(ids)), draw(0, BIDS, len(ids))]
        change["target"] = np.where(sixth == K.AUCTION_BID, change["target"], chosen)
        anew = (RESERVE + better[:, 0] * draw(0, 5, len(ids))) * self.tick
        change["price"] = np.where(sixth == K.AUCTION_BID_REPLACE, anew, change["price"])
        for name in ("price", "quantity"):
            change[name][sixth == K.AUCTION_BID_WITHDRAW] = 0

    def _conduct(self, commands: CommandArray, kept: Array) -> None:
        """Commitment, opening, closing, reveal; a seed where there are lots to draw, and now and then without need."""
        numbers = self.auctions + np.arange(1, len(commands) + 1)
        words = self.random.integers(-(2**63), 2**63 - 1, (len(commands), 4), endpoint=True)
        seeds = [row.tobytes() for row in words]
        hashes = np.frombuffer(b"".join(hashlib.sha256(seed).digest() for seed in seeds), "<i8").reshape(-1, 4)
        self.seeds.update(zip(numbers.tolist(), seeds, strict=True))
        for slot, kind, values in ((COMMIT, K.COMMIT_SEED, hashes), (REVEAL, K.REVEAL_SEED, words)):
            commands[:, slot]["kind"] = kind
            commands[:, slot]["account"] = numbers
            for at, name in enumerate(("target", "expiry", "quantity", "quantity2")):
                commands[:, slot][name] = values[:, at]
        drawn = (commands[:, ANNOUNCE]["scope"] >> 2 & 3) >= RANDOM
        for slot in (COMMIT, REVEAL):
            kept[:, slot] = drawn | (self.random.random(len(commands)) < 0.05)
        for slot, kind in ((OPEN, K.OPEN_AUCTION), (CLOSE, K.CLOSE_AUCTION)):
            commands[:, slot]["kind"] = kind
            commands[:, slot]["target"] = numbers


@dataclass(slots=True)
class Offer:
    """A bid as its owner was told last."""

    id: int
    price: int
    lots: int
    priority: int
    filled: int = 0
    ended: int = 0
    paid: int = 0


@dataclass(slots=True)
class Outcome:
    """What the events say of one auction."""

    selling: bool
    volume: int
    policies: int
    secondary: int
    threshold: int
    step: int
    keeps_time: bool
    seed: bytes
    trigger: int = 0
    reserve_lots: int = 0
    released: int = 0
    bids: dict[int, Offer] = field(default_factory=dict)
    trades: list[tuple[int, int, int]] = field(default_factory=list)
    price: int = 0
    sold: int = -1
    reason: int = 0


FIELDS = ("kind", "reason", "sequence", "order_id", "contra_order_id", "price", "quantity", "remaining", "aux2")


def outcomes_of(commands: CommandArray, events: EventArray, stream: AuctionStream) -> list[Outcome]:
    """Read whole auctions off their events."""
    announced = commands[commands["kind"] == K.ANNOUNCE_AUCTION][["sequence", "quantity2", "target"]].tolist()
    secondary = {number: (near, bps) for number, near, bps in announced}
    venue = stream.venue
    outcomes: dict[int, Outcome] = {}
    for event in events[["side", "command_sequence", *FIELDS]].tolist():
        side, command, kind, reason, sequence, order, contra, price, quantity, remaining, aux2 = event
        if kind == EventKind.AUCTION_ANNOUNCED:
            near, bps = secondary[command]
            keeps = venue.bid_amend == "KEEPS_TIME"
            outcomes[order] = Outcome(side == SELL, quantity, aux2, near, bps, stream.step, keeps, stream.seeds[order])
        elif kind == EventKind.COST_RESERVE_SET:
            outcomes[order].trigger, outcomes[order].reserve_lots = price, quantity
        elif kind == EventKind.COST_RESERVE_RELEASED:
            assert quantity + remaining == outcomes[order].reserve_lots
            outcomes[order].released = quantity
        elif kind == EventKind.BID_ACCEPTED:
            outcomes[contra].bids[order] = Offer(order, price, quantity, sequence)
        elif kind == EventKind.BID_REPLACED:
            bid = outcomes[contra].bids[order]
            assert aux2 == (outcomes[contra].keeps_time or (price == bid.price and quantity <= bid.lots))
            bid.price, bid.lots = price, quantity
            bid.priority = bid.priority if aux2 else sequence
        elif kind == EventKind.BID_ENDED and reason == Reason.USER_REQUESTED:
            del outcomes[contra].bids[order]
        elif kind == EventKind.BID_ENDED:
            outcomes[contra].bids[order].ended += quantity
        elif kind == EventKind.AUCTION_TRADE:
            outcomes[contra].trades.append((order, price, quantity))
            outcomes[contra].bids[order].filled += quantity
            outcomes[contra].bids[order].paid = price
        elif kind == EventKind.AUCTION_CLEARED:
            outcomes[order].price, outcomes[order].sold = price, quantity
            assert quantity + remaining == outcomes[order].volume + outcomes[order].released
        elif kind == EventKind.AUCTION_CANCELLED:
            outcomes[order].reason, outcomes[order].sold = reason, 0
    return list(outcomes.values())


def lot_of(seed: bytes, bid: Offer) -> int:
    return int.from_bytes(hashlib.sha256(seed + struct.pack("<q", bid.id)).digest()[:8], "big") >> 1


def check_outcome(o: Outcome) -> None:
    """Raise AssertionError naming the first condition that an outcome violates."""
    sign = 1 if o.selling else -1
    bids = list(o.bids.values())
    assert all(bid.filled + bid.ended == bid.lots for bid in bids), "lots of a bid are neither sold nor ended"
    total = sum(bid.lots for bid in bids)
    demand: dict[int, int] = defaultdict(int)
    for bid in bids:
        demand[sign * bid.price] += bid.lots
    eligible = {price: lots for price, lots in demand.items() if not far_below(o, sign, price)}
    short = o.policies >> 4 & 3
    if not bids:
        assert o.reason == Reason.NO_BIDS
    elif total < o.volume and short == CANCEL_SHORT:
        assert o.reason == Reason.UNDERSUBSCRIBED
    elif far_below(o, sign, best_price(demand, o.volume)) and (o.policies >> 6 == CANCEL_BELOW or not eligible):
        assert o.reason == Reason.BELOW_SECONDARY
    else:
        assert o.reason == 0, "cancelled without a reason"
        raised = far_below(o, sign, best_price(demand, o.volume))
        demand = eligible if raised else demand
        if o.reserve_lots and sum(lots for price, lots in demand.items() if price > o.trigger) > o.volume:
            check_sale_with_reserve(o, bids)
        else:
            assert o.released == 0, "a cost reserve is released below its trigger"
            check_sale(o, sign, bids, demand, o.volume, best_price(demand, o.volume))
        return
    assert not o.trades and all(bid.ended == bid.lots for bid in bids), "a cancelled auction sold something"


def far_below(o: Outcome, sign: int, price: int) -> bool:
    """`price` is signed: higher is better for the initiator."""
    if not o.secondary or o.policies >> 6 == 3:
        return False
    return 10_000 * (sign * o.secondary - price) > o.threshold * o.secondary


def best_price(demand: dict[int, int], volume: int) -> int:
    """The best price among those at which the most lots change hands."""

    def tradable(price: int) -> int:
        return min(volume, sum(lots for at, lots in demand.items() if at >= price))

    return max(demand, key=lambda price: (tradable(price), price))


def check_sale_with_reserve(o: Outcome, bids: list[Offer]) -> None:
    """All lots of the reserve are offered with the others, at the trigger or above it: served one lot after another,
    the best first. Where some are left over the trigger is the price."""
    offered = o.volume + o.reserve_lots
    lots = [bid.price for bid in bids for _ in range(bid.lots) if bid.price >= o.trigger]
    served = sorted(lots, reverse=True)[:offered]
    assert o.released == len(served) - o.volume, "another number of lots is released"
    demand = defaultdict(int, {price: lots.count(price) for price in lots})
    check_sale(o, 1, bids, demand, len(served), served[-1] if len(served) == offered else o.trigger)


def check_sale(o: Outcome, sign: int, bids: list[Offer], demand: dict[int, int], volume: int, price: int) -> None:
    """No other price gives more lots, no better bid goes short, ties as the rule says, everybody pays as it says."""
    assert o.price == sign * price, f"clearing price {o.price}, not {sign * price}"
    above = sum(lots for at, lots in demand.items() if at > price)
    rest = min(volume - above, demand[price])
    assert o.sold == above + rest, "another price gives more lots"
    assert o.sold == sum(bid.filled for bid in bids), "the lots sold are not those of the trades"
    for bid in bids:
        if bid.price * sign > price:
            assert bid.filled == bid.lots, "a bid better than the clearing price goes short"
        elif bid.price * sign < price:
            assert bid.filled == 0, "a bid worse than the clearing price is served"
        if bid.filled:
            assert bid.paid == (o.price if o.policies & 3 == UNIFORM else bid.price), "a wrong price is paid"
    tie = o.policies >> 2 & 3
    key = {bid.id: (lot_of(o.seed, bid), bid.id) if tie in (RANDOM, PRORATA) else (bid.priority, 0) for bid in bids}
    by_rank = sorted(bids, key=lambda bid: (-bid.price * sign, key[bid.id]))
    assert [bid.id for bid in by_rank if bid.filled] == [order for order, _, _ in o.trades], "trades not in rank order"
    tied = [bid for bid in by_rank if bid.price * sign == price]
    if tie == PRORATA and demand[price] > rest:
        extras = [bid.filled - rest * bid.lots // demand[price] // o.step * o.step for bid in tied]
        assert sum(extras) % o.step == 0 and extras == sorted(extras, reverse=True), "the rest is not given by lot"
        assert set(extras) <= {0, o.step}, "a share is not the proportional one"
    else:
        served = 0
        for bid in tied:
            assert bid.filled == min(bid.lots, rest - served), "a tie is not broken by rank"
            served += bid.filled
