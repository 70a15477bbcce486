"""Faults in allocation, obligations, surrender by vintage, offsets, and carrying over."""

from __future__ import annotations

from tests.mutants.fault import Fault, rule

FAULTS: list[Fault] = [
    rule(
        "allocation_of_the_wrong_year",
        "an allocation is told with its compliance year (rule book section 5, G15)",
        kernel=[
            (
                "compliance.py",
                "0, c.scope, c.expiry, late, c.quantity, free)",
                "0, c.scope, c.expiry - 1, late, c.quantity, free)",
            )
        ],
        reference=[
            (
                "compliance.py",
                "        remaining=command.expiry,\n        contra_remaining=allocated_late",
                "        remaining=command.expiry - 1,\n        contra_remaining=allocated_late",
            )
        ],
        tests=["test_registry::test_allocation"],
    ),
    rule(
        "surrender_for_another_year",
        "units are surrendered for the year of the obligation (docs/registry.md, SURRENDER)",
        kernel=[
            (
                "compliance.py",
                "obligation.account != c.account or obligation.year != c.expiry:",
                "obligation.account != c.account:",
            )
        ],
        reference=[
            (
                "compliance.py",
                "obligation.account != command.account or obligation.year != year:",
                "obligation.account != command.account:",
            )
        ],
        tests=["test_rejects_registry::test_surrender"],
    ),
    rule(
        "surrender_of_an_expired_vintage",
        "a vintage counts until its last year (rule book section 2, surrender_until: CEA23 until 2024)",
        kernel=[("compliance.py", "(until != 0 and until < c.expiry)", "False")],
        reference=[("compliance.py", "(until and until < year)", "False")],
        tests=["test_registry::test_surrender_by_vintage", "test_rejects_registry::test_surrender"],
    ),
    rule(
        "vintages_last_year_refused",
        "a vintage counts in its last year too (rule book section 2, surrender_until: CEA23 until 2024)",
        kernel=[("compliance.py", "until < c.expiry)", "until <= c.expiry)")],
        reference=[("compliance.py", "until < year)", "until <= year)")],
        tests=["test_registry::test_surrender_by_vintage"],
    ),
    rule(
        "credits_surrendered",
        "credits count for no obligation (docs/registry.md, SURRENDER)",
        kernel=[("compliance.py", "kind == AssetKind.CREDIT or (", "False or (")],
        reference=[("compliance.py", "kind == AssetKind.CREDIT or (", "False or (")],
        tests=["test_registry::test_surrender_by_vintage", "test_rejects_registry::test_surrender"],
    ),
    rule(
        "surrender_beyond_what_is_due",
        "no more is surrendered than is due (docs/registry.md, EXCEEDS_OBLIGATION)",
        kernel=[("compliance.py", "    if obligation.surrendered + c.quantity > obligation.due:\n", "    if False:\n")],
        reference=[("compliance.py", "    if obligation.surrendered + units > obligation.due:\n", "    if False:\n")],
        tests=["test_registry::test_obligation_and_surrender", "test_rejects_registry::test_surrender"],
    ),
    rule(
        "obligation_below_what_was_surrendered",
        "a correction keeps what was surrendered (docs/registry.md, SET_OBLIGATION)",
        kernel=[("compliance.py", "    if c.quantity < obligation.surrendered:\n", "    if False:\n")],
        reference=[("compliance.py", "        if command.quantity < obligation.surrendered:\n", "        if False:\n")],
        tests=["test_registry::test_obligation_and_surrender", "test_rejects_registry::test_set_obligation"],
    ),
    rule(
        "surrendered_units_stay_deposited",
        "surrendered and cancelled units leave the ledger for good (docs/registry.md)",
        kernel=[("compliance.py", "        s.units_deposited[c.scope] -= c.quantity\n", "")],
        reference=[
            (
                "compliance.py",
                "    hold.free -= units\n    x.units_deposited[asset] -= units\n",
                "    hold.free -= units\n",
            )
        ],
        tests=["test_registry::test_obligation_and_surrender", "test_registry::test_voluntary_cancellation"],
    ),
    rule(
        "offset_limit_ignored",
        "offsets cover at most 5 % of the obligation (MEE measures art. 29)",
        kernel=[("compliance.py", "    if kind == AssetKind.OFFSET and obligation", "    if False and obligation")],
        reference=[("compliance.py", "    if kind == AssetKind.OFFSET and obligation", "    if False and obligation")],
        tests=["test_registry::test_offsets_cover_five_percent", "test_rejects_registry::test_surrender"],
    ),
    rule(
        "offset_limit_of_each_surrender",
        "the 5 % hold for all offsets of the obligation together (MEE measures art. 29)",
        kernel=[("compliance.py", "obligation.offsets + c.quantity > share(", "c.quantity > share(")],
        reference=[("compliance.py", "obligation.offsets + units > most_offsets", "units > most_offsets")],
        tests=["test_registry::test_offsets_cover_five_percent"],
    ),
    rule(
        "offset_limit_rounded_up",
        "the offset limit is rounded half-up: 2,500.45 gives 2,500 (docs/registry.md, SURRENDER)",
        kernel=[
            (
                "compliance.py",
                "share(obligation.due, s.offset_limit_bps)",
                "-(-np.int64(obligation.due) * s.offset_limit_bps // BASIS_POINTS)",
            )
        ],
        reference=[
            (
                "compliance.py",
                "half_up(obligation.due * x.venue.offset_limit_bps, BASIS_POINTS)",
                "-(-obligation.due * x.venue.offset_limit_bps // BASIS_POINTS)",
            )
        ],
        tests=["test_registry::test_offsets_cover_five_percent"],
    ),
    rule(
        "offset_limit_rounded_down",
        "the offset limit is rounded half-up: 2,500.5 gives 2,501 (docs/registry.md, SURRENDER)",
        kernel=[
            (
                "compliance.py",
                "share(obligation.due, s.offset_limit_bps)",
                "np.int64(obligation.due) * s.offset_limit_bps // BASIS_POINTS",
            )
        ],
        reference=[
            (
                "compliance.py",
                "half_up(obligation.due * x.venue.offset_limit_bps, BASIS_POINTS)",
                "obligation.due * x.venue.offset_limit_bps // BASIS_POINTS",
            )
        ],
        tests=["test_registry::test_offsets_cover_five_percent"],
    ),
    rule(
        "carry_over_without_a_limit",
        "10,000 + 1.5 x net sales are carried over at most (allocation plan 2024/25)",
        kernel=[("compliance.py", "carried_over + c.quantity > most:", "carried_over + c.quantity < 0:")],
        reference=[
            ("compliance.py", "    if hold.carried_over + units >", "    if False and hold.carried_over + units >")
        ],
        tests=["test_registry::test_carry_over", "test_registry::test_carry_over_base_alone"],
    ),
    rule(
        "carry_over_limit_of_each_command",
        "the limit holds for all that an account carried over (allocation plan 2024/25)",
        kernel=[
            (
                "compliance.py",
                "buckets_of(s, c.account, c.scope).carried_over + c.quantity > most:",
                "c.quantity > most:",
            )
        ],
        reference=[("compliance.py", "    if hold.carried_over + units >", "    if units >")],
        tests=["test_registry::test_carry_over"],
    ),
    rule(
        "carry_over_share_rounded_down",
        "1.5 x net sales are rounded half-up: 20,001 sold give 30,002 (docs/registry.md, CARRY_OVER)",
        kernel=[
            (
                "compliance.py",
                "share(c.quantity2, s.carry_over_factor_bps)",
                "c.quantity2 * s.carry_over_factor_bps // BASIS_POINTS",
            )
        ],
        reference=[
            (
                "compliance.py",
                "half_up(command.quantity2 * x.venue.carry_over_factor_bps, BASIS_POINTS)",
                "command.quantity2 * x.venue.carry_over_factor_bps // BASIS_POINTS",
            )
        ],
        tests=["test_registry::test_carry_over", "test_registry::test_carry_over_base_alone"],
    ),
    rule(
        "offsets_carried_over",
        "only allowances are carried over (docs/registry.md, CARRY_OVER)",
        kernel=[("compliance.py", "    if s.asset_kinds[c.scope] != AssetKind.ALLOWANCE or", "    if False and")],
        reference=[("compliance.py", "    if kind_of(x, source) != AssetKind.ALLOWANCE or", "    if False and")],
        tests=["test_rejects_registry::test_carry_over"],
    ),
]
