"""`carbonbook venue`: a venue's rules, explained to a person or checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.commands.auction_words import auction_bounds
from gateway.commands.common import Failure, json_option, table

if TYPE_CHECKING:
    from engine.venue import Instrument, Transition, Venue


@click.group()
def venue() -> None:
    """Explain or check a venue's rules.

    A venue is one TOML file: instruments, limits, hours, fees, capacities. These come with the package: seee, plain,
    ccer, hubei, krx, eex-spot, eex-auction, uka-auction, rggi-auction, wci-auction, ice-eua, wuhan-credits.
    """


def _find(name: str) -> Venue:
    from engine.venue import Venue, VenueError

    try:
        return Venue.find(name)
    except VenueError as error:
        raise Failure(str(error)) from None


@venue.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Explain a venue: mechanisms, hours, limits, instruments, closing price, fees, sources.

    NAME is a preset, or a file's path (with a dot or a slash).

    \b
    carbonbook venue show seee
    carbonbook venue show ./my-venue.toml --json
    """
    found = _find(name)
    if as_json:
        click.echo(found.to_json().decode())
        return
    parts = [f"{found.name}: {found.title or 'no title'}"]
    bare = auctions_only(found)
    for title, lines in (
        ("Mechanism", _bids_only(found) if bare else _mechanism(found)),
        ("Call auctions and interruptions", [] if bare else _calls(found)),
        ("Auctions" if bare else "Blocks and auctions", _other_modes(found)),
        ("Hours", _hours(found)),
        ("Money and units", _money(found, "Bids" if bare else "Orders")),
        ("Registry and compliance", _registry(found)),
        ("Reference prices", [] if bare else _composite(found)),
        ("Capacity", [", ".join(f"{v:,} {k}" for k, v in _capacity(found, bare).items()) + "; a full table refuses"]),
    ):
        parts += ["", title, *(f"  {line}" for line in lines)] if lines else []
    parts += ["", "Instruments", (_auctioned if bare else _instruments)(found.instruments)]
    parts += ["", "Sources", *(f"  {line}" for line in _sources(name))]
    click.echo("\n".join(parts))


@venue.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def check(file: Path, as_json: bool) -> None:
    """Check a venue file: every key, every range, and what must fit together.

    \b
    carbonbook venue check my-venue.toml       exit code 0 good, 1 with the key and what to write instead
    """
    from engine.venue import Venue, VenueError
    from gateway.commands.common import print_json

    try:
        found = Venue.load(file)
    except VenueError as error:
        raise Failure(str(error), file=str(file)) from None
    if as_json:
        print_json({"ok": True, "file": str(file), "name": found.name, "instruments": len(found.instruments)})
    else:
        click.echo(f"{file}: good; venue {found.name}, {len(found.instruments)} instruments")


def auctions_only(venue: Venue) -> bool:
    """Whether nothing is ever traded beside auctions: no moment of the calendar opens another mode."""
    idle = {"CLOSED", "HALT", "END"}
    opening = any(t.phase not in idle for t in venue.calendar.transitions) or not venue.calendar.transitions
    blocks = any(i.block_min for i in venue.instruments)
    return all(i.auction for i in venue.instruments) and not (opening or blocks or venue.open_from_start)


def _bids_only(venue: Venue) -> list[str]:
    own = "allowed" if venue.self_trade == "OFF" else "refused"
    return [
        "Sealed bids in auctions alone: nothing is traded continuously, and no order rests in a book",
        "An operator announces each auction and opens and closes its window",
        f"Bids of the seller's own owner group: {own}",
    ]


