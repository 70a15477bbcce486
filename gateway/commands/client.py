"""`carbonbook client`: trade from the command line. Uses the network and never the matching engine."""

from __future__ import annotations

import contextlib

import click

from gateway.commands import client_mechanisms, client_orders, client_registry
from gateway.commands.common import Failure, json_option, print_json
from gateway.commands.connect import Target, opened, pass_target
from gateway.commands.statements import client_statement
from gateway.commands.types import ACCOUNT, SEQUENCE


@click.group()
def client() -> None:
    """Trade: place, cancel, replace, take, look, watch; block trades, auctions, the registry.

    Options of the connection may also stand in the environment (CARBONBOOK_SESSION and so on). On the server's own
    machine --session is enough. Each call logs on as that session and ends an earlier connection of it: give a
    program and your own hands sessions of their own. Orders stay in the book when the call ends. A refusal gives exit
    code 1 with its reason.

    \b
    carbonbook client place CEA24 buy 100 73.20 --session ALPHA
    carbonbook client orders --connect tcp://10.0.0.5:7001 --key ALPHA.secret --server-key server.pub
    """


# --- looking ----------------------------------------------------------------------------------------------------------


@client.command()
@json_option
@pass_target
def orders(target: Target, as_json: bool) -> None:
    """List this session's live orders: what is left, what others see of it, stops that wait.

    \b
    carbonbook client orders --session ALPHA
    """
    from gateway.commands.looks import order_json, orders_table

    with opened(target) as it:
        found = it.open_orders()
    if as_json:
        print_json([order_json(order) for order in found])
    else:
        click.echo(orders_table(found) if found else "no live orders")


@client.command()
@click.argument("instrument")
@json_option
@pass_target
def book(target: Target, instrument: str, as_json: bool) -> None:
    """Show the best five levels of each side, and in a call what it would do if it ended now.

    \b
    carbonbook client book CEA24 --session ALPHA
    """
    from gateway.commands.looks import CALLS, book_json, book_table, indicative_json, indicative_text

    with opened(target) as it:
        found = it.book(instrument)
        call = it.indicative(instrument) if found.phase in CALLS else None
    if as_json:
        print_json(book_json(found) | ({"indicative": indicative_json(call)} if call else {}))
    else:
        click.echo(f"{found.symbol}  {found.phase.name}\n{book_table(found)}")
        if call:
            click.echo(indicative_text(call))


@client.command()
@click.argument("instrument", required=False)
@json_option
@pass_target
def indicative(target: Target, instrument: str | None, as_json: bool) -> None:
    """Show at what price and how much a call auction of INSTRUMENT, or of all, would trade if it ended now.

    The surplus is what is bid (or, below 0, offered) at that price and would be left over.

    \b
    carbonbook client indicative KAU25 --session ALPHA
    """
    from gateway.commands.looks import indicative_json, indicative_text

    with opened(target) as it:
        found = [it.indicative(instrument)] if instrument else it.indicatives()
    if as_json:
        print_json([indicative_json(one) for one in found])
    else:
        click.echo("\n".join(map(indicative_text, found)) or "no instrument of this venue has call auctions")


@client.command()
@click.argument("instrument", required=False)
@json_option
@pass_target
def day(target: Target, instrument: str | None, as_json: bool) -> None:
    """Show the day's figures of INSTRUMENT, or of all.

    \b
    carbonbook client day --session ALPHA
    """
    from gateway.commands.looks import day_json, days_table

    with opened(target) as it:
        found = [it.day(instrument)] if instrument else it.days()
    if as_json:
        print_json([day_json(one) for one in found])
    else:
        click.echo(f"trading date {found[0].trading_date or 'none yet'}, {found[0].stage.name}\n{days_table(found)}")


@client.command()
@click.argument("number", type=ACCOUNT, required=False)
@json_option
@pass_target
def account(target: Target, number: int | None, as_json: bool) -> None:
    """Show cash and holdings of account NUMBER (default: the firm's first).

    \b
    carbonbook client account --session ALPHA
    """
    from gateway.commands.looks import account_json, account_table

    with opened(target) as it:
        if number is None and not it.reference.accounts:
            raise Failure("this session has no account; an operator opens one: carbonbook operate open-account")
        found = it.account(number)
        name = dict(it.reference.accounts).get(found.number, "")
    if as_json:
        print_json(account_json(found) | {"name": name})
    else:
        click.echo(f"{name} (account {found.number})\n{account_table(found)}")


@client.command()
@click.argument("instruments", nargs=-1)
@click.option("--feed", default="", envvar="CARBONBOOK_FEED", help="The feed's address (default: as it wrote it).")
@click.option("--after", type=SEQUENCE, help="Begin behind this event sequence; 0 = all this session got.")
@click.option("--for", "seconds", type=click.FloatRange(min=0), help="End after so many seconds (default: Ctrl-C).")
@click.option("--kind", "kinds", multiple=True, help="Only events of this kind, such as TRADE; may be repeated.")
@json_option
@pass_target
def watch(
    target: Target,
    instruments: tuple[str, ...],
    feed: str,
    after: int | None,
    seconds: float | None,
    kinds: tuple[str, ...],
    as_json: bool,
) -> None:
    """Print this session's events as they come: acceptances, trades, fees, ends.

    With INSTRUMENTS show the market instead, as everybody may see it: a live table of books, figures and trades in a
    terminal, else a line for each change. It comes from the venue's feed; no session is logged on.

    \b
    carbonbook client watch --session ALPHA
    carbonbook client watch --after 0 --for 1 --kind TRADE --session ALPHA       all fills so far
    carbonbook client watch CEA24 CEA25
    carbonbook client watch CEA24 --feed tcp://10.0.0.5:7003 --key ALPHA.secret --server-key server.pub --json
    """
    if instruments:
        if after is not None or kinds:
            raise click.UsageError("--after and --kind are for a session's own events, not for instruments")
        from gateway.commands.market_watch import watch_market

        with contextlib.suppress(KeyboardInterrupt):
            watch_market(target, feed, instruments, seconds, as_json)
        return
    from gateway.commands.watching import follow, kinds_named

    wanted = kinds_named(kinds)
    with opened(target) as it, contextlib.suppress(KeyboardInterrupt):
        follow(it, after, seconds, wanted, as_json)


@client.command()
@json_option
@pass_target
def status(target: Target, as_json: bool) -> None:
    """Show what the venue takes, room in its journal, and what the sessions of the firm were refused.

    \b
    carbonbook client status --session ALPHA
    """
    from gateway.commands.looks import status_json, status_text

    with opened(target) as it:
        found = it.status()
    if as_json:
        print_json(status_json(found))
    else:
        click.echo(status_text(found))


client.add_command(client_statement)
for commands in (client_orders, client_mechanisms, client_registry):
    for command in commands.COMMANDS:
        client.add_command(command)
