"""The client for asyncio programs: the same calls, awaited. One client, one event loop, one task at a time per call.

    async with await AsyncClient.connect("tcp://127.0.0.1:7001", secret=..., server=...) as client:
        order = await client.wait(client.place("CEA24", "buy", 100, "73.20"))
        async for event in client.events():
            ...

A background task reads the socket when it has something and keeps the heartbeats going, so nothing needs polling.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from engine.control import Control
from engine.schema import EventArray
from gateway import wire
from gateway.client import Client
from gateway.errors import NoAnswer
from gateway.handles import BidHandle, BlockTerms
from gateway.link import Answer
from gateway.orders import OrderHandle, Request
from gateway.questions import Questions, accepted
from gateway.quotes import QuoteHandle
from gateway.wire import FrameType

TICK = 0.05
"""Seconds between looks at timers when the socket is silent."""
R = TypeVar("R", bound=Request)
D = TypeVar("D", OrderHandle, QuoteHandle, BlockTerms, BidHandle)
T = TypeVar("T")


class AsyncClient:
    """Wraps a `Client`. `place`, `take`, `cancel`, `replace`, `mass_cancel`, `quote`, `withdraw_quote`, `submit` and
    everything of `gateway.mechanisms` (blocks, bids, registry, kill switch) are the client's own and never block;
    questions go through `ask`.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.place = client.place
        self.take = client.take
        self.cancel = client.cancel
        self.replace = client.replace
        self.mass_cancel = client.mass_cancel
        self.quote = client.quote
        self.withdraw_quote = client.withdraw_quote
        self.submit = client.submit
        self.block_offer = client.block_offer
        self.block_counter = client.block_counter
        self.block_accept = client.block_accept
        self.block_withdraw = client.block_withdraw
        self.bid = client.bid
        self.replace_bid = client.replace_bid
        self.withdraw_bid = client.withdraw_bid
        self.surrender = client.surrender
        self.cancel_units = client.cancel_units
        self.transfer_in = client.transfer_in
        self.transfer_out = client.transfer_out
        self.pledge = client.pledge
        self.kill = client.kill
        self.resume_firm = client.resume_firm
        self._changed = asyncio.Event()
        self._failure: BaseException | None = None
        self._task = asyncio.create_task(self._run())

    @classmethod
    async def connect(cls, endpoint: str, **options: Any) -> AsyncClient:
        """Log on; arguments as `Client`."""
        return cls(await asyncio.to_thread(lambda: Client(endpoint, **options)))

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            readable = asyncio.Event()
            number = self.client.fileno()
            if number >= 0:
                loop.add_reader(number, readable.set)
            try:
                self.client.pump()
                self._changed.set()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(readable.wait(), TICK)
            except Exception as error:
                self._failure = error
                self._changed.set()
                return
            finally:
                if number >= 0:
                    loop.remove_reader(number)

    async def until(self, done: Callable[[], bool], timeout: float = 5.0, what: str = "the condition") -> None:
        """Wait for `done()`. Raises NoAnswer, and whatever ended the connection."""
        try:
            async with asyncio.timeout(timeout):
                while not done():
                    if self._failure is not None:
                        raise self._failure
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise NoAnswer(f"no answer about {what} within {timeout:g} s") from None

    async def wait(self, request: R, timeout: float = 5.0) -> R:
        """Until the venue has answered. Raises Rejected, NoAnswer."""
        await self.until(lambda: request.answered, timeout, f"command {request.client_order_id}")
        if request.rejection is not None:
            raise request.rejection
        return request

    async def wait_done(self, order: D, timeout: float = 5.0) -> D:
        """Until an order, a quote, a bid or block terms are over. Raises Rejected, NoAnswer."""
        await self.until(lambda: order.done, timeout, f"the end of order {order.client_order_id}")
        if order.rejection is not None:
            raise order.rejection
        return order

    async def wait_triggered(self, order: OrderHandle, timeout: float = 5.0) -> OrderHandle:
        """Until a stop order's price has been met, or the order is over. Raises Rejected, NoAnswer."""
        await self.until(
            lambda: order.triggered or order.done, timeout, f"the trigger of order {order.client_order_id}"
        )
        if order.rejection is not None:
            raise order.rejection
        return order

    @property
    def journal_time(self) -> int:
        """The venue's time, UTC ns; see `Client.journal_time`."""
        return self.client.journal_time

    async def ask(self, question: Callable[[Questions], T]) -> T:
        """The answer to a question, such as `lambda c: c.book("CEA24")`; other tasks go on meanwhile.

        The question runs in a thread of its own and leaves the socket to the event loop. Ask what `Questions` has:
        `book`, `day`, `account`, `open_orders`, `negotiations`, `auctions`, `bids`, `holds`, `compliance` and so on;
        no `control`, no orders.

        Raises:
            Rejected, NoAnswer, and whatever ended the connection.
        """
        asker = _Asker(self, asyncio.get_running_loop())
        return await asyncio.to_thread(question, asker)

    async def _request(self, frame_type: FrameType, message: wire.Message, what: str, patience: float) -> Answer:
        link = self.client._link
        tokens: list[int] = []
        got: list[Answer] = []

        def answered() -> bool:
            if not tokens and (token := link.try_ask(frame_type, message)):
                tokens.append(token)
            found = link.take_answer(tokens[0]) if tokens else None
            if found is not None:
                got.append(found)
            return bool(got)

        try:
            await self.until(answered, patience, what)
        finally:
            link.forget(tokens[0] if tokens else 0)
        return accepted(got[0])

    async def poll(self, timeout: float = 1.0) -> EventArray:
        """Event records since the last poll, in order; empty when `timeout` seconds brought none."""
        with contextlib.suppress(NoAnswer):
            await self.until(lambda: self.client.waiting > 0, timeout)
        return self.client.poll()

    async def events(self) -> AsyncIterator[Any]:
        """Event records one by one, for ever."""
        while True:
            for event in await self.poll():
                yield event
            if self._failure is not None:
                raise self._failure

    async def close(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        # Nobody else uses the connection any more, so it may be closed, which takes a round trip, in another thread.
        await asyncio.to_thread(self.client.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()


class _Asker(Questions):
    """The client's questions for another thread: what goes over the socket is handed to the event loop."""

    def __init__(self, client: AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
        self.reference = client.client.reference
        self.timeout = client.client.timeout
        self.account_number = client.client.account_number
        self._client = client
        self._loop = loop

    def request(self, frame_type: FrameType, message: wire.Message, what: str, patience: float | None = None) -> Answer:
        waiting = self._client._request(frame_type, message, what, patience or self._client.client.timeout)
        return asyncio.run_coroutine_threadsafe(waiting, self._loop).result()

    def control(self, message: Control) -> EventArray:
        raise TypeError("administrative messages need a Client of their own; AsyncClient asks questions only")