def _mechanism(venue: Venue) -> list[str]:
    depth = (
        f"An order takes inside the best {venue.sweep_levels} levels of the other side" if venue.sweep_levels else ""
    )
    beyond = {
        "SYSTEM_CANCEL": "what lies beyond is cancelled",
        "REST_AT_LAST": "what lies beyond rests at the last price touched",
        "RESWEEP": "what lies beyond is taken as well",
    }[venue.depth_remainder]
    crossing = "trades at once" if venue.cross_policy == "TAKE" else "is refused"
    makers = any(i.price_rule == "MAKER" for i in venue.instruments)
    price = ", at the resting order's price" if makers else ""
    found = [f"Price-time priority; an order that meets the other side {crossing}{price}"]
    if depth:
        found.append(f"{depth}; {beyond}")
    if venue.take:
        where = "at the best price only" if venue.click_strict else "in those levels"
        found.append(f"A named listing may be picked by its number (TAKE), {where}")
    found.append(f"Trades with oneself: {'allowed' if venue.self_trade == 'OFF' else venue.self_trade + ' by default'}")
    if not venue.break_cancel:
        found.append("No cancelling during breaks")
    for rule, words in (
        (lambda i: i.price_rule == "MEDIAN3", "Price of a trade: the middle one of bid, offer and last price"),
        (lambda i: any("iceberg" in name for name in i.order_types), "Orders may show a part only (icebergs)"),
        (lambda i: i.hidden, "Orders may be hidden, behind all displayed ones of their price"),
        (lambda i: any("stop" in name for name in i.order_types), "Stop orders wait for the last price"),
        (lambda i: i.quotes, "Market makers enter two-sided quotes"),
    ):
        found += _where(venue, rule, words)
    return found


def _where(venue: Venue, rule: Callable[[Instrument], bool], words: str) -> list[str]:
    """The sentence, with the instruments' names when it does not hold for all; nothing when for none."""
    chosen = [i.symbol for i in venue.instruments if rule(i)]
    if not chosen:
        return []
    return [words if len(chosen) == len(venue.instruments) else f"{words}: {', '.join(chosen)}"]


def _calls(venue: Venue) -> list[str]:
    rules = {
        "T7": "largest volume, then smallest surplus, its side, the reference",
        "KRX": "largest volume, then nearest to the reference",
    }
    found = []
    for i in venue.instruments:
        if i.call_auction:
            found.append(f"{i.symbol}: calls end in one price: {rules[i.call_rule]}")
        if i.call_random_end_seconds:
            found.append(f"{i.symbol}: a call ends up to {i.call_random_end_seconds} s later, drawn from a seed")
        for bps, around in ((i.corridor_dynamic_bps, "last price"), (i.corridor_static_bps, "last call's price")):
            if bps:
                found.append(f"{i.symbol}: a trade beyond {bps / 100:g} % from the {around} interrupts for a call")
    return found or ["None"]


def _other_modes(venue: Venue) -> list[str]:
    from engine.schema import MAX_QUANTITY

    found = []
    for i in venue.instruments:
        if i.block_min:
            most = "" if i.block_max == MAX_QUANTITY else f" to {i.block_max:,}"
            limit = f", limit +-{i.limit_block_bps / 100:g} %" if i.limit_block_bps else ""
            found.append(f"{i.symbol}: blocks from {i.block_min:,}{most} lots{limit}")
    auctioned = [i for i in venue.instruments if i.auction]
    if auctioned:
        short = "sold in part" if venue.auction_short == "PARTIAL" else "cancelled"
        low = {
            "OFF": "",
            "CANCEL": "; far below the market: cancelled",
            "RAISE": "; far below the market: a higher price",
        }
        price = venue.auction_price.lower().replace("_", "-")
        carried = f"; unsold lots go to the next {venue.auction_carry_over}" if venue.auction_carry_over else ""
        found.append(
            f"Auctions: {price} price, ties by {venue.auction_tie}, too few bids: {short}"
            f"{low[venue.auction_secondary]}{carried}"
        )
        found += [f"{i.symbol}: from {i.auction_min:,} lots in steps of {i.auction_step:,}" for i in auctioned]
        found += [line for i in auctioned for line in auction_bounds(i)]
        if venue.auction_notice_days:
            frozen = f"; what is offered is frozen {venue.auction_freeze_days} before, or it is withdrawn"
            late = frozen if venue.auction_freeze_days else ""
            found.append(f"Announced {venue.auction_notice_days} trading days before it opens{late}")
    return found or ["None"]


def _hours(venue: Venue) -> list[str]:
    calendar = venue.calendar
    if not calendar.transitions:
        return [
            "Open from the first command on" if venue.open_from_start else "No calendar: an operator sets the phases"
        ]
    days = ", ".join(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[day - 1] for day in calendar.weekdays)
    found = [f"{t.at:%H:%M:%S}  {_moment(t)}" for t in calendar.transitions]
    years = sorted({day.year for day in calendar.holidays})
    listed = f"{len(calendar.holidays)} holidays of {', '.join(map(str, years))}" if years else "no holidays listed"
    return [f"{days}; local time of {calendar.timezone}; {listed}", *found]


