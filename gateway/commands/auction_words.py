"""What bounds an instrument's auctions, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.venue import Instrument


def auction_bounds(instrument: Instrument) -> list[str]:
    """Sentences about purchase limits and the floor that rises each year; none where there is neither."""
    found = []
    shares = (instrument.auction_covered_bps, instrument.auction_other_bps)
    if any(shares):
        covered, other = (f"{share / 100:g} %" if share else "any share" for share in shares)
        who = f"{covered} of the lots offered" if covered == other else f"{covered} with an obligation, {other} without"
        found.append(f"{instrument.symbol}: one bidder bids for at most {who}")
    if instrument.auction_floor is not None:
        years = len(instrument.auction_floor_inflation_ppm)
        last = instrument.auction_floor_year + years
        inflation = f" and inflation (listed until {last})" if years else ""
        found.append(
            f"{instrument.symbol}: reserve price from {instrument.auction_floor} in {instrument.auction_floor_year}; "
            f"{instrument.auction_floor_rise_bps / 100:g} %{inflation} more every year"
        )
    return found
