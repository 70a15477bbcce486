"""Faults in transfer windows, the accounts of a firm, and the dates of compliance years."""

from __future__ import annotations

from tests.mutants.fault import Fault, rule

WINDOWS = [
    rule(
        "transfers_at_any_hour",
        "transfers are asked for within the window (rule book section 5, G2)",
        kernel=[("encumbrances.py", "if reason == Reason.NONE and s.transfers_closed:", "if False:")],
        reference=[("encumbrances.py", "    if x.transfers_closed:\n", "    if False:\n")],
        tests=["test_registry_dates::test_transfers_are_asked_for_within_the_window"],
    ),
    rule(
        "window_only_opens",
        "an operator or the calendar closes the window again (docs/registry.md, SET_TRANSFER_WINDOW)",
        kernel=[("encumbrances.py", "s.transfers_closed = 1 - c.scope", "s.transfers_closed = 0")],
        reference=[("encumbrances.py", "x.transfers_closed = int(command.scope == 0)", "x.transfers_closed = 0")],
        tests=["test_registry_dates::test_transfers_are_asked_for_within_the_window"],
    ),
    rule(
        "registry_bound_by_the_window",
        "the registry's answer is entered at any hour (rule book section 5, G1)",
        kernel=[
            (
                "encumbrances.py",
                "        return Reason.UNKNOWN_HOLD\n    hold = s.encumbrances[row]\n",
                "        return Reason.UNKNOWN_HOLD\n    hold = s.encumbrances[row]\n"
                "    if s.transfers_closed:\n        return Reason.TRANSFERS_CLOSED\n",
            )
        ],
        reference=[
            (
                "encumbrances.py",
                "        raise Refused(Reason.UNKNOWN_HOLD)\n",
                "        raise Refused(Reason.UNKNOWN_HOLD)\n"
                "    if x.transfers_closed:\n        raise Refused(Reason.TRANSFERS_CLOSED)\n",
            )
        ],
        tests=["test_registry_dates::test_what_the_registry_says_needs_no_window"],
    ),
]

ACCOUNTS = [
    rule(
        "one_account_more_than_allowed",
        "one trading account per entity (rule book section 5, G6)",
        kernel=[("registry.py", "c.quantity) >= s.accounts_per_firm", "c.quantity) > s.accounts_per_firm")],
        reference=[("administration.py", "x.accounts[1:]) >= most", "x.accounts[1:]) > most")],
        tests=["test_registry_dates::test_accounts_of_one_firm", "test_registry_dates::test_labels_are_counted_too"],
    ),
    rule(
        "accounts_of_all_firms_counted",
        "each entity has its own account (rule book section 5, G6)",
        kernel=[("registry.py", "accounts_of_firm(s, c.quantity) >=", "s.accounts_open >=")],
        reference=[("administration.py", "sum(account.firm == firm for", "sum(account.firm > 0 for")],
        tests=["test_registry_dates::test_accounts_of_one_firm"],
    ),
]

