"""`carbonbook replay average`: what an instrument cost in a month, from the closes in the journal."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from gateway.commands.common import Failure, journal_errors, json_option, locate_journal, print_json
from gateway.commands.operating import iso

TURNOVER_WORD: Final = 2**62


class Close(NamedTuple):
    """One instrument's day: ticks, lots, turnover in ticks x lots."""

    date: int
    close: int
    lots: int
    turnover: int


def closes(folder: Path, instrument: int, month: int) -> list[Close]:
    """The days of a month (YYYYMM), as FIX_CLOSE told them; a close's date is that of the ORDERS_EXPIRED before it."""
    from engine.schema import EventKind
    from replay import JournalReader

    found, date = [], 0
    for part in JournalReader(folder).events(1):
        told = (part["kind"] == EventKind.CLOSE_FIXED) | (part["kind"] == EventKind.ORDERS_EXPIRED)
        for event in part[told]:
            if event["kind"] == EventKind.ORDERS_EXPIRED:
                date = int(event["aux"])
            elif date // 100 == month and event["instrument"] == instrument:
                turnover = int(event["aux"]) + int(event["contra_order_id"]) * TURNOVER_WORD
                found.append(Close(date, int(event["price"]), int(event["quantity"]), turnover))
    return found


def mean(amount: int, count: int, tick: Decimal) -> Decimal | None:
    """Ticks over a count as a price, half-up to the tick; None without any."""
    if not count:
        return None
    return (Decimal(amount) / count).quantize(Decimal(1), ROUND_HALF_UP) * tick


@click.command()
@click.argument("instrument")
@click.argument("month")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("data"))
@json_option
@journal_errors()
def average(instrument: str, month: str, folder: Path, as_json: bool) -> None:
    """Average price of INSTRUMENT in MONTH (YYYY-MM): weighted by volume over its listed trades, and of its closes.

    Block trades and auctions are not in it. Both figures half-up to the tick, from the days that have ended.

    \b
    carbonbook replay average CEA24 2025-08 data
    """
    from engine.venue import VenueError
    from replay import JournalReader

    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise click.BadParameter(f"{month!r} is no month; write YYYY-MM", param_hint="MONTH")
    where = locate_journal(folder)
    venue = JournalReader(where).venue
    try:
        number = venue.instrument_id(instrument)
    except VenueError as error:
        raise click.BadParameter(str(error), param_hint="INSTRUMENT") from None
    days = closes(where, number, int(month.replace("-", "")))
    if not days:
        raise Failure(f"{instrument}: no trading day of {month} has ended in this journal")
    tick = venue.instruments[number - 1].tick
    priced = [day for day in days if day.close]
    lots = sum(day.lots for day in days)
    facts: dict[str, Any] = {
        "instrument": instrument,
        "month": month,
        "days": len(days),
        "first": iso(days[0].date),
        "last": iso(days[-1].date),
        "lots": lots,
        "volume_weighted": mean(sum(day.turnover for day in days), lots, tick),
        "mean_of_closes": mean(sum(day.close for day in priced), len(priced), tick),
    }
    if as_json:
        print_json(facts)
        return
    span = f"{facts['days']} days, {facts['first']} to {facts['last']}, {lots:,} lots"
    weighted = facts["volume_weighted"] if lots else "no trades"
    click.echo(
        f"{instrument} {month}: {weighted} weighted by volume, {facts['mean_of_closes']} mean of closes ({span})"
    )
