"""`carbonbook replay settlement`: the settlement file of a trading day, and what the registry answered to it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.commands.common import Failure, journal_errors, json_option, locate_journal, print_json, table
from gateway.commands.operating import date_of, iso

if TYPE_CHECKING:
    from replay import JournalReader
    from replay.reports.settlement import Settlement

DIGEST: Final = "sha256 {}"
"""How an acknowledgement's cause begins when it names the file that it answers."""
date_option = click.option("--date", "on", required=True, metavar="YYYY-MM-DD", help="The trading date.")
csv_option = click.option(
    "--csv", "csv_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows to this file."
)
_SHOWN: Final = ("sequence", "method", "instrument", "price", "lots", "units", "amount")
_PARTIES: Final = ("buyer", "buyer_fee", "seller", "seller_fee", "trade", "busted_by")


def day_settlement(reader: JournalReader, date: int) -> Settlement:
    """The settlement of a date (YYYYMMDD). Raises Failure."""
    from replay.reports.days import NoSuchDay
    from replay.reports.settlement import OutOfBalance, settlement

    try:
        return settlement(reader, date)
    except (NoSuchDay, OutOfBalance) as error:
        raise Failure(str(error)) from None


def write_file(path: Path, data: bytes) -> None:
    """Write a report. Raises Failure."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise Failure(f"{path}: cannot be written ({error.strerror})") from None


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("data"))
@date_option
@csv_option
@json_option
@journal_errors()
def settlement(folder: Path, on: str, csv_file: Path | None, as_json: bool) -> None:
    """The settlement file of a trading day: every trade in sequence, gross, and what each account gives and gets.

    Codes of the modes: 10 listed, 20 block, 21 one-way bidding. A cancelled trade is marked (busted_by), what it moves
    back is a line of its own. The SHA-256 is the file's; `carbonbook operate acknowledge --file FILE` passes it on.

    \b
    carbonbook replay settlement data --date 2025-08-11 --csv settlement-2025-08-11.csv
    """
    from replay import JournalReader
    from replay.reports.settlement import summary

    reader = JournalReader(locate_journal(folder))
    found = day_settlement(reader, date_of(on, "--date"))
    facts = summary(found) | {"acknowledged": answered(reader, found)}
    if csv_file is not None:
        write_file(csv_file, found.file())
    if as_json:
        print_json(facts | {"lines": found.rows()})
    else:
        click.echo(_text(found, facts, csv_file))


def answered(reader: JournalReader, found: Settlement) -> dict[str, Any] | None:
    """The registry's last answer to a day: accepted or not, the file's SHA-256 where it names one, and whether that is
    this file's; None without an answer."""
    from engine.control import AcknowledgeSettlement
    from engine.schema import EventKind
    from gateway.journal import messages_of

    answer = None
    for batch in reader.noted(found.day.last_command):
        if batch.last_command <= found.day.before_command:
            continue
        carried_out = batch.events[batch.events["kind"] == EventKind.SETTLEMENT_ACKNOWLEDGED]["command_sequence"]
        for command, message in messages_of(batch).items():
            if isinstance(message, AcknowledgeSettlement) and command in carried_out:
                named = re.match(DIGEST.format("([0-9a-f]{64})"), message.cause)
                digest = named[1] if named else None
                same = digest == found.sha256() if digest else None
                answer = {"accepted": message.accepted, "sha256": digest, "same_file": same}
    return answer


def digest_cause(file: Path, cause: str) -> str:
    """An acknowledgement's cause that names the file it answers. Raises Failure."""
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise Failure(f"{file}: cannot be read ({error.strerror})") from None
    return DIGEST.format(digest) + (f"; {cause}" if cause else "")


def check_file(data: Path, date: int, file: Path) -> None:
    """Where the server's journal lies here: the file must be what it gives for the date. Raises Failure."""
    from replay import JournalReader

    where = locate_journal(data)
    if not (where / "genesis").exists():
        return
    with journal_errors():
        found = day_settlement(JournalReader(where), date)
    if file.read_bytes() != found.file():
        raise Failure(f"{file}: not the settlement file of {iso(date)}, whose SHA-256 is {found.sha256()}")


def _text(found: Settlement, facts: dict[str, Any], csv_file: Path | None) -> str:
    rows = found.rows()
    names = (*_SHOWN, *_PARTIES)
    trades = [[row.get(name) for name in names] for row in rows if row["record"] in ("trade", "bust")]
    sums = [[row["account"] or "venue", row.get("asset") or row.get("currency"), row.get("units", row.get("amount"))]
            for row in rows if row["record"] in ("units", "cash")]  # fmt: skip
    state = "final" if facts["final"] else "NOT FINAL: the day goes on"
    answer = facts["acknowledged"]
    parts = [f"{facts['venue']} {facts['date']}, stage {facts['stage']}, {state}", ""]
    parts += [table(names, trades), "", table(["account", "", "receives"], sums)] if trades else ["no trades"]
    parts += ["", f"SHA-256 {facts['sha256']}" + (f"  {csv_file}" if csv_file else "")]
    parts.append(f"registry: {_answer_text(answer)}")
    return "\n".join(parts)


def _answer_text(answer: dict[str, Any] | None) -> str:
    if answer is None:
        return "no answer yet"
    said = "accepted" if answer["accepted"] else "refused"
    if answer["sha256"] is None:
        return f"{said}, names no file"
    return f"{said} this file" if answer["same_file"] else f"{said} ANOTHER FILE, SHA-256 {answer['sha256']}"
