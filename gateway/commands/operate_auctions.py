"""`carbonbook operate auction`: one-way bidding from the announcement to the clearing."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gateway.commands.common import Failure, json_option, parse_time
from gateway.commands.connect import Target, opened, pass_target
from gateway.commands.operating import ID, Told, act, carried_out, cause_option, checked, needed_cause_option, say
from gateway.commands.types import LOTS, PRICE

if TYPE_CHECKING:
    from engine.control import Control
    from gateway.client import Client

SEED_BYTES: Final = 32
seed_file_option = click.option(
    "--seed-file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Where the seed lies (default: auction-ID.seed in this folder).",
)


@click.group()
def auction() -> None:
    """Run an auction: announce, commit the seed, open, close, reveal the seed.

    Ties drawn by lot need a seed nobody could choose: `commit` draws it into a file and publishes its SHA-256 before
    bidding opens, `reveal` publishes the seed afterwards. With ties by time `close` clears at once.

    \b
    carbonbook operate auction announce CEA24 1 100000 73.20 --tie random --session OPS
    """


def _choice(*names: str) -> click.Choice[str]:
    return click.Choice(names, case_sensitive=False)


@auction.command()
@click.argument("instrument")
@click.argument("account", type=ID)
@click.argument("lots", type=LOTS)
@click.argument("reserve", type=PRICE)
@click.option("--buy", is_flag=True, help="A reverse auction: the account buys, offers are bid.")
@click.option("--cap", type=PRICE, help="Best price a bid may have (default: the venue's rule).")
@click.option("--price-rule", type=_choice("uniform", "pay-as-bid"), help="What successful bids pay.")
@click.option("--tie", type=_choice("time", "random", "prorata-random"), help="Who gets the rest at the last price.")
@click.option("--short", type=_choice("partial", "cancel"), help="When less is bid for than offered.")
@click.option("--far-below", type=_choice("cancel", "raise", "off"), help="When the price lies far below --secondary.")
@click.option("--secondary", type=PRICE, help="Price of the secondary market.")
@click.option("--threshold", type=click.IntRange(0, 10_000), default=0, help="Basis points below it that are far.")
@click.option("--opens", default=None, help="When bidding opens, ISO 8601; a note, `open` opens it.")
@cause_option
@json_option
@pass_target
def announce(
    target: Target,
    instrument: str,
    account: int,
    lots: int,
    reserve: Decimal,
    cap: Decimal | None,
    secondary: Decimal | None,
    opens: str | None,
    cause: str,
    as_json: bool,
    **rules: Any,
) -> None:
    """Announce an auction of LOTS for ACCOUNT at RESERVE or better; rules not named are the venue's.

    \b
    carbonbook operate auction announce CEA24 1 100000 73.20 --session OPS
    """
    from engine.control import AnnounceAuction
    from engine.schema import AuctionPrice, AuctionSecondary, AuctionShort, AuctionTie, EventKind, Side

    def code(kind: Any, name: str) -> int:
        value = rules[name]
        return int(kind[value.upper().replace("-", "_")]) if value else 0

    def make(it: Client) -> Control:
        def ticks(price: Decimal | None) -> int:
            return it.reference.ticks(instrument, price) if price is not None else 0

        return checked(
            AnnounceAuction,
            instrument=it.reference.instrument(instrument).number,
            account=account,
            reserve=ticks(reserve),
            quantity=lots,
            side=int(Side.BUY if rules["buy"] else Side.SELL),
            cap=ticks(cap),
            price_rule=code(AuctionPrice, "price_rule"),
            tie=code(AuctionTie, "tie"),
            short=code(AuctionShort, "short"),
            secondary=code(AuctionSecondary, "far_below"),
            secondary_price=ticks(secondary),
            secondary_bps=rules["threshold"],
            opens=parse_time(opens, it.reference.data.timezone, "--opens") if opens else 0,
            cause=cause,
        )

    def tell(it: Client, event: Any) -> Told:
        number, quantity, carried = (int(event[name]) for name in ("order_id", "quantity", "contra_remaining"))
        best = it.reference.price(instrument, int(event["remaining"])) if event["remaining"] else None
        side = "buys" if rules["buy"] else "sells"
        text = f"auction {number}: account {account} {side} {quantity:,} {instrument} at {reserve} or better"
        more = (f", cap {best}" if best is not None else "") + (f", {carried:,} carried over" if carried else "")
        missing = it.reference.data.prefunded and not event["aux"]
        more += "; not in place yet: frozen when a trading day opens, or withdrawn" if missing else ""
        facts = {"auction": number, "quantity": quantity, "carried_over": carried, "reserve": reserve, "cap": best}
        return Told(text + more, facts)

    act(target, as_json, make, EventKind.AUCTION_ANNOUNCED, tell)


@auction.command("cost-reserve")
@click.argument("number", type=ID)
@click.argument("lots", type=LOTS)
@click.argument("trigger", type=PRICE)
@json_option
@pass_target
def cost_reserve(target: Target, number: int, lots: int, trigger: Decimal, as_json: bool) -> None:
    """Put LOTS of a cost containment reserve behind an announced auction.

    They are offered beside the others if more is bid for above TRIGGER than is offered, and sold at TRIGGER or more.

    \b
    carbonbook operate auction cost-reserve 3 10000000 6.00 --session OPS
    """
    from engine.control import SetCostReserve
    from engine.schema import EventKind, Reason
    from gateway.errors import rejected

    def make(it: Client) -> Control:
        seen = next((one for one in it.auctions() if one.number == number), None)
        if seen is None:
            raise rejected(int(Reason.UNKNOWN_AUCTION))
        ticks = it.reference.ticks(seen.symbol, trigger)
        return checked(SetCostReserve, auction=number, trigger=ticks, lots=lots)

    def tell(_: Client, event: Any) -> Told:
        facts = {"auction": number, "lots": lots, "trigger": trigger, "frozen": int(event["aux"])}
        return Told(f"auction {number}: {lots:,} more lots if the price would exceed {trigger}", facts)

    act(target, as_json, make, EventKind.COST_RESERVE_SET, tell)


@auction.command()
@click.argument("number", type=ID)
@seed_file_option
@click.option("--sha256", default=None, help="The SHA-256 of a seed drawn elsewhere, 64 hexadecimal digits.")
@json_option
@pass_target
def commit(target: Target, number: int, seed_file: Path | None, sha256: str | None, as_json: bool) -> None:
    """Draw a seed into a new file of mode 0600 and publish its SHA-256. Keep the file until `reveal`.

    \b
    carbonbook operate auction commit 3 --session OPS
    carbonbook operate auction commit 3 --sha256 9f86d08188... --session OPS
    """
    import hashlib

    from engine.control import CommitSeed
    from engine.schema import EventKind
    from gateway.errors import Rejected

    if sha256 is not None and seed_file is not None:
        raise click.UsageError("either --sha256 or --seed-file", click.get_current_context())
    path = None if sha256 is not None else seed_file or _seed_file(number)

    def tell(_: Client, __: Any) -> Told:
        where = f", the seed lies in {path}" if path else ""
        facts = {"auction": number, "sha256": digest, "seed_file": str(path) if path else None}
        return Told(f"auction {number}: seed committed, SHA-256 {digest}{where}", facts)

    if sha256 is not None:
        digest = sha256
        message = checked(CommitSeed, auction=number, sha256=digest)
        act(target, as_json, lambda _: message, EventKind.SEED_COMMITTED, tell)
        return
    assert path is not None
    with opened(target) as it:
        digest = hashlib.sha256(_draw(path)).hexdigest()
        message = checked(CommitSeed, auction=number, sha256=digest)
        try:
            told, event = carried_out(it, message, EventKind.SEED_COMMITTED, tell)
        except Rejected:
            path.unlink()  # nobody was told of this seed
            raise
    say(message, told, event, as_json)


def _seed_file(number: int) -> Path:
    return Path(f"auction-{number}.seed")


def _draw(path: Path) -> bytes:
    """A new seed, durable in a new file that only its owner reads. Raises Failure."""
    import secrets

    seed = secrets.token_bytes(SEED_BYTES)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Failure(
            f"{path}: exists, perhaps the only copy of a committed seed: keep it, and name another --seed-file"
        ) from None
    with os.fdopen(handle, "w") as file:
        file.write(seed.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return seed


@auction.command()
@click.argument("number", type=ID)
@seed_file_option
@json_option
@pass_target
def reveal(target: Target, number: int, seed_file: Path | None, as_json: bool) -> None:
    """Publish the seed behind the commitment: ties are drawn, the auction clears.

    \b
    carbonbook operate auction reveal 3 --session OPS
    """
    from engine.control import RevealSeed

    path = seed_file or _seed_file(number)
    seed = path.read_text("ascii", "replace").strip()
    if len(seed) != 2 * SEED_BYTES or set(seed) - set("0123456789abcdef"):
        raise Failure(f"{path}: holds no seed; it is 64 hexadecimal digits, as `commit` wrote them")
    message = checked(RevealSeed, auction=number, seed=seed)
    _end(target, as_json, message)


@auction.command("open")
@click.argument("number", type=ID)
@json_option
@pass_target
def open_(target: Target, number: int, as_json: bool) -> None:
    """Open the bidding window.

    \b
    carbonbook operate auction open 3 --session OPS
    """
    from engine.control import OpenAuction
    from engine.schema import EventKind

    def tell(_: Client, event: Any) -> Told:
        lots = int(event["quantity"])
        return Told(f"auction {number}: open, {lots:,} lots", {"auction": number, "quantity": lots})

    message = checked(OpenAuction, auction=number)
    act(target, as_json, lambda _: message, EventKind.AUCTION_OPENED, tell)


@auction.command()
@click.argument("number", type=ID)
@json_option
@pass_target
def close(target: Target, number: int, as_json: bool) -> None:
    """Close the bidding window. With ties by time the auction clears, else it waits for `reveal`.

    \b
    carbonbook operate auction close 3 --session OPS
    """
    from engine.control import CloseAuction

    _end(target, as_json, checked(CloseAuction, auction=number))


@auction.command()
@click.argument("number", type=ID)
@needed_cause_option
@json_option
@pass_target
def cancel(target: Target, number: int, cause: str, as_json: bool) -> None:
    """Cancel an auction at any stage: bids end, what was frozen is free.

    \b
    carbonbook operate auction cancel 3 --cause "seller withdrew" --session OPS
    """
    from engine.control import CancelAuction

    _end(target, as_json, checked(CancelAuction, auction=number, cause=cause))


def _end(target: Target, as_json: bool, message: Control) -> None:
    """Send what may end an auction; tell how it stands."""
    from engine.schema import EventKind

    kinds = (EventKind.AUCTION_CLEARED, EventKind.AUCTION_CANCELLED, EventKind.AUCTION_CLOSED)
    act(target, as_json, lambda _: message, kinds, _outcome)


def _outcome(it: Client, event: Any) -> Told:
    from engine.schema import EventKind, Reason

    number, instrument = int(event["order_id"]), int(event["instrument"])
    facts: dict[str, Any] = {"auction": number}
    if event["kind"] == EventKind.AUCTION_CLOSED:
        bids = int(event["remaining"])
        return Told(
            f"auction {number}: closed with {bids:,} bids; reveal the seed", facts | {"closed": True, "bids": bids}
        )
    if event["kind"] == EventKind.AUCTION_CANCELLED:
        reason = Reason(int(event["reason"])).name
        return Told(f"auction {number}: cancelled, {reason}", facts | {"cancelled": reason, "bids": int(event["aux2"])})
    price = it.reference.price(instrument, int(event["price"]))
    sold, unsold, bids = (int(event[name]) for name in ("quantity", "remaining", "aux2"))
    facts |= {"price": price, "sold": sold, "unsold": unsold, "lots_bid": int(event["contra_remaining"]), "bids": bids}
    return Told(f"auction {number}: {sold:,} lots sold at {price}, {unsold:,} unsold; {bids:,} bids", facts)


COMMANDS: Final = (auction,)
