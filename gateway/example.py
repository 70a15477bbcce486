"""Ten lines that trade: `python -m gateway.example ENDPOINT SECRET SERVER_PUB SYMBOL`, or `run(client, symbol)`."""

from __future__ import annotations

import sys

from gateway.client import Client


def run(client: Client, symbol: str) -> str:
    """Bid ten lots a little below the last price, look at the book, raise the bid, take it off again."""
    last = client.day(symbol).previous_close or 70
    order = client.place(symbol, "buy", 10, last).wait()
    assert client.book(symbol).bids
    order.replace(quantity=20).wait()
    if not order.done:
        order.cancel().wait()
    return f"{order.status.value}: {order.filled} of {order.quantity} at {order.average_price}"


if __name__ == "__main__":
    endpoint, secret, server, instrument = sys.argv[1:]
    with Client(endpoint, secret=secret, server=server) as session:
        print(run(session, instrument))