def _moment(transition: Transition) -> str:
    if transition.phase == "END":
        return "end of the day"
    modes = "" if transition.modes == ("LISTED",) else f" ({', '.join(transition.modes)})"
    return f"{transition.phase}{modes}{', no cancelling' if transition.no_cancel else ''}"


def _money(venue: Venue, what: str) -> list[str]:
    if not venue.prefunded:
        return ["None: accounts are labels, nothing is funded or settled"]
    bought = "the next trading day (T+1)" if venue.settlement_days else "at once"
    paid = "after the day's settlement" if venue.withdraw_after == "EOD" else "at once"
    fees = sorted({i.fee_ppm for i in venue.instruments})
    rates = ", ".join(f"{ppm / 10_000:g} %" for ppm in fees)
    return [
        f"{what} lock their full amount in cash ({', '.join(venue.currencies)}) or units beforehand",
        f"Bought units can be sold {bought}; sale proceeds can be spent at once, withdrawn {paid}",
        f"Fee per side: {rates} of the amount" if any(fees) else "No fees",
    ]


def _registry(venue: Venue) -> list[str]:
    most = venue.accounts_per_firm
    found = [f"Accounts of one firm: {f'at most {most:,}' if most else 'any number'}"]
    if not venue.prefunded:
        return found
    windows = ", ".join(f"{w.opens:%H:%M:%S} to {w.closes:%H:%M:%S}" for w in venue.calendar.transfer_windows)
    found.append(f"Transfers from and to the registry are asked for {windows or 'at any time'}")
    for dates in venue.compliance_years:
        parts = (("final allocation", dates.allocation_by), ("surrender", dates.surrender_by))
        found.append(f"Year {dates.year}: " + ", ".join(f"{what} by {day}" for what, day in parts if day))
    return found


def _composite(venue: Venue) -> list[str]:
    rules = {
        "VWAP": "volume-weighted mean of the day's listed trades, half-up; without a trade the previous close",
        "LAST": "the last trade; without a trade the previous close",
        "LAST5": "volume-weighted mean of the last five trades, half-up; without a trade the previous close",
    }
    used = list(dict.fromkeys(i.close for i in venue.instruments))
    found = [f"Close: {rules[rule]}" for rule in used]
    if venue.composite == "MEAN_UNTIL":
        until = venue.composite_mean_until
        found.append(f"Composite: plain mean of the closes until {until}, then the newest vintage's close alone")
    return found


def _capacity(venue: Venue, bare: bool) -> dict[str, int]:
    c = venue.capacity
    first = {"auctions": c.auctions, "bids": c.bids} if bare else {"orders": c.orders}
    return {**first, "accounts": c.accounts, "firms": c.firms, "sessions": c.sessions}


def _auctioned(instruments: tuple[Instrument, ...]) -> str:
    rows = [
        (i.symbol, str(i.tick), f"{i.units_per_lot} {i.asset}".strip(), f"{i.auction_step:,}", f"{i.floor}-{i.ceiling}")
        for i in instruments
    ]
    return table(["symbol", "tick", "lot", "lots in steps of", "prices"], rows)


def _instruments(instruments: tuple[Instrument, ...]) -> str:
    heads = [
        "symbol",
        "tick",
        "lot",
        "lots per order",
        "prices",
        "day limit",
        "prev. close",
        "order types",
        "listed from",
    ]
    rows = []
    for i in instruments:
        limit = f"+-{i.limit_listed_bps / 100:g} %" if i.limit_listed_bps else "none"
        flags = (*(("post-only",) if i.post_only else ()), *(("hidden",) if i.hidden else ()))
        types = "/".join((*i.order_types, *i.times_in_force, *flags))
        listed = str(i.listed_from) if i.listed_from.year > 1970 else ""
        lots = f"{i.quantity_min:,}-{i.quantity_max:,}"
        lot = f"{i.units_per_lot} {i.asset}".strip()
        prices = f"{i.floor}-{i.ceiling}"
        rows.append((i.symbol, str(i.tick), lot, lots, prices, limit, str(i.previous_close or ""), types, listed))
    return table(heads, rows)


def _sources(name: str) -> list[str]:
    """The comment at the head of the venue's file: where its rules come from."""
    if re.search(r"[./\\]", name):
        text = Path(name).read_text("utf-8")
    else:
        text = (files("engine") / "venues" / f"{name}.toml").read_text("utf-8")
    head = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        head.append(line.lstrip("# ").rstrip())
    return head or ["none named in the file; write them as a comment at its head"]
