"""Line charts as SVG: linear or logarithmic axes, a legend, vertical marks. Nothing is loaded from anywhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final, NamedTuple

COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a6a00", "#56b4e9", "#444444", "#e69f00")
"""Told apart by people with any kind of colour vision (Okabe and Ito); dashes tell them apart in black and white."""
DASHES: Final = ("", "7 4", "2 3", "9 3 2 3")
WIDTH, HEIGHT = 960, 460
LEFT, RIGHT, TOP, BOTTOM = 78, 316, 44, 62
NINES: Final = ((0.0, "0"), (0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %"),
                (0.99999, "99.999 %"))  # fmt: skip
Tick = tuple[float, str]


class Series(NamedTuple):
    """A line through points (x, y) in the order given. `rank` picks the colour, and the dashes where `dash` does not;
    `dots` marks the points."""

    name: str
    points: Sequence[tuple[float, float]]
    rank: int
    dots: bool = False
    dash: int = -1

    @property
    def stroke(self) -> str:
        """Attributes of the line."""
        dashes = DASHES[(self.rank // 2 if self.dash < 0 else self.dash) % len(DASHES)]
        return f'stroke="{_colour(self.rank)}"' + (f' stroke-dasharray="{dashes}"' if dashes else "")


class Mark(NamedTuple):
    """A vertical line with a few words beside it."""

    x: float
    text: str
    rank: int


@dataclass(frozen=True)
class Scale:
    """One axis: what it says, how a value becomes a number along it, and its ticks."""

    label: str
    place: Callable[[float], float]
    ticks: Callable[[float, float], list[Tick]]

    @classmethod
    def linear(cls, label: str) -> Scale:
        return cls(label, float, _linear_ticks)

    @classmethod
    def log(cls, label: str) -> Scale:
        return cls(label, lambda value: math.log10(max(value, 1e-9)), _log_ticks)

    @classmethod
    def percentile(cls, label: str) -> Scale:
        """For shares below 1, evenly spaced in the number of nines."""
        return cls(label, lambda share: -math.log10(max(1e-9, 1 - share)), lambda low, high: list(NINES))


@dataclass(frozen=True)
class Chart:
    """A chart; `render` gives the SVG. Series without points are left out."""

    title: str
    x: Scale
    y: Scale
    series: Sequence[Series]
    marks: Sequence[Mark] = field(default_factory=tuple)

    def render(self) -> str:
        """A whole SVG document of 960 by 460."""
        shown = [series for series in self.series if series.points]
        inner = self._plot(shown) if shown else _text(WIDTH / 2, HEIGHT / 2, "nothing was measured", "middle")
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
            f' aria-label="{escape(self.title)}" font-family="sans-serif" font-size="12">\n'
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n'
            f"{_text(LEFT, 24, self.title, size=15, weight='bold')}\n{inner}\n</svg>\n"
        )

    def _plot(self, shown: list[Series]) -> str:
        xs = [x for series in shown for x, _ in series.points] + [mark.x for mark in self.marks]
        ys = [y for series in shown for _, y in series.points]
        across = _Span(self.x, min(xs), max(xs), LEFT, WIDTH - RIGHT)
        up = _Span(self.y, min(ys), max(ys), HEIGHT - BOTTOM, TOP)
        parts = [*_grid(across, up), *(_line(series, across, up) for series in shown)]
        parts += [_mark(mark, across, number) for number, mark in enumerate(self.marks)]
        parts += [_legend(series, number) for number, series in enumerate(shown)]
        return "\n".join(parts)


class _Span:
    """An axis of a chart: values between `low` and `high` lie between two pixels."""

    def __init__(self, scale: Scale, low: float, high: float, begin: float, end: float) -> None:
        self.scale = scale
        self.begin, self.end = begin, end
        self.low, self.high = scale.place(low), scale.place(high)
        margin = (self.high - self.low) * 0.04 or abs(self.low) * 0.1 or 1.0
        self.low, self.high = self.low - margin, self.high + margin
        self.ticks = [(self.at(value), text) for value, text in scale.ticks(low, high) if self._holds(value)]

    def _holds(self, value: float) -> bool:
        return self.low <= self.scale.place(value) <= self.high

    def at(self, value: float) -> float:
        share = (self.scale.place(value) - self.low) / (self.high - self.low)
        return round(self.begin + share * (self.end - self.begin), 1)


def _grid(across: _Span, up: _Span) -> list[str]:
    parts = []
    for x, text in across.ticks:
        parts.append(f'<path d="M{x} {up.begin}V{up.end}" stroke="#e4e4e4"/>')
        parts.append(_text(x, up.begin + 18, text, "middle"))
    for y, text in up.ticks:
        parts.append(f'<path d="M{across.begin} {y}H{across.end}" stroke="#e4e4e4"/>')
        parts.append(_text(across.begin - 8, y + 4, text, "end"))
    parts.append(f'<path d="M{across.begin} {up.end}V{up.begin}H{across.end}" fill="none" stroke="#333333"/>')
    parts.append(_text((across.begin + across.end) / 2, HEIGHT - 16, across.scale.label, "middle", 13))
    middle = (up.begin + up.end) / 2
    turned = f'transform="rotate(-90 18 {middle})"'
    parts.append(_text(18, middle, up.scale.label, "middle", 13, more=turned))
    return parts


def _line(series: Series, across: _Span, up: _Span) -> str:
    places = [(across.at(x), up.at(y)) for x, y in series.points]
    points = " ".join(f"{x},{y}" for x, y in places)
    parts = [f'<polyline points="{points}" fill="none" stroke-width="2" {series.stroke}/>']
    if series.dots or len(places) == 1:
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{_colour(series.rank)}"/>' for x, y in places]
    return "\n".join(parts)


def _mark(mark: Mark, across: _Span, number: int) -> str:
    x = across.at(mark.x)
    y = TOP + 12 + 14 * (number % 6)
    left = x > (LEFT + WIDTH - RIGHT) / 2
    words = _text(x + (-5 if left else 5), y, mark.text, "end" if left else "start", 11, colour=_colour(mark.rank))
    line = f'<path d="M{x} {TOP}V{HEIGHT - BOTTOM}" stroke="{_colour(mark.rank)}" stroke-dasharray="3 3"/>'
    return f"{line}\n{words}" if mark.text else line


def _legend(series: Series, number: int) -> str:
    x, y = WIDTH - RIGHT + 18, TOP + 10 + 20 * number
    return f'<path d="M{x} {y - 4}h28" stroke-width="2" {series.stroke}/>\n{_text(x + 34, y, series.name)}'


def _colour(rank: int) -> str:
    return COLOURS[rank % len(COLOURS)]


def _text(
    x: float,
    y: float,
    words: str,
    anchor: str = "start",
    size: int = 12,
    weight: str = "normal",
    colour: str = "#222222",
    more: str = "",
) -> str:
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}"'
        f' fill="{colour}" {more}>{escape(words)}</text>'
    )


def _linear_ticks(low: float, high: float) -> list[Tick]:
    span = high - low or abs(high) or 1.0
    step = 10.0 ** math.floor(math.log10(span / 5))
    step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= 7)
    first = math.floor(low / step)
    return [(n * step, number(n * step)) for n in range(first, math.ceil(high / step) + 1)]


def _log_ticks(low: float, high: float) -> list[Tick]:
    decades = range(math.floor(math.log10(max(low, 1e-9))) - 1, math.ceil(math.log10(max(high, 1e-9))) + 1)
    factors = (1, 2, 5) if len(decades) <= 5 else (1,)
    return [(factor * 10.0**decade, number(factor * 10.0**decade)) for decade in decades for factor in factors]


def number(value: float) -> str:
    """A figure for an axis or a table: 1,200 or 0.05, without needless zeros."""
    if abs(value) >= 1_000_000:
        return f"{value / 1e6:,.3g} M"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"
