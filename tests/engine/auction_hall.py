"""Words for tests of auctions (docs/blocks-and-auctions.md section 8), and two seeds with their hashes and lots.

SHA-256 of the seed's 32 bytes, and the lots (first 8 bytes of SHA-256(seed, bid id), less one bit), by hashlib:

    SEED    01 00.. 02 00.. 03 00.. 04 00..     hash 73e200e2b048c86d4e8c86b86bf62bbda84c7384e34e250b01aa30ab29d234a4
    lots of bids 1 to 6    3191911102514222466 2602176448485421405  735086465980871570
                           6243596299643517168 8432630913971626875 1192089518245889433
    OTHER   ff.. 00.. ff..7f 00..80             hash 24ad9fb9b0dec72ba0f3a60a52e8f70ac7ef64ec7bf94c2187e343308e89a0d0
    lots of bids 1 to 6    1953295076677133982 7622651030059552114 7925824925719329257
                           7587042980078118086 8144831430969314847 2980014226027073412
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.schema import CommandKind as K
from engine.venue import Venue
from tests.engine.builders import BUY, SELL, World, venue_of

Words = tuple[int, int, int, int]
SEED: Words = (1, 2, 3, 4)
SEED_HASH: Words = (7910652670019428979, -4815484434024854450, 803134847642193064, -6614430876292830719)
OTHER: Words = (-1, 0, 2**63 - 1, -(2**63))
OTHER_HASH: Words = (3154734914606181668, 790355698690487200, 2399567012123963335, -3413577273758719097)
HASHES = {SEED: SEED_HASH, OTHER: OTHER_HASH}
UNIFORM, PAY_AS_BID = 1, 2
TIME, RANDOM, PRORATA = 1 << 2, 2 << 2, 3 << 2
PARTIAL, CANCEL_SHORT = 1 << 4, 2 << 4
CANCEL_BELOW, RAISE, OFF = 1 << 6, 2 << 6, 3 << 6
DATE = 20250811
CASH, UNITS = 10**15, 10**9
"""What every account of a hall owns."""

HALL_TEXT = """
name = "hall"
self_trade = "CANCEL_TAKER"
composite = "NONE"
withdraw_after = "AT_ONCE"
currencies = ["CUR"]
assets = ["A", "B"]
[instrument_defaults]
asset = "A"
currency = "CUR"
floor = "1.00"
ceiling = "1300.00"
auction = true
[[instruments]]
symbol = "A"
[[instruments]]
symbol = "B"
asset = "B"
"""


def hall(instrument: dict[str, Any] | None = None, **changes: Any) -> Venue:
    """A bare venue for auctions: no limits, no fees unless `instrument` gives them."""
    import msgspec

    venue = venue_of(HALL_TEXT)
    if instrument:
        terms = tuple(msgspec.structs.replace(i, **instrument) for i in venue.instruments)
        changes["instruments"] = terms
    return venue.changed(**changes)


def open_hall(make_world: Callable[[Venue], World], venue: Venue | None = None, accounts: int = 4) -> World:
    """Accounts 1 to 4 with plenty of cash and of both assets, each of a firm of its own; the day is open."""
    world = make_world(venue or hall())
    if world.venue.prefunded:
        world.accounts(accounts, cash=CASH, units=UNITS)
        for account in range(1, accounts + 1):
            world.deposit_units(account, UNITS, asset=2)
    if not world.venue.open_from_start:
        world.open_day(DATE)
    return world


def announce(world: World, price: int, quantity: int, **fields: int) -> list[str]:
    """ANNOUNCE_AUCTION: account 1 sells instrument 1 unless told otherwise."""
    given = {"side": SELL, "instrument": 1, "account": 1, **fields}
    return world.send(K.ANNOUNCE_AUCTION, price=price, quantity=quantity, **given)


def commit(world: World, words: Words, auction: int = 1, **fields: int) -> list[str]:
    return send_words(world, K.COMMIT_SEED, words, auction, **fields)


def reveal(world: World, words: Words, auction: int = 1, **fields: int) -> list[str]:
    return send_words(world, K.REVEAL_SEED, words, auction, **fields)


def send_words(world: World, kind: int, words: Words, auction: int, **fields: int) -> list[str]:
    target, expiry, quantity, quantity2 = words
    given = {"target": target, "expiry": expiry, "quantity": quantity, "quantity2": quantity2, **fields}
    return world.send(kind, account=auction, **given)


def open_window(world: World, auction: int = 1, **fields: int) -> list[str]:
    return world.send(K.OPEN_AUCTION, target=auction, **fields)


def close_window(world: World, auction: int = 1, **fields: int) -> list[str]:
    return world.send(K.CLOSE_AUCTION, target=auction, **fields)


def call_off(world: World, auction: int = 1, **fields: int) -> list[str]:
    return world.send(K.CANCEL_AUCTION, target=auction, **fields)


def bid(world: World, price: int, quantity: int, account: int = 2, auction: int = 1, **fields: int) -> list[str]:
    """AUCTION_BID of account 2 that buys instrument 1 in auction 1 unless told otherwise."""
    given = {"side": BUY, "instrument": 1, "account": account, "target": auction, **fields}
    return world.send(K.AUCTION_BID, price=price, quantity=quantity, **given)


def rebid(world: World, target: int, price: int, quantity: int, **fields: int) -> list[str]:
    return world.send(K.AUCTION_BID_REPLACE, target=target, price=price, quantity=quantity, **fields)


def unbid(world: World, target: int, **fields: int) -> list[str]:
    return world.send(K.AUCTION_BID_WITHDRAW, target=target, **fields)


def hold_auction(
    world: World,
    price: int,
    quantity: int,
    bids: list[tuple[int, int]],
    seed: Words | None = None,
    **fields: int,
) -> list[str]:
    """A whole auction with bids (price, lots) of accounts 2, 3, 4, 2, ...; returns the events that end it."""
    announced = announce(world, price, quantity, **fields)
    auction = int(announced[0].split("order_id=")[1].split()[0])
    if seed:
        commit(world, HASHES[seed], auction)
    open_window(world, auction)
    side = BUY if fields.get("side", SELL) == SELL else SELL
    instrument = fields.get("instrument", 1)
    for number, (at, lots) in enumerate(bids):
        accepted = bid(world, at, lots, 2 + number % 3, auction, side=side, instrument=instrument)
        assert accepted[0].startswith("BID_ACCEPTED"), accepted
    events = close_window(world, auction)
    return reveal(world, seed, auction) if seed else events


def number(event: str, name: str) -> int:
    """One field of a told event; 0 where it is not told."""
    return next((int(word.split("=")[1]) for word in event.split() if word.startswith(f"{name}=")), 0)


def fills(events: list[str]) -> list[tuple[int, int, int]]:
    """(bid id, price, lots) of every AUCTION_TRADE, in order."""
    trades = [event for event in events if event.startswith("AUCTION_TRADE")]
    return [tuple(number(trade, name) for name in ("order_id", "price", "quantity")) for trade in trades]  # type: ignore[misc]


def amount(events: list[str]) -> int:
    """Price x lots of all trades."""
    return sum(price * lots for _, price, lots in fills(events))


def unfilled(events: list[str]) -> list[tuple[int, int]]:
    """(bid id, lots) of every BID_ENDED."""
    return [(number(e, "order_id"), number(e, "quantity")) for e in events if e.startswith("BID_ENDED")]


def last(events: list[str]) -> str:
    """The event that ends an auction."""
    return next(e for e in events if e.startswith(("AUCTION_CLEARED", "AUCTION_CANCELLED")))


def carried(world: World, instrument: int = 1) -> list[int]:
    row = world.engine.state()["instruments"][instrument - 1]
    return [int(row[f"carried{n}"]) for n in range(1, 5)]


def auction_cash(world: World, account: int) -> tuple[int, int, int]:
    """(free, auction_locked, proceeds_today)."""
    row = world.row("cash", account=account, currency=1)
    return row.get("free", 0), row.get("auction_locked", 0), row.get("proceeds_today", 0)


def auction_units(world: World, account: int, asset: int = 1) -> tuple[int, int, int]:
    """(free, auction_frozen, bought_today)."""
    row = world.row("holds", account=account, asset=asset)
    return row.get("free", 0), row.get("auction_frozen", 0), row.get("bought_today", 0)
