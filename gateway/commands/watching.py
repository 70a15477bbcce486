"""A session's stream of events, line by line."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import click

from engine.schema import REASON_TEXT, EventFlag, EventKind, Phase, Reason, Side
from gateway.client import Client
from gateway.commands.common import print_json, when
from gateway.commands.lines import Lines

POLL_SECONDS = 0.25


def kinds_named(names: tuple[str, ...]) -> set[int]:
    """Event kinds by name. Raises click.BadParameter."""
    known = {kind.name: int(kind) for kind in EventKind}
    for name in names:
        if name.upper() not in known:
            raise click.BadParameter(f"{name} is no kind of event; there are: {', '.join(known)}", param_hint="--kind")
    return {known[name.upper()] for name in names}


def follow(client: Client, after: int | None, seconds: float | None, kinds: set[int], as_json: bool) -> None:
    """Print events until the time is over or for ever."""
    if after is not None:
        client.resume(after)
    data = client.reference.data
    venue = SimpleNamespace(instruments=data.instruments, calendar=SimpleNamespace(timezone=data.timezone))
    lines = Lines(venue)
    deadline = None if seconds is None else time.monotonic() + seconds
    while deadline is None or time.monotonic() < deadline:
        left = POLL_SECONDS if deadline is None else min(POLL_SECONDS, max(0.0, deadline - time.monotonic()))
        for event in client.poll(left):
            if kinds and int(event["kind"]) not in kinds:
                continue
            record = readable(event, client)
            if as_json:
                print_json(record)
            else:
                head = f"{record.get('sequence', 0):>8}  {when(record.get('timestamp', 0), data.timezone)}  "
                click.echo(head + lines.body(record))


def readable(event: Any, client: Client) -> dict[str, Any]:
    """A record as a dictionary: enums by name, the symbol beside the number; fields that are zero are left out."""
    found = {name: int(event[name]) for name in event.dtype.names if event[name]}
    made: dict[str, Any] = {"record": "event", **found, "kind": EventKind(found["kind"]).name}
    for name, enum in (("side", Side), ("aggressor", Side), ("phase", Phase), ("reason", Reason)):
        if name in made:
            made[name] = enum(made[name]).name
    if "flags" in made:
        made["flags"] = [flag.name for flag in EventFlag if found["flags"] & flag]
    if "reason" in made:
        made["reason_text"] = REASON_TEXT[Reason(found["reason"])]
    if "instrument" in made:
        made["symbol"] = client.reference.instrument(found["instrument"]).symbol
    return made
