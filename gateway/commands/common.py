"""What the commands share: failures, options, tables, JSON, times and progress. Imports little, for quick starts."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from gateway.warm import warm

Function = TypeVar("Function", bound=Callable[..., Any])
NS = 1_000_000_000
COMPILE_NOTICE_SECONDS = 2.0


class Failure(click.ClickException):
    """An error with its exit code; `details` go into the JSON form."""

    def __init__(self, message: str, exit_code: int = 1, **details: Any) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click says ClassVar and means a default
        self.details = details


def json_option(function: Function) -> Function:
    """`--json` as parameter `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="For machines: JSON on stdout, errors as JSON, too.")(
        function
    )


def implementation_option(function: Function) -> Function:
    return click.option(
        "--implementation",
        type=click.Choice(["kernel", "reference"]),
        default="kernel",
        show_default=True,
        envvar="CARBONBOOK_IMPLEMENTATION",
        help="The compiled kernel, or the independent engine in plain Python (slow, same bytes).",
    )(function)


def data_option(function: Function) -> Function:
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("data"),
        show_default=True,
        envvar="CARBONBOOK_DATA",
        help="The server's data folder.",
    )(function)


def print_json(value: Any) -> None:
    """One value as one line of JSON; Decimals become strings, exact."""
    import msgspec

    click.echo(msgspec.json.encode(value).decode())


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as needed; numbers to the right. Never wraps or cuts, so it can be piped."""
    cells = [["" if cell is None else _cell(cell) for cell in row] for row in rows]
    right = [all(_is_number(row[i]) for row in rows if row[i] is not None) for i in range(len(heads))]
    widths = [max(len(head), *(len(row[i]) for row in cells)) if cells else len(head) for i, head in enumerate(heads)]

    def line(values: Sequence[str]) -> str:
        padded = (v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right, strict=True))
        return "  ".join(padded).rstrip()

    return "\n".join([line(heads), "  ".join("-" * width for width in widths), *(line(row) for row in cells)])


def _is_number(value: object) -> bool:
    from decimal import Decimal

    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def when(ns: int, timezone: str = "UTC", *, date: bool = True) -> str:
    """UTC nanoseconds as local time with microseconds; empty for 0."""
    if not ns:
        return ""
    moment = datetime.fromtimestamp(ns // NS, ZoneInfo(timezone))
    text = moment.strftime("%Y-%m-%d %H:%M:%S" if date else "%H:%M:%S")
    return f"{text}.{ns % NS // 1_000:06d}"


def parse_time(text: str, timezone: str, hint: str) -> int:
    """ISO 8601 -> UTC ns; without an offset it is the venue's local time. Raises click.BadParameter."""
    from engine.venue import utc_ns

    try:
        moment = datetime.fromisoformat(text)
        return utc_ns(moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone)))
    except (ValueError, OverflowError):
        example = "2025-08-11T09:45:00 (venue time) or 2025-08-11T01:45:00+00:00"
        raise click.BadParameter(f"{text!r} is no time; write one such as {example}", param_hint=hint) from None


def locate_journal(folder: Path) -> Path:
    """The journal's folder for a data folder or a journal's own folder."""
    inside = folder / "journal"
    return inside if inside.is_dir() and not (folder / "genesis").exists() else folder


@contextmanager
def journal_errors() -> Iterator[None]:
    """Turn what `replay` raises into Failures with its own exit codes."""
    from engine.venue import VenueError
    from replay import JournalError
    from replay.errors import JournalMissing, NotAJournal

    try:
        yield
    except (JournalMissing, NotAJournal) as error:
        raise Failure(f"{error}; a server's journal lies in its data folder, `data` by default", 2) from None
    except JournalError as error:
        places = {
            name: getattr(error, name) for name in ("file", "offset", "batch", "sequence") if hasattr(error, name)
        }
        raise Failure(str(error), error.exit_code, **places) from None
    except VenueError as error:
        raise Failure(
            f"CORRUPT: the venue in the genesis cannot be used: {error}; restore the file genesis", 3
        ) from None


class Bar:
    """A progress bar on stderr, or nothing where stderr is no terminal."""

    def __init__(self, title: str, total: int | None) -> None:
        self._progress: Any = None
        self._task: Any = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            parts = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
            self._progress = Progress(*parts, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
            self._task = self._progress.add_task(title, total=total)

    def at(self, done: int) -> None:
        if self._progress is not None:
            self._progress.update(self._task, completed=done)

    def __enter__(self) -> Bar:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()


def journal_bytes(folder: Path) -> int:
    """Bytes in a journal's segments: the measure of progress."""
    return sum(path.stat().st_size for path in folder.glob("segment-*[0-9]")) if folder.is_dir() else 0


@contextmanager
def kernel_loading(implementation: str) -> Iterator[None]:
    """Have the kernel compiled; when that takes long the user is told why he waits."""
    text = "Compiling the matching kernel for this machine: only the first start does this, about a minute ..."
    notice = threading.Timer(COMPILE_NOTICE_SECONDS, lambda: click.echo(text, err=True))
    notice.daemon = True
    notice.start()
    try:
        if implementation == "kernel":
            warm()
        yield
    finally:
        notice.cancel()
