"""Market data: a follower of the journal that publishes what everybody may know. Never in the path of an order.

`messages` is what travels (docs/market-data.md), `market` what is public of an engine, `doors` the sockets, `follower`
the loop, `keys` who may subscribe, `keeper` the server's hand on it. `python -m gateway.feed` runs it.
"""
