"""`carbonbook keys`: who may connect."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from gateway.commands.common import Failure, json_option, print_json, table


@click.group()
def keys() -> None:
    """Make, replace and list the keys of sessions.

    A session is one connection of a firm (or of an operator) with its own pair of keys. The secret file goes to the
    firm; the public one stays in the server's keys folder, and each becomes a session when the server starts or gets
    SIGHUP.
    """


def _folder(function: click.decorators.FC) -> click.decorators.FC:
    return click.option(
        "--keys",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("data/keys"),
        show_default=True,
        envvar="CARBONBOOK_KEYS",
        help="The server's keys folder.",
    )(function)


@keys.command()
@click.argument("name")
@click.option("--firm", default="", help="The firm it trades for; needed for a trader.")
@click.option(
    "--role",
    type=click.Choice(["trader", "operator", "reader"]),
    default="trader",
    show_default=True,
    help="Its rights.",
)
@_folder
@json_option
def new(name: str, firm: str, role: Literal["trader", "operator", "reader"], folder: Path, as_json: bool) -> None:
    """Make a pair of keys for session NAME.

    \b
    carbonbook keys new ALPHA --firm "Alpha Power"
    carbonbook keys new DESK --role operator
    """
    from gateway.security import SecurityError, create_session_keys

    if role == "trader" and not firm:
        raise click.UsageError("a trader belongs to a firm: add --firm NAME", click.get_current_context())
    try:
        pair = create_session_keys(folder, name, firm, role)
    except SecurityError as error:
        raise Failure(str(error)) from None
    secret, public = folder / f"{name}.secret", folder / "sessions" / f"{name}.pub"
    if as_json:
        print_json(
            {"name": name, "firm": firm, "role": role, "public_key": pair.public.decode(), "secret": str(secret)}
        )
        return
    click.echo(f"{secret}   secret: give it to the firm over a safe way, nobody else may read it")
    click.echo(f"{public}   public: stays with the server, which opens the session at its next start or on SIGHUP")


@keys.command()
@click.argument("name")
@click.option("--until", metavar="ISO", help="The old key stays valid until then, such as 2026-01-31T18:00:00+08:00.")
@click.option("--revoke", is_flag=True, help="The old key, and every earlier one, ends as soon as the server knows.")
@_folder
@json_option
def rotate(name: str, until: str | None, revoke: bool, folder: Path, as_json: bool) -> None:
    """Make a new pair of keys for session NAME, or for every session of firm NAME.

    The old key stays valid until the server's next start, or as the options say. A running server takes the new key
    in when it gets SIGHUP, and ends sessions that are connected with a key that is no longer valid.

    \b
    carbonbook keys rotate ALPHA --until 2026-01-31T18:00:00+08:00
    carbonbook keys rotate ALPHA --revoke
    kill -HUP PID                                       the server's, from its endpoints.json
    """
    from gateway.security import SecurityError, read_public_files, rotate_session_keys

    if until and revoke:
        raise click.UsageError("either --until or --revoke", click.get_current_context())
    ends = None if revoke else until or ""
    try:
        found = read_public_files(folder)
        names = [f.name for f in found if f.name == name] or [f.name for f in found if f.firm == name] or [name]
        pairs = {session: rotate_session_keys(folder, session, ends) for session in names}
    except SecurityError as error:
        raise Failure(str(error)) from None
    if as_json:
        made = [{"name": session, "public_key": pair.public.decode()} for session, pair in pairs.items()]
        print_json({"sessions": made, "old_key": "revoked" if revoke else until or "until the next start"})
        return
    for session in pairs:
        click.echo(f"{folder / session}.secret   the new secret: give it to the firm over a safe way")
    old = "is revoked" if revoke else f"is valid until {until or 'the next start of the server'}"
    click.echo(f"the old key {old}; tell a running server: kill -HUP PID (the pid stands in its endpoints.json)")


@keys.command("list")
@_folder
@json_option
def list_(folder: Path, as_json: bool) -> None:
    """List the sessions that a keys folder lets in.

    \b
    carbonbook keys list --keys data/keys
    """
    from gateway.security import SERVER, SecurityError, read_public_files

    if not folder.is_dir():
        raise Failure(
            f"{folder}: no such folder; `carbonbook keys new NAME --firm FIRM` makes it, or name it with --keys"
        )
    try:
        found = read_public_files(folder)
    except SecurityError as error:
        raise Failure(f"{error}; remove or restore that file") from None
    server = folder / f"{SERVER}.pub"
    server_key = server.read_text("ascii").strip() if server.exists() else ""
    if as_json:
        sessions = [
            {
                "name": f.name,
                "firm": f.firm,
                "role": f.role,
                "public_key": f.public_key,
                "previous": [{"public_key": p.public_key, "until": p.until} for p in f.previous],
                "secret_here": here(folder, f.name),
            }
            for f in found
        ]
        print_json({"server_public_key": server_key, "sessions": sessions})
        return
    rows: list[tuple[object, ...]] = []
    for f in found:
        rows.append((f.name, f.firm, f.role, f.public_key, here(folder, f.name), ""))
        rows += [(f.name, f.firm, f.role, p.public_key, "", p.until or "the next start") for p in f.previous]
    click.echo(table(["session", "firm", "role", "public key", "secret here", "valid until"], rows))
    click.echo(f"\nserver.pub  {server_key or 'none yet: the first start of the server makes it'}")


def here(folder: Path, name: str) -> bool:
    """Whether the session's secret (also) lies in this folder."""
    return (folder / f"{name}.secret").exists()
