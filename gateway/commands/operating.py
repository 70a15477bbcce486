"""What the commands of `carbonbook operate` share: one message, its answer, names and amounts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date as Date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from gateway.commands.common import Failure, locate_journal, print_json
from gateway.commands.connect import Target, opened

if TYPE_CHECKING:
    from engine.control import Control
    from engine.control.base import Message
    from engine.schema import EventArray, EventKind
    from gateway.client import Client

M = TypeVar("M", bound="Message")
ID = click.IntRange(min=1)
UNITS = click.IntRange(min=1)
cause_option = click.option("--cause", default="", help="Why, for the journal.")
needed_cause_option = click.option("--cause", required=True, help="Why, for the journal.")
reference_option = click.option("--reference", default="", help="The registry's reference, for the journal.")


class Told(NamedTuple):
    """What was done, for people and for machines."""

    text: str
    facts: dict[str, Any]


def do(target: Target, message: Control, as_json: bool, said: str, result: str = "aux") -> None:
    """Send one message; print what was done, `{}` in `said` standing for a field of its first event."""
    with opened(target) as it:
        events = it.control(message)
    number = int(events[0][result])
    if as_json:
        print_json({"done": type(message).__name__, "number": number, "event": int(events[-1]["sequence"])})
    else:
        click.echo(said.format(f"{number:,}"))


def act(
    target: Target,
    as_json: bool,
    make: Callable[[Client], Control],
    kinds: EventKind | tuple[EventKind, ...],
    tell: Callable[[Client, Any], Told],
) -> None:
    """Make one message from names, send it, print what its event of one of `kinds` says."""
    with opened(target) as it:
        message = make(it)
        told, event = carried_out(it, message, kinds, tell)
    say(message, told, event, as_json)


def carried_out(
    it: Client,
    message: Control,
    kinds: EventKind | tuple[EventKind, ...],
    tell: Callable[[Client, Any], Told],
) -> tuple[Told, Any]:
    """Send one message; returns what is told of its last event of one of `kinds`, and that event."""
    event = last_of(it.control(message), kinds)
    return tell(it, event), event


def say(message: Control, told: Told, event: Any, as_json: bool) -> None:
    """Print what was done."""
    if as_json:
        print_json({"done": type(message).__name__, **told.facts, "event": int(event["sequence"])})
    else:
        click.echo(told.text)


def last_of(events: EventArray, kinds: EventKind | tuple[EventKind, ...]) -> Any:
    """The last event of one of the kinds."""
    wanted = kinds if isinstance(kinds, tuple) else (kinds,)
    return next(event for event in reversed(events) if event["kind"] in wanted)


def checked(message: type[M], /, **fields: Any) -> M:
    """The message, its texts and ranges checked as the server would. Raises click.UsageError."""
    import msgspec

    try:
        return msgspec.convert({"do": message.__name__, **fields}, message)
    except msgspec.ValidationError as error:
        text = f"{error}; names: up to 40 letters, digits, space, _ . -; other texts: up to 200 printable characters"
        raise click.UsageError(text, None) from None


def position(target: Target, what: str, name: str) -> int:
    """A currency's or asset's number by its name."""
    with opened(target) as it:
        return numbered(it, what, name)


def numbered(it: Client, what: str, name: str) -> int:
    """A number among the venue's `currencies` or `assets`. Raises click.UsageError."""
    known = getattr(it.reference.data, what)
    if name not in known:
        raise click.UsageError(f"no {name!r} among the venue's {what}: {', '.join(known) or 'it has none'}", None)
    return int(known.index(name)) + 1


def asset_name(it: Client, number: int) -> str:
    return str(it.reference.data.assets[number - 1])


def firm_number(target: Target, firm: str) -> int:
    """A firm's number; its name is looked up in the journal of the server's data folder. Raises Failure."""
    if firm.isdigit():
        return int(firm)
    from gateway.commands.common import journal_errors
    from gateway.commands.moment import names_at
    from replay import JournalReader

    with journal_errors():
        number = names_at(JournalReader(locate_journal(target.data))).firm_number(firm)
    if not number:
        raise Failure(f"no firm {firm!r}; open it first: carbonbook operate open-firm {firm!r}")
    return number


def amount_of(text: str, hint: str) -> int:
    """An amount of money in minor units. Raises click.BadParameter."""
    try:
        value = Decimal(text)
    except ArithmeticError:
        value = Decimal("NaN")
    if not value.is_finite():
        raise click.BadParameter(f"{text!r} is no amount; write a number such as 5000.00", param_hint=hint)
    minor = value * 100
    if minor != minor.to_integral_value():
        raise click.BadParameter(f"{text!r}: write an amount with at most two decimals", param_hint=hint)
    return int(minor)


def date_of(text: str, hint: str) -> int:
    """YYYY-MM-DD as a date number. Raises click.BadParameter."""
    from engine.venue import date_number

    try:
        return date_number(Date.fromisoformat(text))
    except ValueError:
        raise click.BadParameter(f"{text!r} is no date; write YYYY-MM-DD", param_hint=hint) from None


def trading_date(it: Client) -> int:
    """The venue's present trading date."""
    return it.days()[0].trading_date


def iso(number: int) -> str:
    """A date number as YYYY-MM-DD."""
    return f"{number // 10_000:04d}-{number // 100 % 100:02d}-{number % 100:02d}"