DATES = [
    rule(
        "overdue_a_day_late",
        "surrender by 31 December: that day's end finds what is missing (rule book section 5, G15)",
        kernel=[("deadlines.py", "date <= last and", "date < last and")],
        reference=[("deadlines.py", "obligation.surrender_by <= ended", "obligation.surrender_by < ended")],
        tests=["test_registry_dates::test_overdue_at_the_end_of_the_last_day"],
    ),
    rule(
        "last_day_counts_no_more",
        "units come in time on the last day too (rule book section 5, G15)",
        kernel=[("day.py", "tell_overdue(s, c, date - 1)", "tell_overdue(s, c, date)")],
        reference=[("day.py", "tell_overdue(x, on_date - 1)", "tell_overdue(x, on_date)")],
        tests=["test_registry_dates::test_surrendered_in_time"],
    ),
    rule(
        "date_without_trading_waits_for_a_settlement",
        "a date without trading ends when the next day opens (docs/registry.md, dates)",
        kernel=[("day.py", "    tell_overdue(s, c, date - 1)\n", "")],
        reference=[("day.py", "    tell_overdue(x, on_date - 1)\n", "")],
        tests=["test_registry_dates::test_a_date_without_trading_ends_with_the_next_opening"],
    ),
    rule(
        "overdue_told_every_day",
        "an overdue obligation is told once (docs/registry.md, dates)",
        kernel=[("deadlines.py", "missing > 0 and obligation.overdue == 0:", "missing > 0:")],
        reference=[("deadlines.py", "not date_has_come or obligation.overdue or", "not date_has_come or")],
        tests=["test_registry_dates::test_overdue_at_the_end_of_the_last_day"],
    ),
    rule(
        "paid_in_full_and_overdue",
        "who surrendered everything owes nothing (rule book section 5, G15)",
        kernel=[("deadlines.py", "missing > 0 and", "missing >= 0 and")],
        reference=[("deadlines.py", "obligation.surrendered >= obligation.due:", "False:")],
        tests=["test_registry_dates::test_surrendered_in_time"],
    ),
    rule(
        "late_units_refused",
        "late units are taken: the duty outlives its date (decree 775 art. 24)",
        kernel=[
            (
                "compliance.py",
                "    if obligation.surrendered + c.quantity > obligation.due:\n",
                "    if obligation.overdue or obligation.surrendered + c.quantity > obligation.due:\n",
            )
        ],
        reference=[
            (
                "compliance.py",
                "    if obligation.surrendered + units > obligation.due:\n",
                "    if obligation.overdue or obligation.surrendered + units > obligation.due:\n",
            )
        ],
        tests=["test_registry_dates::test_late_units_are_taken"],
    ),
    rule(
        "late_units_not_counted",
        "what comes after the date is counted as late (docs/registry.md, dates)",
        kernel=[("compliance.py", "        obligation.late += c.quantity\n", "        obligation.late += 0\n")],
        reference=[("compliance.py", "        obligation.late += units\n", "        obligation.late += 0\n")],
        tests=["test_registry_dates::test_late_units_are_taken"],
    ),
    rule(
        "own_date_ignored",
        "an obligation's own date comes before the venue's (docs/registry.md, SET_OBLIGATION)",
        kernel=[("compliance.py", "c.target if c.target != 0 else date_of_year", "date_of_year")],
        reference=[("compliance.py", "command.target or surrender_by(", "surrender_by(")],
        tests=["test_registry_dates::test_a_date_of_its_own"],
    ),
    rule(
        "new_date_keeps_the_old_ones_fault",
        "with another date an obligation begins anew (docs/registry.md, dates)",
        kernel=[("deadlines.py", "        obligation.overdue = 0\n        obligation.late = 0\n", "")],
        reference=[
            (
                "deadlines.py",
                "obligation.surrender_by, obligation.overdue, obligation.late = last, 0, 0",
                "obligation.surrender_by = last",
            )
        ],
        tests=["test_registry_dates::test_a_date_of_its_own"],
    ),
    rule(
        "correction_forgives_what_was_late",
        "a correction forgives only where nothing was late (docs/registry.md, dates)",
        kernel=[
            (
                "deadlines.py",
                "due == obligation.surrendered and obligation.late == 0:",
                "due == obligation.surrendered:",
            )
        ],
        reference=[("deadlines.py", "obligation.surrendered and not obligation.late:", "obligation.surrendered:")],
        tests=["test_registry_dates::test_a_correction_of_what_was_due"],
    ),
    rule(
        "allocation_of_the_last_day_late",
        "final allocation by 30 September, that day included (rule book section 5, G15)",
        kernel=[("deadlines.py", "s.trading_date > date", "s.trading_date >= date")],
        reference=[("deadlines.py", "date_number(last) < x.trading_date", "date_number(last) <= x.trading_date")],
        tests=["test_registry_dates::test_late_allocation"],
    ),
]

FAULTS: list[Fault] = [*WINDOWS, *ACCOUNTS, *DATES]
