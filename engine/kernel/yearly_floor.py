"""The floor of an auction's reserve price, which rises every year.

Source: 17 CCR 95911 (the annual auction reserve price is that of the year before increased by 5 per cent plus the rate
of inflation, rounded to the cent).
"""

import numpy as np

from engine.kernel.compiler import plain
from engine.kernel.rounding import half_up
from engine.schema import BASIS_POINTS, MAX_PRICE, PPM, Reason, Side
from engine.venue import MAX_FLOOR_YEARS

YEAR = 10_000
"""Dates are numbers such as 20250811."""
PPM_PER_BPS = PPM // BASIS_POINTS


@plain
def floor_of_year(s, instrument, year):
    """Ticks; 0 = none, before the first year too. A year beyond those listed adds no inflation."""
    bounds = s.auction_bounds[instrument]
    if bounds.floor == 0 or year < bounds.floor_year:
        return np.int64(0)
    floor = np.int64(bounds.floor)
    for ahead in range(year - bounds.floor_year):
        inflation = bounds.inflation_ppm[ahead] if ahead < MAX_FLOOR_YEARS else np.int64(0)
        floor = half_up(floor * (PPM + bounds.rise_bps * PPM_PER_BPS + inflation), PPM)
        floor = min(floor, np.int64(MAX_PRICE))
    return floor


@plain
def check_yearly_floor(s, instrument, side, reserve):
    """A selling auction's reserve is at least the floor of the trading date's year."""
    if side != Side.SELL:
        return Reason.NONE
    floor = floor_of_year(s, instrument, s.trading_date // YEAR)
    if reserve >= floor:
        return Reason.NONE
    s.refusal = floor
    return Reason.BELOW_FLOOR
