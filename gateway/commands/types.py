"""Kinds of arguments that several commands take."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import click

SIDE = click.Choice(["buy", "sell"], case_sensitive=False)
LOTS = click.IntRange(min=1)


class PriceType(click.ParamType):  # type: ignore[type-arg]  # generic only in newer releases
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
