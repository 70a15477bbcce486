"""Auctions: announcement, seed, window. Prices in ticks, quantities in lots."""

from __future__ import annotations

from engine.control.base import Amount, Code, Hex32, Id, Message, Text, command
from engine.schema import CommandArray, CommandKind, Side


class AnnounceAuction(Message, frozen=True):
    """Rules left at 0 are the venue's. `opens` is information, nanoseconds. `secondary_price` 0 = unknown."""

    instrument: Id
    account: Id
    reserve: Id
    quantity: Amount
    side: Code = int(Side.SELL)
    cap: Id = 0
    price_rule: Code = 0
    tie: Code = 0
    short: Code = 0
    secondary: Code = 0
    secondary_price: Id = 0
    secondary_bps: Id = 0
    opens: Amount = 0
    cause: Text = ""

    def commands(self) -> CommandArray:
        return command(
            CommandKind.ANNOUNCE_AUCTION,
            side=self.side,
            scope=self.price_rule | self.tie << 2 | self.short << 4 | self.secondary << 6,
            instrument=self.instrument,
            account=self.account,
            target=self.secondary_bps,
            expiry=self.opens,
            price=self.reserve,
            price2=self.cap,
            quantity=self.quantity,
            quantity2=self.secondary_price,
        )


class SetCostReserve(Message, frozen=True):
    """Lots that an announced auction offers beside the others if its price would exceed `trigger` (ticks)."""

    auction: Amount
    trigger: Id
    lots: Amount

    def commands(self) -> CommandArray:
        return command(CommandKind.SET_COST_RESERVE, target=self.auction, price=self.trigger, quantity=self.lots)


class CommitSeed(Message, frozen=True):
    """SHA-256 of the seed that will draw the lots."""

    auction: Id
    sha256: Hex32

    def commands(self) -> CommandArray:
        return command(CommandKind.COMMIT_SEED, account=self.auction, **_four_words(self.sha256))


class OpenAuction(Message, frozen=True):
    auction: Amount

    def commands(self) -> CommandArray:
        return command(CommandKind.OPEN_AUCTION, target=self.auction)


class CloseAuction(Message, frozen=True):
    auction: Amount

    def commands(self) -> CommandArray:
        return command(CommandKind.CLOSE_AUCTION, target=self.auction)


class RevealSeed(Message, frozen=True):
    auction: Id
    seed: Hex32

    def commands(self) -> CommandArray:
        return command(CommandKind.REVEAL_SEED, account=self.auction, **_four_words(self.seed))


class CancelAuction(Message, frozen=True):
    auction: Amount
    cause: Text

    def commands(self) -> CommandArray:
        return command(CommandKind.CANCEL_AUCTION, target=self.auction)


def _four_words(digits: str) -> dict[str, int]:
    """32 bytes over the four fields that carry them, eight little-endian bytes each."""
    raw = bytes.fromhex(digits)
    names = ("target", "expiry", "quantity", "quantity2")
    return {name: int.from_bytes(raw[8 * n : 8 * n + 8], "little", signed=True) for n, name in enumerate(names)}
