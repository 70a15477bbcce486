"""`carbonbook replay presence`: how long an account quoted two-sided on a trading day."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.commands.common import (
    NS,
    Failure,
    implementation_option,
    journal_errors,
    json_option,
    locate_journal,
    print_json,
    table,
)
from gateway.commands.operating import date_of
from gateway.commands.settlements import date_option
from gateway.commands.types import PRICE

if TYPE_CHECKING:
    from engine.core import ImplementationName
    from engine.venue import Venue
    from replay.reports.presence import Presence


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("data"))
@date_option
@click.option("--account", type=click.IntRange(min=0), required=True, help="The market maker's account.")
@click.option("--max-spread", type=PRICE, help="Widest spread that counts, in currency units (default: any).")
@implementation_option
@json_option
@journal_errors()
def presence(
    folder: Path, on: str, account: int, max_spread: Decimal | None, implementation: ImplementationName, as_json: bool
) -> None:
    """How long an account quoted two-sided: share of the continuous trading, and spreads.

    It is present while it has a bid and an offer resting, the smaller one (at its best price) at least half of the
    larger one, no further apart than --max-spread. RTS 8 asks for at least 50 % of the daily hours.

    \b
    carbonbook replay presence data --date 2025-08-11 --account 3 --max-spread 0.50
    """
    from engine.schema import DayStage
    from replay import JournalReader
    from replay.reports.days import NoSuchDay
    from replay.reports.presence import presence as measure
    from replay.reports.statement import NoSuchAccount

    reader = JournalReader(locate_journal(folder))
    widest = {}
    if max_spread is not None:  # a spread between two ticks counts as the lower one
        widest = {number: int(max_spread / i.tick) for number, i in enumerate(reader.venue.instruments, 1)}
    try:
        day, found = measure(reader, date_of(on, "--date"), account, widest, implementation)
    except (NoSuchDay, NoSuchAccount) as error:
        raise Failure(str(error)) from None
    rows = [facts(reader.venue, line) for line in found]
    if as_json:
        print_json({"date": on, "account": account, "stage": day.stage.name, "instruments": rows})
        return
    asked = f", spread up to {max_spread}" if max_spread is not None else ""
    state = "" if day.stage > DayStage.OPEN else ", the day goes on"
    click.echo(f"account {account}, {on}{state}: sizes within half of each other{asked}")
    click.echo(table(list(rows[0]), [list(row.values()) for row in rows]) if rows else "no continuous trading")


def facts(venue: Venue, line: Presence) -> dict[str, Any]:
    """One instrument's line: seconds, per cent, spreads in currency units."""
    terms = venue.instruments[line.instrument - 1]
    mean = line.mean_spread
    return {
        "instrument": terms.symbol,
        "continuous_s": line.continuous // NS,
        "two_sided_s": line.two_sided // NS,
        "present_s": line.present // NS,
        "present_pct": line.share,
        "half_met": line.is_met,
        "mean_spread": mean * terms.tick if mean is not None else None,
        "narrowest": terms.price(line.narrowest) if mean is not None else None,
        "widest": terms.price(line.widest) if mean is not None else None,
    }
