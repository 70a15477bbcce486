"""The rule sets that random streams run on."""

from __future__ import annotations

from engine.venue import Capacity, Venue
from tests.engine.builders import plain, seee

CAPACITY = Capacity(
    orders=700, accounts=14, firms=6, sessions=12, negotiations=8, auctions=4, bids=60, holds=30, obligations=20
)


def venues() -> dict[str, Venue]:
    """Rule sets that together reach every branch of the rules."""
    return {
        "plain": plain(capacity=CAPACITY),
        "plain-groups": plain(
            {"price_step": 5, "quantity_step": 10, "quantity_min": 20, "quantity_max": 5_000},
            capacity=CAPACITY,
            self_trade="CANCEL_BOTH",
            take=True,
            click_strict=False,
            sweep_levels=3,
        ),
        "seee": seee(capacity=CAPACITY),
        "seee-fees": seee(
            {
                "fee_ppm": 1_234,
                "tick_value": 1_000,
                "units_per_lot": 1_000,
                "times_in_force": ("day", "gtc", "ioc", "fok"),
                "close": "LAST",
            },
            capacity=CAPACITY,
            settlement_days=0,
            self_trade="DECREMENT",
            depth_remainder="REST_AT_LAST",
            withdraw_after="AT_ONCE",
        ),
        "seee-resweep": seee(
            {"times_in_force": ("day", "gtc", "fok"), "order_types": ("limit",), "post_only": False, "fee_ppm": 37},
            capacity=CAPACITY,
            depth_remainder="RESWEEP",
            self_trade="CANCEL_MAKER",
            click_strict=False,
            break_cancel=False,
        ),
        "seee-reject": seee(
            {"times_in_force": ("day", "gtc", "ioc", "fok"), "limit_listed_bps": 0, "fee_ppm": 1_000_000},
            capacity=CAPACITY,
            cross_policy="REJECT",
            self_trade="OFF",
            composite="NONE",
            click_strict=False,
            sweep_levels=2,
        ),
    }
