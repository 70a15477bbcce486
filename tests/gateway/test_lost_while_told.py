"""Sessions lost while they are told of a batch that was on its way.

Telling comes at moments at which the loop is in the middle of something else, and may journal SESSION_DOWN: what the
loop was about to do must still be right.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.schema import CommandArray, CommandKind, commands
from gateway import wire
from gateway.calendar import NEVER, Due
from gateway.wire import FrameType
from replay.writer import SpaceState
from tests.gateway.builders import limit
from tests.gateway.desk import Desk, order_pair

pytestmark = pytest.mark.nojit


class Dues:
    """A calendar of given moments."""

    def __init__(self, dues: list[Due]) -> None:
        self._dues = dues

    @property
    def next_moment(self) -> int:
        return self._dues[0].moment if self._dues else NEVER

    def pop(self, now: int) -> Due | None:
        return self._dues.pop(0) if self._dues and self._dues[0].moment <= now else None


def window(moment: int, scope: int) -> Due:
    command = commands(1)
    command["kind"], command["scope"] = CommandKind.SET_TRANSFER_WINDOW, scope
    return Due(moment, None, command, 20260101)


@pytest.fixture
def begun(tmp_path: Path) -> Desk:
    """A batch of both firms is on its way; with the answer they have used up their credit."""
    desk = Desk(tmp_path)
    desk.everybody()
    desk.service._out._credit_bytes = 300
    desk.service._out._make_room(64)
    desk.hand_in(order_pair(1))
    desk.service.advance(lambda: True)
    assert desk.exchange.has_begun
    return desk


def journaled(desk: Desk) -> CommandArray:
    return np.concatenate([batch.commands.copy() for batch in desk.exchange.reader.batches()])


def test_transitions_come_in_their_order_and_journal_time_never_goes_back(begun: Desk) -> None:
    now = begun.exchange.clock.now()
    begun.exchange.schedule = Dues([window(now + 1, 1), window(now + 2, 0)])  # type: ignore[assignment]
    begun.service.run_calendar()
    found = journaled(begun)
    windows = found[found["kind"] == CommandKind.SET_TRANSFER_WINDOW]
    assert windows["scope"].tolist() == [1, 0]
    assert windows["timestamp"].tolist() == [now + 1, now + 2]
    assert (np.diff(found["timestamp"]) >= 0).all()
    assert (found["kind"] == CommandKind.SESSION_DOWN).sum() == 2


def test_a_transition_is_taken_off_the_calendar_only_to_be_carried_out(begun: Desk) -> None:
    """A crash before it is journaled must find it due again: nothing later may stand in the journal."""
    moment = begun.exchange.clock.now() + 1
    begun.exchange.schedule = Dues([window(moment, 1)])  # type: ignore[assignment]

    def crash(_: Due) -> None:
        raise KeyboardInterrupt

    begun.exchange.carry_out = crash  # type: ignore[assignment, method-assign]
    with pytest.raises(KeyboardInterrupt):
        begun.service.run_calendar()
    assert journaled(begun)["timestamp"][-1] < moment


def rests_nothing_behind_its_end(desk: Desk) -> bool:
    alpha = desk.service.registry.by_name("ALPHA")
    assert alpha is not None and alpha.connection is None
    found = journaled(desk)
    (down,) = np.flatnonzero((found["kind"] == CommandKind.SESSION_DOWN) & (found["target"] == alpha.number))
    after = found[down:]
    return not ((after["kind"] == CommandKind.NEW_ORDER) & (after["session"] == alpha.number)).any()


def test_an_order_that_had_come_is_dropped_when_its_session_goes_down_before_it(begun: Desk) -> None:
    """Else it would rest behind the cancellation of everything, and nobody would be there to cancel it."""
    begun.hand_in([("ALPHA", wire.pack_commands(limit(2)))])
    begun.exchange.schedule = Dues([window(begun.exchange.clock.now() + 1, 1)])  # type: ignore[assignment]
    begun.service.flush()
    assert rests_nothing_behind_its_end(begun)
    assert begun.service.counters["dropped"] == 1


def test_an_order_before_an_operators_command_is_carried_out_before_its_session_goes_down(begun: Desk) -> None:
    begun.hand_in([("ALPHA", wire.pack_commands(limit(2))), ("OPS", wire.pack_commands(limit(1, price=6_000)))])
    assert rests_nothing_behind_its_end(begun)
    state = begun.exchange.engine.state()
    assert begun.service.counters["commands"] == 4 and not len(state["orders"])


def test_an_operator_that_is_lost_is_not_obeyed_any_more(begun: Desk) -> None:
    operator = begun.service.registry.by_name("OPS")
    assert operator is not None and operator.connection is not None
    connection, flush = operator.connection, begun.service.flush

    def losing() -> None:
        begun.service._out.lose(connection, wire.Reason.DISCONNECTED)
        flush()

    begun.service.flush = losing
    begun.service.other(operator.number, memoryview(wire.pack_commands(limit(1, price=6_000))))
    assert not (journaled(begun)["session"] == operator.number).any()


def test_looking_for_room_tells_first(begun: Desk) -> None:
    """Preparing waits for the disk; what it waited for must not stay untold until something else happens."""
    room = begun.service.room
    begun.exchange.writer._next.blocked, begun.exchange.writer._next.prepared = True, 0
    already = len(begun.socket.frames)
    assert room.look(1 << 62) is SpaceState.OK
    assert not begun.exchange.has_begun
    assert len(begun.socket.frames) > already


def test_whose_key_is_over_is_answered_first(begun: Desk) -> None:
    alpha = begun.service.registry.by_name("ALPHA")
    assert alpha is not None and alpha.connection is not None
    alpha.connection.key = "of yesterday"
    already = len(begun.socket.frames)
    begun.service.cut_revoked()
    assert begun.socket.frames[already].type == FrameType.EVENTS
