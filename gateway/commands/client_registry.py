"""`carbonbook client registry`: obligations, holds, surrender, transfers, pledges."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import click

from gateway.commands.client_mechanisms import account_option, rows_out
from gateway.commands.common import json_option, print_json, table
from gateway.commands.connect import Target, opened, pass_target
from gateway.commands.types import ACCOUNT, NUMBER, PRICE, UNITS


@click.group()
def registry() -> None:
    """Speak to the registry: how you stand, surrender, cancel, transfer, pledge.

    \b
    carbonbook client registry compliance --session ALPHA
    """


@registry.command()
@account_option
@json_option
@pass_target
def compliance(target: Target, account: int | None, as_json: bool) -> None:
    """Show each obligation: what is due, surrendered, covered by holdings, missing, its date, whether it is overdue.

    \b
    carbonbook client registry compliance --session ALPHA
    """
    with opened(target) as it:
        found = it.compliance(account)
    if as_json:
        years = [year._asdict() for year in found.years]
        facts = {"account": found.account, "years": years, "holdings": found.holdings}
        print_json({**facts, "transfers_open": found.transfers_open})
        return
    if found.years:
        click.echo(table(list(found.years[0]._fields), [(str(year.year), *year[1:]) for year in found.years]))
    else:
        click.echo(f"account {found.account}: no obligations")
    click.echo(table(["asset", "units"], list(found.holdings.items())) if found.holdings else "no units")
    click.echo(f"transfers: {'open' if found.transfers_open else 'closed'}")


@registry.command()
@json_option
@pass_target
def holds(target: Target, as_json: bool) -> None:
    """List pledges, freezes and transfers of the firm's accounts, and pledges in their favour.

    \b
    carbonbook client registry holds --session ALPHA
    """
    with opened(target) as it:
        found = it.holds()
    rows_out(found, as_json, "no holds")


@registry.command()
@click.argument("asset")
@click.argument("units", type=UNITS)
@click.argument("obligation", type=NUMBER)
@json_option
@pass_target
def surrender(target: Target, asset: str, units: int, obligation: int, as_json: bool) -> None:
    """Surrender UNITS of ASSET for OBLIGATION, by its number in `compliance`.

    \b
    carbonbook client registry surrender CEA24 48000 1 --session ALPHA
    """
    with opened(target) as it:
        owed = next((one for one in it.obligations() if one.number == obligation), None)
        year, account = (owed.year, owed.account) if owed else (2000, None)
        done = it.surrender(asset, units, obligation=obligation, year=year, account=account).wait()
        left, late = done.still_due, done.late
    if as_json:
        print_json({"obligation": obligation, "units": units, "still_due": left, "late": late})
    else:
        after = f"; {late:,} came after the date" if late else ""
        click.echo(f"{units:,} {asset} surrendered; {left:,} still due{after}")


@registry.command("cancel")
@click.argument("asset")
@click.argument("units", type=UNITS)
@account_option
@json_option
@pass_target
def cancel(target: Target, asset: str, units: int, account: int | None, as_json: bool) -> None:
    """Cancel UNITS of ASSET for good.

    \b
    carbonbook client registry cancel CEA24 100 --session ALPHA
    """
    with opened(target) as it:
        it.cancel_units(asset, units, account=account).wait()
    print_json({"asset": asset, "cancelled": units}) if as_json else click.echo(f"{units:,} {asset} cancelled for good")


@registry.command()
@click.argument("direction", type=click.Choice(["in", "out"], case_sensitive=False))
@click.argument("asset")
@click.argument("units", type=UNITS)
@account_option
@json_option
@pass_target
def transfer(target: Target, direction: str, asset: str, units: int, account: int | None, as_json: bool) -> None:
    """Ask for UNITS of ASSET from the registry (in), or return them (out); the operator completes it.

    \b
    carbonbook client registry transfer out CEA24 20000 --session ALPHA
    """
    with opened(target) as it:
        send = it.transfer_in if direction.lower() == "in" else it.transfer_out
        hold = send(asset, units, account=account).wait().hold
    if as_json:
        print_json({"hold": hold, "asset": asset, "units": units})
    else:
        click.echo(f"hold {hold}: {units:,} {asset}, waiting for the registry")


@registry.command()
@click.argument("asset")
@click.argument("units", type=UNITS)
@click.argument("creditor", type=ACCOUNT)
@click.option("--loan", type=PRICE, default=None, help="The loan's amount, a note.")
@account_option
@json_option
@pass_target
def pledge(
    target: Target, asset: str, units: int, creditor: int, loan: Decimal | None, account: int | None, as_json: bool
) -> None:
    """Pledge UNITS of ASSET to account CREDITOR; only the creditor's word frees them.

    \b
    carbonbook client registry pledge CEA24 20000 7 --loan 1000000.00 --session ALPHA
    """
    with opened(target) as it:
        hold = it.pledge(asset, units, creditor, loan=loan or 0, account=account).wait().hold
    if as_json:
        print_json({"hold": hold, "asset": asset, "units": units, "creditor": creditor})
    else:
        click.echo(f"hold {hold}: {units:,} {asset} pledged to account {creditor}")


COMMANDS: Final = (registry,)
