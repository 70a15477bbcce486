"""`carbonbook replay statement` and `carbonbook client statement`: an account's trading day."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.commands.common import (
    Failure,
    implementation_option,
    journal_errors,
    json_option,
    locate_journal,
    print_json,
    table,
    when,
)
from gateway.commands.connect import Target, opened, pass_target
from gateway.commands.operating import date_of, iso
from gateway.commands.settlements import date_option
from gateway.commands.types import ACCOUNT

if TYPE_CHECKING:
    from engine.core import ImplementationName
    from gateway.statement_views import Statement, StatementLine

_TRADES: Final = ("sequence", "method", "symbol", "side", "price", "lots", "units", "amount", "fee")


@click.command("statement")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("data"))
@date_option
@click.option("--account", type=ACCOUNT, required=True, help="The account's number.")
@implementation_option
@json_option
@journal_errors()
def replay_statement(folder: Path, on: str, account: int, implementation: ImplementationName, as_json: bool) -> None:
    """An account's trading day: opening, movements, closing by bucket, trades, orders that live on.

    Opening and closing come from the states at both ends of the day, the movements from its events; where they do not
    agree the statement is refused. Of a day that goes on: how it stands.

    \b
    carbonbook replay statement data --date 2025-08-11 --account 3
    """
    from gateway.queries import reference_data
    from gateway.statement_views import statement as view
    from gateway.statements import statement_data
    from gateway.views import Reference
    from replay import JournalReader
    from replay.reports.days import NoSuchDay
    from replay.reports.statement import NoSuchAccount, NotReconciled, statement

    reader = JournalReader(locate_journal(folder))
    try:
        found = statement(reader, date_of(on, "--date"), account, implementation)
    except (NoSuchDay, NoSuchAccount, NotReconciled) as error:
        raise Failure(str(error)) from None
    whole = statement_data(found, after=0, most=len(found.orders) + 2 * len(found.trades))
    show(view(Reference(reference_data(reader.venue)), [whole]), reader.venue.calendar.timezone, as_json)


@click.command("statement")
@click.argument("date", required=False)
@click.option("--account", type=ACCOUNT, help="Account number (default: the firm's first).")
@json_option
@pass_target
def client_statement(target: Target, date: str | None, account: int | None, as_json: bool) -> None:
    """Show an account's trading day DATE (YYYY-MM-DD; default: the last one that has ended).

    \b
    carbonbook client statement 2025-08-11 --session ALPHA
    """
    on = date_of(date, "DATE") if date else 0
    with opened(target) as it:
        found = it.statement(on, account)
        zone = it.reference.data.timezone
    show(found, zone, as_json)


def show(found: Statement, timezone: str, as_json: bool) -> None:
    """Print a statement."""
    if as_json:
        print_json(statement_json(found))
    else:
        click.echo(_text(found, timezone))


def statement_json(found: Statement) -> dict[str, Any]:
    """For machines: minor units, asset units, prices as decimals."""
    trades = [trade._asdict() | {"side": trade.side.name.lower()} for trade in found.trades]
    orders = [order._asdict() | {"side": order.side.name.lower()} for order in found.orders]
    return {
        "account": found.account,
        "date": iso(found.date),
        "stage": found.stage.name,
        "cash": [line._asdict() for line in found.cash],
        "holdings": [line._asdict() for line in found.holdings],
        "trades": trades,
        "orders": orders,
        "order_count": found.order_count,
        "obligations": [owed._asdict() for owed in found.obligations],
    }


def _text(found: Statement, timezone: str) -> str:
    parts = [f"account {found.account}, {iso(found.date)}, stage {found.stage.name}"]
    parts += [f"\n{_line(line, '1/100')}" for line in found.cash]
    parts += [f"\n{_line(line, 'units')}" for line in found.holdings]
    if found.trades:
        rows = [
            (when(t.time, timezone, date=False), *(_cell(t, name) for name in _TRADES), t.busts, t.busted_by)
            for t in found.trades
        ]
        parts += ["", table(["time", *_TRADES, "busts", "busted_by"], rows)]
    else:
        parts += ["", "no trades"]
    if found.orders:
        heads = ("order_id", "symbol", "side", "price", "quantity", "remaining")
        rows = [tuple(_cell(order, name) for name in heads) for order in found.orders]
        parts += ["", f"{found.order_count:,} orders live on", table(heads, rows)]
    else:
        parts += ["no orders live on"]
    if found.obligations:
        parts += ["", table(found.obligations[0]._fields, found.obligations)]
    return "\n".join(parts)


def _line(line: StatementLine, unit: str) -> str:
    rows = [("opening", line.opening), ("  available", line.available), *line.movements.items()]
    rows += [("closing", line.closing), *((f"  {name}", amount) for name, amount in line.buckets.items() if amount)]
    return table([line.name, unit], rows)


def _cell(row: Any, name: str) -> object:
    value = getattr(row, name)
    return value.name.lower() if name == "side" else value
