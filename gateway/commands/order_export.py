"""`carbonbook replay orders`: a day's order records in the fields of the regulation."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.commands.common import (
    Failure,
    implementation_option,
    journal_errors,
    json_option,
    locate_journal,
    print_json,
)
from gateway.commands.operating import date_of
from gateway.commands.settlements import date_option

if TYPE_CHECKING:
    from engine.core import ImplementationName


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("data"))
@date_option
@click.option("--csv", "csv_file", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file.")
@implementation_option
@json_option
@journal_errors()
def orders(folder: Path, on: str, csv_file: Path, implementation: ImplementationName, as_json: bool) -> None:
    """Write a day's order records as CSV, in the fields of Regulation (EU) 2017/580 (RTS 24).

    One row for each thing that happened to an order of the book: NEWO, TRIG, REME, REMA, CAME, CAMO, EXPI, PARF, FILL,
    and REMO for a rejected one. Fields that the venue does not record stay empty; the header says which.

    \b
    carbonbook replay orders data --date 2025-08-11 --csv orders-2025-08-11.csv
    """
    from replay import JournalReader
    from replay.reports.days import NoSuchDay
    from replay.reports.order_records import COLUMNS, order_records

    reader = JournalReader(locate_journal(folder))
    counts: Counter[str] = Counter()
    try:
        day, rows = order_records(reader, date_of(on, "--date"), implementation)
        with csv_file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
            writer.writeheader()
            for row in rows:
                writer.writerow(row)
                counts[row["21 event"]] += 1
    except NoSuchDay as error:
        raise Failure(str(error)) from None
    except OSError as error:
        raise Failure(f"{csv_file}: cannot be written ({error.strerror})") from None
    events = dict(sorted(counts.items()))
    if as_json:
        print_json(
            {"date": on, "stage": day.stage.name, "file": str(csv_file), "rows": counts.total(), "events": events}
        )
        return
    told = ", ".join(f"{count:,} {code}" for code, count in events.items()) or "no orders"
    click.echo(f"{csv_file}: {counts.total():,} rows ({told})")
