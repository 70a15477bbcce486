"""How `client` and `operate` find their server: options, environment, or what the server wrote into its data folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from gateway.addresses import check_tcp
from gateway.commands.common import Failure, data_option

if TYPE_CHECKING:
    from gateway.client import Client
    from gateway.errors import Rejected

Function = TypeVar("Function", bound=Callable[..., Any])


class Target(NamedTuple):
    """What the command line says about the server and who we are."""

    data: Path
    connect: str
    session: str
    key: Path | None
    server_key: Path | None
    timeout: float


def connection_options(function: Function) -> Function:
    """The options of a command that talks to a server."""
    for option in (
        click.option("--timeout", type=click.FloatRange(min=0.1), default=5.0, show_default=True, help="Seconds."),
        click.option(
            "--server-key",
            type=click.Path(dir_okay=False, path_type=Path),
            envvar="CARBONBOOK_SERVER_KEY",
            help="The server's public key file, server.pub.",
        ),
        click.option(
            "--key",
            type=click.Path(dir_okay=False, path_type=Path),
            envvar="CARBONBOOK_KEY",
            help="Your secret key file, NAME.secret.",
        ),
        click.option("--session", default="", envvar="CARBONBOOK_SESSION", help="Your session's name, such as ALPHA."),
        click.option(
            "--connect",
            default="",
            envvar="CARBONBOOK_CONNECT",
            help="tcp://HOST:PORT, or ipc:///PATH (default: as the server wrote it into its data folder).",
        ),
        data_option,
    ):
        function = option(function)
    return function


def pass_target(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of the connection, as a Target in front of its own arguments."""

    @wraps(function)
    def run(**values: Any) -> Any:
        target = Target(**{name: values.pop(name) for name in Target._fields})
        return function(target, **values)

    return connection_options(run)


@contextmanager
def opened(target: Target, *, asks_only: bool = False) -> Iterator[Client]:
    """A client that is logged on; typed refusals become Failures with reason, code and text.

    Args:
        asks_only: nothing is sent that could be lost, so no answer is only that.
    """
    from gateway.client import Client
    from gateway.errors import Disconnected, NoAnswer, Rejected
    from gateway.security import SecurityError

    endpoint, options = _resolve(target)
    it: Client | None = None
    try:
        with Client(
            endpoint, timeout=target.timeout, reconnect_timeout=target.timeout, name="carbonbook", **options
        ) as it:
            yield it
    except Rejected as error:
        reason = error.reason
        text = f"refused: {reason.name} ({int(reason)}): {error.text}{_as_price(it, error)}"
        raise Failure(text, reason=reason.name, code=int(reason)) from None
    except NoAnswer as error:
        advice = "; what was sent is not lost: look with `carbonbook client orders` before sending it again"
        raise Failure(f"{error}{'' if asks_only else advice}") from None
    except Disconnected as error:
        raise Failure(str(error)) from None
    except SecurityError as error:
        raise Failure(f"key: {error}") from None
    except TypeError as error:
        raise click.UsageError(str(error)) from None


def check_options(target: Target) -> None:
    """Raises click.UsageError where the options cannot work whatever the server does: no address, no usable key."""
    from gateway.security import SecurityError, read_secret, read_server_public

    try:
        if target.key is not None:
            read_secret(target.key)
        _, options = _resolve(target)
        if "secret" in options:
            read_secret(options["secret"])
            read_server_public(options["server"])
    except SecurityError as error:
        raise click.UsageError(f"key: {error}") from None
    except Failure:  # the server has not written its address yet, or no longer
        return


def _as_price(it: Client | None, error: Rejected) -> str:
    """The floor that a refusal names, in currency units; "" where it names none, or no instrument."""
    event = error.event
    if it is None or error.reason.name != "BELOW_FLOOR" or event is None or not event["instrument"]:
        return ""
    symbol = it.reference.instrument(int(event["instrument"])).symbol
    return f", {it.reference.price(symbol, int(event['remaining']))}"


def _resolve(target: Target) -> tuple[str, dict[str, Any]]:
    """(endpoint, arguments of Client). Prefers a key over tcp; without one the local socket."""
    told = _told(target.data)
    endpoint = target.connect
    if not endpoint and not told:
        raise Failure(
            f"{target.data}/endpoints.json: not there; start a server (carbonbook serve), name its folder with --data,"
            " or its address with --connect"
        )
    key = key_of(target)
    if not endpoint:
        endpoint = told["tcp"] if key is not None and told["tcp"] else told["ipc"]
    if not endpoint.startswith(("tcp://", "ipc://")):
        hint = "write tcp://HOST:PORT or ipc:///PATH" if endpoint else "the server has no local socket: name a --key"
        raise click.BadParameter(f"{endpoint!r} is no address; {hint}", param_hint="--connect")
    if endpoint.startswith("tcp://"):
        try:
            check_tcp(endpoint, least=1)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--connect") from None
    if endpoint.startswith("ipc://"):
        if not target.session:
            raise click.UsageError("say who you are: --session NAME (`carbonbook keys list` shows the names)")
        return endpoint, {"session": target.session}
    if key is None:
        raise click.UsageError("tcp needs your key: --key NAME.secret, or --session NAME where the server's keys lie")
    server = server_key_of(target, key, told.get("public_key", ""))
    return endpoint, {"secret": key, "server": server, "session": target.session}


def server_key_of(target: Target, key: Path, told: str) -> Path | bytes:
    """The server's public key: as named, beside the session's own, or as the server has told."""
    beside = key.parent / "server.pub"
    server = target.server_key or (beside if beside.exists() else told.encode())
    if not server:
        raise click.UsageError("tcp needs the server's public key: --server-key server.pub")
    return server


def _told(data: Path) -> dict[str, str]:
    """What a running server says about itself; empty when there is none."""
    import json

    try:
        found = json.loads((data / "endpoints.json").read_bytes())
        return {name: str(found[name]) for name in ("tcp", "ipc", "public_key")}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError):
        raise Failure(f"{data}/endpoints.json: cannot be read; restart the server, or use --connect") from None


def key_of(target: Target) -> Path | None:
    """The secret key named, or the session's in the server's own keys folder, for practice on one machine."""
    if target.key is not None:
        return target.key
    here = target.data / "keys" / f"{target.session}.secret"
    return here if target.session and "/" not in target.session and here.exists() else None
