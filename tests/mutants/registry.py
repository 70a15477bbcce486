"""Faults in the registry: holds, court orders, transfers, and its answer to the day's settlement."""

from __future__ import annotations

from tests.mutants.fault import Fault, rule

HOLDS = [
    rule(
        "pledged_units_sellable",
        "what is pledged is no longer free (rule book section 5, G9: 50,000 t pledged of 100,000)",
        kernel=[
            (
                "encumbrances.py",
                "    balance.free -= c.quantity\n",
                "    balance.free -= c.quantity if judicial else 0\n",
            ),
            (
                "encumbrances.py",
                "    units_of(s, c.account, c.scope).free -= c.quantity\n    buckets_of(s, c.account, c.scope).pledged",
                "    buckets_of(s, c.account, c.scope).pledged",
            ),
        ],
        reference=[
            (
                "encumbrances.py",
                "    hold.free -= command.quantity\n    if pledge:\n",
                "    hold.free -= 0 if pledge else command.quantity\n    if pledge:\n",
            ),
            ("encumbrances.py", "    hold.free -= command.quantity\n    hold.pledged", "    hold.pledged"),
        ],
        tests=[
            "test_registry::test_pledge_with_partial_release_and_realisation",
            "test_registry::test_pledge_request_stands_at_once",
        ],
    ),
    rule(
        "pledge_of_units_bought_today",
        "only what is free is held or given away (rule book section 5, G2)",
        kernel=[
            ("encumbrances.py", "found = balance.free + more\n", "found = balance.free + more + balance.bought_today\n")
        ],
        reference=[
            ("encumbrances.py", "    if hold.free < units:\n", "    if hold.free + hold.bought_today < units:\n")
        ],
        tests=[
            "test_registry::test_bought_today_cannot_be_held_or_given_away",
            "test_rejects_registry::test_pledge_request",
            "test_rejects_registry::test_transfer_out",
        ],
    ),
    rule(
        "pledge_released_by_another",
        "a pledge is released in its creditor's name only (docs/registry.md, RELEASE_HOLD; practice of the registry)",
        kernel=[
            (
                "encumbrances.py",
                "return Reason.NONE if c.quantity2 == hold.creditor else",
                "return Reason.NONE if True else",
            )
        ],
        reference=[("encumbrances.py", "        if command.quantity2 != held.creditor:\n", "        if False:\n")],
        tests=["test_rejects_registry::test_release_hold", "test_rejects_registry::test_realise_hold"],
    ),
    rule(
        "released_beyond_the_hold",
        "no more is released or realised than the hold still has (docs/registry.md, EXCEEDS_HOLD)",
        kernel=[("encumbrances.py", "    if c.quantity > hold.quantity:\n", "    if False:\n")],
        reference=[("encumbrances.py", "    if command.quantity > held.quantity:\n", "    if False:\n")],
        tests=["test_rejects_registry::test_release_hold", "test_rejects_registry::test_realise_hold"],
    ),
    rule(
        "partial_release_ends_the_hold",
        "a hold stands for the units that are left (rule book section 5, G9: 20,000 of 50,000 released)",
        kernel=[("encumbrances.py", "    hold.quantity -= units\n", "    hold.quantity = 0\n")],
        reference=[("encumbrances.py", "    held.quantity -= units\n", "    held.quantity = 0\n")],
        tests=[
            "test_registry::test_pledge_with_partial_release_and_realisation",
            "test_registry::test_judicial_release_returns_to_free",
        ],
    ),
    rule(
        "realised_pledge_returns_to_its_owner",
        "a realised pledge is the receiver's (rule book section 5, G9)",
        kernel=[
            (
                "encumbrances.py",
                "        units_of(s, c.account, hold.asset).free += c.quantity\n",
                "        units_of(s, hold.account, hold.asset).free += c.quantity\n",
            )
        ],
        reference=[("encumbrances.py", "x.accounts[receiver].hold_of(held.asset).free +=", "hold.free +=")],
        tests=[
            "test_registry::test_pledge_with_partial_release_and_realisation",
            "test_registry::test_deduction_leaves_the_ledger_or_goes_to_a_receiver",
        ],
    ),
    rule(
        "deducted_units_stay_deposited",
        "what a court takes without a receiver leaves the ledger (docs/registry.md, REALISE_HOLD)",
        kernel=[("encumbrances.py", "        s.units_deposited[hold.asset] -= c.quantity\n", "        pass\n")],
        reference=[
            ("encumbrances.py", "        x.units_deposited[held.asset] -= command.quantity\n", "        pass\n")
        ],
        tests=[
            "test_registry::test_deduction_leaves_the_ledger_or_goes_to_a_receiver",
            "test_registry::test_transfer_out",
        ],
    ),
    rule(
        "transfer_in_credited_on_request",
        "nothing moves until the registry confirms (rule book section 5, G2)",
        kernel=[
            (
                "encumbrances.py",
                "        place(s, c, TRANSFER_IN, 0, 0)\n",
                "        units_of(s, c.account, c.scope).free += c.quantity\n        place(s, c, TRANSFER_IN, 0, 0)\n",
            )
        ],
        reference=[
            (
                "encumbrances.py",
                "    begin_hold(x, command, HoldType.TRANSFER_IN, 0, 0)\n",
                "    x.accounts[command.account].hold_of(command.scope).free += command.quantity\n"
                "    begin_hold(x, command, HoldType.TRANSFER_IN, 0, 0)\n",
            )
        ],
        tests=["test_registry::test_transfer_in"],
    ),
    rule(
        "registry_waits_for_a_stopped_firm",
        "the operator's kinds never ask for status: the registry's record counts (docs/registry.md, Precisely)",
        kernel=[
            (
                "encumbrances.py",
                "    reason = check_operator_account(s, c)\n",
                "    reason = check_operator_account(s, c)\n"
                "    if reason == Reason.NONE and s.firm_table[s.accounts[c.account].firm].status != Status.ACTIVE:\n"
                "        reason = Reason.FIRM_STOPPED\n",
            )
        ],
        reference=[
            (
                "encumbrances.py",
                "    account = find_account(x, command.account)\n",
                "    account = find_account(x, command.account)\n    require_firm_active(x, command.account)\n",
            )
        ],
        tests=["test_rejects_registry::test_the_registry_acts_on_who_is_stopped"],
    ),
    rule(
        "stopped_firm_transfers_out",
        "a stopped firm pledges and transfers nothing (docs/registry.md, PLEDGE_REQUEST; docs/controls.md 10.2)",
        kernel=[
            ("encumbrances.py", "    if reason == Reason.NONE and s.firm_table[", "    if False and s.firm_table[")
        ],
        reference=[("limits.py", "    if x.venue.prefunded and x.firm_status[", "    if False and x.firm_status[")],
        tests=["test_rejects_registry::test_a_stopped_firm_requests_nothing"],
    ),
]

