"""Numbers that no command can carry are refused by the client, with the field's name, and nothing is sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engine.schema import CommandKind, Reason, Side
from gateway.drafts import Draft
from gateway.errors import InvalidCommand
from gateway.views import to_ticks
from gateway.wire import InstrumentData


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("quantity", 1 << 63, Reason.INVALID_QUANTITY),
        ("quantity2", -(1 << 63) - 1, Reason.INVALID_QUANTITY),
        ("price", 1 << 31, Reason.PRICE_OUT_OF_WINDOW),
        ("account", 10**30, Reason.UNKNOWN_ACCOUNT),
        ("target", 1 << 64, Reason.UNKNOWN_ORDER),
        ("expiry", 1 << 63, Reason.INVALID_EXPIRY),
    ],
)
def test_a_number_too_large_names_its_field(field: str, value: int, reason: Reason) -> None:
    draft = Draft(CommandKind.NEW_ORDER, 7)
    with pytest.raises(InvalidCommand, match=f"{field} {value} is not from -") as caught:
        draft[field] = value
    assert caught.value.reason == reason
    assert draft.records[0][field] == 0


@pytest.mark.parametrize("value", [1.5, 2.0, "10", Decimal(3), None])
def test_only_whole_numbers(value: Any) -> None:
    draft = Draft(CommandKind.NEW_ORDER, 7)
    with pytest.raises(TypeError, match=r"quantity: .* is not a whole number"):
        draft["quantity"] = value
    assert draft.records[0]["quantity"] == 0


def test_what_fits_is_written() -> None:
    draft = Draft(CommandKind.CANCEL_ORDER, 7)
    draft["quantity"], draft["price"], draft["side"] = (1 << 63) - 1, -(1 << 31), Side.SELL
    record = draft.records[0]
    assert (record["kind"], record["client_order_id"], draft.number) == (CommandKind.CANCEL_ORDER, 7, 7)
    assert (record["quantity"], record["price"], record["side"]) == ((1 << 63) - 1, -(1 << 31), 2)


def _instrument(tick: str) -> InstrumentData:
    empty = dict.fromkeys(InstrumentData.__struct_fields__, 0)
    return InstrumentData(**(empty | {"tick": tick}))


@pytest.mark.parametrize(
    ("price", "tick", "ticks"),
    [("72.80", "0.01", 7280), (Decimal("72.8" + "0" * 60), "0.01", 7280), (72, "0.01", 7200), ("0.06", "0.03", 2)],
)
def test_a_multiple_of_the_tick(price: Any, tick: str, ticks: int) -> None:
    assert to_ticks(_instrument(tick), price) == ticks


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        ("72.805", Reason.OFF_TICK),
        ("72.8" + "0" * 45 + "1", Reason.OFF_TICK),
        ("nan", Reason.OFF_TICK),
        ("1e400000", Reason.PRICE_OUT_OF_WINDOW),
        ("21474836.48", Reason.PRICE_OUT_OF_WINDOW),
        ("-inf", Reason.PRICE_OUT_OF_WINDOW),
        ("7a", Reason.INVALID_PRICE),
    ],
)
def test_no_price_is_rounded(price: str, reason: Reason) -> None:
    with pytest.raises(InvalidCommand) as caught:
        to_ticks(_instrument("0.01"), price)
    assert caught.value.reason == reason
