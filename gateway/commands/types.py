"""Kinds of arguments that several commands take."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final

import click

from gateway.addresses import MAX_FEED_PORT, MAX_PORT, check_tcp

SIDE = click.Choice(["buy", "sell"], case_sensitive=False)


class WholeNumber(click.ParamType):  # type: ignore[type-arg]  # generic only in newer releases
    """A whole number from `least` to `most`, which is as much as its field in the records can hold."""

    name = "integer"

    def __init__(self, least: int = 1, most: int = 2**63 - 1) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            number = int(value)
        except ValueError:
            self.fail(f"{value!r} is no whole number", param, ctx)
        if not self._least <= number <= self._most:
            self.fail(f"{number} is not in the range {self._least}<=x<={self._most}", param, ctx)
        return number


NUMBER: Final = WholeNumber()
LOTS: Final = NUMBER
UNITS: Final = NUMBER
ACCOUNT: Final = WholeNumber(most=2**31 - 1)
SEQUENCE: Final = WholeNumber(least=0)


class PriceType(click.ParamType):  # type: ignore[type-arg]
    """A decimal number, exact."""

    name = "price"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            price = Decimal(value)
        except ArithmeticError:
            price = Decimal("NaN")
        if not price.is_finite() or price <= 0:
            self.fail(f"{value!r} is no price; write a decimal number such as 73.20", param, ctx)
        return price


PRICE = PriceType()


class DateType(click.ParamType):  # type: ignore[type-arg]
    """A calendar date."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no date; write YYYY-MM-DD, such as 2025-08-29", param, ctx)


DATE = DateType()


class TcpType(click.ParamType):  # type: ignore[type-arg]
    """Where something is bound: tcp://HOST:PORT, or one of `words`."""

    name = "address"

    def __init__(self, most: int = MAX_PORT, words: tuple[str, ...] = ("",)) -> None:
        self._most, self._words = most, words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value in self._words:
            return str(value)
        try:
            check_tcp(value, most=self._most)
        except ValueError as error:
            others = "".join(f", or {word}" for word in self._words if word)
            self.fail(f"{error}{others}", param, ctx)
        return str(value)


TCP: Final = TcpType()
FEED_TCP: Final = TcpType(MAX_FEED_PORT)
FEED_PLACE: Final = TcpType(MAX_FEED_PORT, ("", "local"))