COURT = [
    rule(
        "freeze_of_free_units_only",
        "a court order overrides the owner's sell orders (rule book section 5, G7)",
        kernel=[
            (
                "encumbrances.py",
                "if judicial and balance.free < c.quantity else np.int64(0)",
                "if False else np.int64(0)",
            )
        ],
        reference=[("encumbrances.py", "hold.free + sum(units_locked(x, order) for order in selling)", "hold.free")],
        tests=[
            "test_registry::test_judicial_freeze_cancels_sell_orders",
            "test_registry::test_judicial_freeze_cancels_no_more_than_needed",
        ],
    ),
    rule(
        "freeze_leaves_sell_orders",
        "sell orders fall until the units are free (rule book section 5, G7)",
        kernel=[("encumbrances.py", "            seize_offered(s, c)\n", "            pass\n")],
        reference=[("encumbrances.py", "        if hold.free >= command.quantity:\n", "        if True:\n")],
        tests=["test_registry::test_judicial_freeze_cancels_sell_orders"],
    ),
    rule(
        "freeze_cancels_all_sell_orders",
        "no more orders fall than needed (docs/registry.md, PLACE_HOLD)",
        kernel=[("encumbrances.py", "while slot != 0 and balance.free < c.quantity:", "while slot != 0:")],
        reference=[("encumbrances.py", "        if hold.free >= command.quantity:\n", "        if False:\n")],
        tests=["test_registry::test_judicial_freeze_cancels_no_more_than_needed"],
    ),
    rule(
        "freeze_cancels_anybodys_orders",
        "a court order meets the orders of the account that it names (docs/registry.md, PLACE_HOLD)",
        kernel=[
            (
                "encumbrances.py",
                "            if s.orders[slot].account == c.account:\n",
                "            if s.orders[slot].account > 0:\n",
            )
        ],
        reference=[
            ("encumbrances.py", "order.side != Side.SELL or order.account != account:", "order.side != Side.SELL:")
        ],
        tests=["test_registry::test_judicial_freeze_cancels_no_more_than_needed"],
    ),
    rule(
        "freeze_in_one_instrument_only",
        "sell orders of every instrument of the asset are within reach (docs/registry.md, PLACE_HOLD)",
        kernel=[
            (
                "encumbrances.py",
                "if s.orders[slot].account == account:\n",
                "if s.orders[slot].account == account and i == 1:\n",
            ),
            (
                "encumbrances.py",
                "if s.orders[slot].account == c.account:\n",
                "if s.orders[slot].account == c.account and i == 1:\n",
            ),
        ],
        reference=[
            (
                "encumbrances.py",
                "order.side != Side.SELL or order.account",
                "order.instrument > 1 or order.side != Side.SELL or order.account",
            )
        ],
        tests=["test_registry::test_judicial_freeze_cancels_sell_orders"],
    ),
]

SETTLEMENT = [
    rule(
        "settlement_without_acknowledgement",
        "SETTLE waits for the registry's answer (rule book section 5, G3 and G4)",
        kernel=[("day.py", "s.settlement_ack and s.acknowledged_date != s.trading_date:", "False:")],
        reference=[("day.py", "x.venue.settlement_ack and x.acknowledged_date != x.trading_date:", "False:")],
        tests=["test_registry::test_settlement_waits_for_the_registry"],
    ),
    rule(
        "acknowledgement_of_yesterday",
        "the answer is to this day's file (rule book section 5, G3 and G4)",
        kernel=[("day.py", "s.acknowledged_date != s.trading_date:", "s.acknowledged_date == 0:")],
        reference=[("day.py", "x.acknowledged_date != x.trading_date:", "x.acknowledged_date == 0:")],
        tests=["test_registry::test_settlement_waits_for_the_registry"],
    ),
    rule(
        "refusal_keeps_the_acceptance",
        "a refusal takes an earlier acceptance back (docs/registry.md, ACKNOWLEDGE_SETTLEMENT)",
        kernel=[("compliance.py", "= s.trading_date if c.scope == 0 else 0", "= s.trading_date")],
        reference=[("compliance.py", "= 0 if command.scope else x.trading_date", "= x.trading_date")],
        tests=["test_registry::test_settlement_waits_for_the_registry"],
    ),
]

FAULTS: list[Fault] = [*HOLDS, *COURT, *SETTLEMENT]
