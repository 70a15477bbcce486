"""The exchange's front: ZeroMQ order entry, sessions, security, and the client SDK.

**Run a server** (`gateway.config`, `gateway.server`)::

    from gateway.config import Config
    from gateway.server import Server, background, serve

    exit_code = serve(Config(data="data", venue="seee"))   # until SIGTERM/SIGINT; 0 = sealed and stopped

    with background(Config(data="data", venue="plain")) as server:   # in a thread: notebooks, demos, tests
        server.endpoint, server.ipc_endpoint, server.public_key

    server = Server(config); server.start(); server.run(); server.stop()   # stop() from any thread or signal handler

`Config` is a frozen msgspec Struct: `data` folder, `venue` preset or file, `implementation`, `tcp` endpoint (port 0 =
any free one), `ipc` path, `keys` folder, `durability`, `clock_rate`, `start_time`, `heartbeat_ms`, `grace_ms`,
throttles, and `opening`: control messages (`engine.control`: OpenFirm, OpenAccount, OpenSession, MoveCash, ...) applied
once, when the journal is new. Every public key file in `<keys>/sessions` becomes a session at start and on SIGHUP.
`python -m gateway.server config.json` runs one in a process of its own; the endpoints are printed and stand in
`<data>/endpoints.json`.

**Keys** (`gateway.security`)::

    create_server_keys(folder)                                # server.secret (0400), server.pub
    create_session_keys(folder, "ALPHA", firm="Alpha")        # sessions/ALPHA.pub; ALPHA.secret for the firm
    rotate_session_keys(folder, "ALPHA")                      # a new pair; the old key until the next start

**Trade** (`gateway.client`, no engine needed; `gateway.aio` is the asyncio twin)::

    from gateway.client import Client

    with Client("tcp://127.0.0.1:7001", secret="keys/ALPHA.secret", server="keys/server.pub") as client:
        order = client.place("CEA24", "buy", 100, "73.20").wait()     # Rejected with .reason and .text
        print(order.status, order.filled, order.average_price)
        order.replace(price="73.30").wait()
        order.cancel().wait()
        client.place("EUA-DEC25", "sell", 10, "70.10", shown=2)                  # an iceberg
        client.place("EUA-DEC25", "sell", 10, "69.40", stop="69.50").wait()      # waits; .wait_triggered()
        client.quote("EUA", bid=(10, "69.95"), offer=(10, "70.05")).wait()       # .bid, .offer, .withdraw()

`Client("ipc:///path", session="ALPHA")` names its session instead of a key. Also: `take`, `cancel`, `mass_cancel`,
`withdraw_quote`, `submit(array)` (COMMAND records in), `poll(timeout) -> EVENT array`, `events()`, `control(message)`
for operators, and the queries `reference`, `account()`, `book()`, `day()`, `indicative()`, `open_orders()`, `status()`;
`journal_time`.

Modules of the server: `server` the loop · `doors` its sockets · `service` what each frame does · `logons`, `losses` how
sessions come and go · `exchange` stamp, apply, journal · `room` what a full disk allows · `routing` who sees which
event · `outbox` · `recent`, `streams`, `duplicates` what was said before · `sessions` · `security`, `keyring` ·
`clock`, `calendar` · `queries`, `status`. Of the client: `client`, `order_entry`, `mechanisms`, `questions` · `link`
the connection · `orders`, `quotes`, `handles` with `tracker` · `views` · `errors` · `aio`. Of both: `wire`,
`wire_calls`, `wire_registers`, the frames and messages; `numbers` of commands; `reasons`.
The protocol byte by byte: `docs/session-protocol.md`.
"""
