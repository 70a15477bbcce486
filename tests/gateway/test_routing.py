"""Who gets which half of which event: every field of every copy typed in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.schema import EVENT, EventArray, EventFlag, EventKind, Reason, Side
from gateway.directory import Directory
from gateway.routing import deliveries, for_session, last_events

pytestmark = pytest.mark.nojit

BUY, SELL = int(Side.BUY), int(Side.SELL)


def event(kind: EventKind, **fields: int) -> EventArray:
    """One event; all of `fields` are set, everything else is 0."""
    made = np.zeros(1, EVENT)
    made["kind"] = kind
    for name, value in fields.items():
        made[name] = value
    return made


def events(*parts: EventArray) -> EventArray:
    made: EventArray = np.concatenate(parts)
    made["sequence"] = range(100, 100 + len(made))
    return made


def shown(record: Any) -> dict[str, int]:
    """The fields of a copy that are not 0, beside sequence and kind."""
    names = [name for name in EVENT.names or () if name not in ("sequence", "kind")]
    return {name: int(record[name]) for name in names if record[name]}


NOBODY = Directory()


def told(records: EventArray, known: Directory = NOBODY) -> dict[int, list[tuple[EventKind, dict[str, int]]]]:
    """Session -> its copies; the same bytes must come again when only a part of the journal is looked at."""
    found = {}
    for session, copies in deliveries(records.copy(), known):
        found[session] = [(EventKind(int(c["kind"])), shown(c)) for c in copies]
        assert for_session(records, session, known).tobytes() == copies.tobytes()
        one_by_one = [for_session(records[n : n + 1], session, known) for n in range(len(records))]
        assert b"".join(part.tobytes() for part in one_by_one) == copies.tobytes()
        assert last_events(records, known)[session] == int(copies["sequence"][-1])
    assert set(last_events(records, known)) == set(found)
    return found


BLOCK = {"instrument": 5, "price": 7_200, "quantity": 100_000}
BLOCK_TRADE = event(
    EventKind.BLOCK_TRADE,
    side=SELL,
    aggressor=SELL,
    **BLOCK,
    account=2,
    contra_account=1,
    order_id=9,
    contra_order_id=9,
    client_order_id=41,
    contra_client_order_id=17,
    aux=12,
    session=6,
    contra_session=4,
)


def test_a_block_trade_comes_in_halves() -> None:
    assert told(events(BLOCK_TRADE)) == {
        4: [
            (
                EventKind.BLOCK_TRADE,
                BLOCK
                | {"side": BUY, "aggressor": SELL, "flags": int(EventFlag.MAKER), "account": 1, "order_id": 9}
                | {"client_order_id": 17, "aux": 12, "session": 4},
            )
        ],
        6: [
            (
                EventKind.BLOCK_TRADE,
                BLOCK
                | {"side": SELL, "aggressor": SELL, "account": 2, "order_id": 9, "client_order_id": 41, "session": 6},
            )
        ],
    }


def test_a_block_trade_with_the_venue_itself_shows_nobody_else() -> None:
    alone = events(BLOCK_TRADE)
    alone["contra_session"] = 0
    assert told(alone) == {
        6: [
            (
                EventKind.BLOCK_TRADE,
                BLOCK
                | {"side": SELL, "aggressor": SELL, "account": 2, "order_id": 9, "client_order_id": 41, "session": 6},
            )
        ]
    }


AUCTION = {"instrument": 5, "price": 7_400, "quantity": 60_000}
AUCTION_TRADE = event(
    EventKind.AUCTION_TRADE,
    side=BUY,
    **AUCTION,
    account=3,
    contra_account=1,
    order_id=77,
    contra_order_id=2,
    client_order_id=8,
    contra_client_order_id=5,
    remaining=0,
    contra_remaining=40_000,
    aux=600,
    session=4,
    contra_session=9,
)
FEE = {"instrument": 5, "price": 7_400, "quantity": 60_000}
AUCTION_FEE = event(
    EventKind.FEE,
    **FEE,
    account=3,
    contra_account=1,
    order_id=77,
    contra_order_id=2,
    client_order_id=8,
    contra_client_order_id=5,
    aux=222,
    aux2=111,
    session=4,
    contra_session=9,
)


def test_an_auctions_trade_and_fee_come_in_halves_without_a_taker() -> None:
    bidder = {"side": BUY, "account": 3, "order_id": 77, "client_order_id": 8, "session": 4}
    seller = {"side": SELL, "account": 1, "order_id": 2, "client_order_id": 5, "session": 9}
    assert told(events(AUCTION_TRADE, AUCTION_FEE)) == {
        4: [
            (EventKind.AUCTION_TRADE, AUCTION | bidder | {"aux": 600}),
            (EventKind.FEE, FEE | bidder | {"aux": 222}),
        ],
        9: [
            (EventKind.AUCTION_TRADE, AUCTION | seller | {"remaining": 40_000}),
            (EventKind.FEE, FEE | seller | {"aux": 111}),
        ],
    }


def test_a_reverse_auctions_bidder_sells() -> None:
    trade, fee = AUCTION_TRADE.copy(), AUCTION_FEE.copy()
    trade["side"], trade["aux"] = SELL, 0
    # FEE names the buyer first: here the initiator.
    for name in ("account", "order_id", "client_order_id", "session"):
        fee[name], fee[f"contra_{name}"] = AUCTION_FEE[f"contra_{name}"], AUCTION_FEE[name]
    bidder = {"side": SELL, "account": 3, "order_id": 77, "client_order_id": 8, "session": 4}
    buyer = {"side": BUY, "account": 1, "order_id": 2, "client_order_id": 5, "session": 9}
    assert told(events(trade, fee)) == {
        4: [(EventKind.AUCTION_TRADE, AUCTION | bidder), (EventKind.FEE, FEE | bidder | {"aux": 111})],
        9: [
            (EventKind.AUCTION_TRADE, AUCTION | buyer | {"remaining": 40_000}),
            (EventKind.FEE, FEE | buyer | {"aux": 222}),
        ],
    }


def test_a_call_auctions_trade_states_each_side() -> None:
    trade = event(
        EventKind.TRADE,
        **AUCTION,
        account=3,
        contra_account=1,
        order_id=77,
        contra_order_id=78,
        client_order_id=8,
        contra_client_order_id=5,
        remaining=1,
        contra_remaining=2,
        aux=600,
        session=4,
        contra_session=4,
    )
    common = AUCTION | {"session": 4}
    assert told(events(trade)) == {
        4: [
            (
                EventKind.TRADE,
                common | {"side": BUY, "account": 3, "order_id": 77, "client_order_id": 8, "remaining": 1, "aux": 600},
            ),
            (
                EventKind.TRADE,
                common | {"side": SELL, "account": 1, "order_id": 78, "client_order_id": 5, "remaining": 2},
            ),
        ]
    }


COUNTERED = event(
    EventKind.BLOCK_COUNTERED,
    side=SELL,
    **BLOCK,
    account=2,
    contra_account=1,
    order_id=9,
    client_order_id=40,
    contra_client_order_id=17,
    remaining=100_000,
    aux=100_000,
    aux2=720_000_000,
    session=6,
    contra_session=4,
)


def test_a_counter_offer_goes_to_both_parties() -> None:
    terms = BLOCK | {"side": SELL, "account": 2, "contra_account": 1, "order_id": 9, "remaining": 100_000}
    assert told(events(COUNTERED)) == {
        4: [(EventKind.BLOCK_COUNTERED, terms | {"client_order_id": 17, "aux2": 720_000_000, "session": 4})],
        6: [(EventKind.BLOCK_COUNTERED, terms | {"client_order_id": 40, "aux": 100_000, "session": 6})],
    }


def test_a_counter_offer_to_oneself_comes_once() -> None:
    alone = events(COUNTERED)
    alone["contra_session"] = 6
    assert told(alone) == {6: [(EventKind.BLOCK_COUNTERED, shown(alone[0]))]}


@pytest.mark.parametrize(
    ("kind", "reason", "released"),
    [
        (EventKind.BID_ENDED, Reason.NOT_ALLOCATED, 500),
        (EventKind.BID_REPLACED, Reason.NONE, 500),
        (EventKind.BLOCK_ENDED, Reason.KILLED, 500),
        (EventKind.BLOCK_ENDED, Reason.USER_REQUESTED, 0),  # the other party need not see the money
    ],
)
def test_ends_and_changes_name_who_caused_them(kind: EventKind, reason: Reason, released: int) -> None:
    terms = {"side": BUY, "reason": int(reason), "account": 3, "order_id": 77, "instrument": 5, "quantity": 60_000}
    terms = {name: value for name, value in terms.items() if value}
    made = event(kind, **terms, client_order_id=8, contra_client_order_id=51, aux=500, session=4, contra_session=9)
    causer = terms | {"client_order_id": 51, "session": 9} | ({"aux": released} if released else {})
    assert told(events(made)) == {
        4: [(kind, terms | {"client_order_id": 8, "aux": 500, "session": 4})],
        9: [(kind, causer)],
    }
    made["contra_session"] = 4
    assert told(events(made)) == {
        4: [(kind, terms | {"client_order_id": 8, "contra_client_order_id": 51, "aux": 500} | {"session": 4}
             | {"contra_session": 4})]
    }  # fmt: skip


def test_sealed_bids_and_public_steps_go_to_their_sender_only() -> None:
    bid = event(EventKind.BID_ACCEPTED, side=BUY, account=3, order_id=77, contra_order_id=2, session=4)
    opened = event(EventKind.AUCTION_OPENED, order_id=2, account=1, session=9)
    assert {session: len(copies) for session, copies in told(events(bid, opened)).items()} == {4: 1, 9: 1}


CALL = {"instrument": 1, "price": 783, "quantity": 100}


def test_a_trade_of_a_call_has_no_taker() -> None:
    """The buyer comes first; each copy states its receiver's side and nothing of the other's."""
    trade = event(
        EventKind.TRADE,
        **CALL,
        account=3,
        contra_account=1,
        order_id=20,
        contra_order_id=7,
        client_order_id=2,
        contra_client_order_id=9,
        remaining=50,
        contra_remaining=40,
        aux=2_000,
        session=5,
        contra_session=4,
    )
    uncrossed = event(EventKind.CALL_UNCROSSED, **CALL, remaining=600, contra_remaining=750, session=8)
    assert told(events(uncrossed, trade)) == {
        4: [
            (
                EventKind.TRADE,
                CALL | {"side": SELL, "account": 1, "order_id": 7, "client_order_id": 9, "remaining": 40, "session": 4},
            )
        ],
        5: [
            (
                EventKind.TRADE,
                CALL
                | {"side": BUY, "account": 3, "order_id": 20, "client_order_id": 2, "remaining": 50}
                | {"aux": 2_000, "session": 5},
            )
        ],
        8: [(EventKind.CALL_UNCROSSED, CALL | {"remaining": 600, "contra_remaining": 750, "session": 8})],
    }


STOP = {
    "side": SELL,
    "instrument": 1,
    "price": 6_900,
    "quantity": 3,
    "account": 2,
    "order_id": 11,
    "client_order_id": 6,
}


def test_what_is_left_of_a_triggered_stop_concerns_its_owner_alone() -> None:
    """It ends in its own name, whoever's command moved the price."""
    triggered = event(EventKind.TRIGGERED, **STOP, aux=6_950, aux2=6_950, session=4)
    own = {"session": 4, "contra_session": 4, "contra_client_order_id": 6}
    rest = event(EventKind.EXPIRED, **STOP, reason=Reason.IOC_REMAINDER, aux=3_000, **own)
    assert told(events(triggered, rest)) == {
        4: [
            (EventKind.TRIGGERED, STOP | {"aux": 6_950, "aux2": 6_950, "session": 4}),
            (EventKind.EXPIRED, STOP | {"reason": int(Reason.IOC_REMAINDER), "aux": 3_000, **own}),
        ]
    }
