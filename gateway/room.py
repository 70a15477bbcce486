"""Room in the journal: whether orders are taken, only cancels, or nothing more.

The writer knows how full its segment is and whether the next one could be prepared (`JournalWriter.space`). Here that
becomes what the gateway does: said once when it changes, looked at on the tick and when half of a segment or nine
tenths of it have been passed, never at every batch. While the disk is full the preparation is tried again every second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from replay.writer import JournalWriter, Space, SpaceState

RETRY_NS: Final = 1_000_000_000
STEPS: Final = 4
"""Steps of the next segment prepared on one tick once the disk has room again."""
MIB: Final = 1 << 20


class Room:
    """Watches one writer's room.

    Args:
        writer: the journal's.
        settle: tells of what is on its way to the disk. To prepare waits for that, and it must not stay untold.
        say: takes lines for the operator.

    Attributes:
        state: OK, DRAIN (cancels only) or HALT (stop).
    """

    def __init__(self, writer: JournalWriter, settle: Callable[[], None], say: Callable[[str], None]) -> None:
        self._writer = writer
        self._settle = settle
        self._say = say
        self._retry_at = 0
        self._warned = False
        self.state = SpaceState.OK
        self._segment = 0
        self._mark = 0

    @property
    def is_due(self) -> bool:
        """Whether the journal has passed a point at which the state may change."""
        at = self._writer.position
        return at.offset >= self._mark or at.segment != self._segment

    def look(self, now: int) -> SpaceState:
        """The state at monotonic time `now` (ns), after trying to make room when that is due."""
        space = self._writer.space()
        if (space.blocked or self.state is not SpaceState.OK) and not space.ready and now >= self._retry_at:
            self._settle()
            self._writer.prepare(STEPS)
            space = self._writer.space()
            if space.blocked:
                self._retry_at = now + RETRY_NS
        before, self.state = self.state, self._judge(space)
        marks = (space.segment_bytes // 2, space.segment_bytes * 9 // 10)
        self._mark = next((at for at in marks if at > space.used), 1 << 62)
        self._segment = self._writer.position.segment
        self._tell(before, space)
        return self.state

    def _judge(self, space: Space) -> SpaceState:
        if space.ready or space.used * 2 < space.segment_bytes:
            return SpaceState.OK
        # One step prepared is not yet a segment: what was refused stays refused until there is one.
        return self.state if space.state is SpaceState.OK else space.state

    def _tell(self, before: SpaceState, space: Space) -> None:
        left = f"{(space.segment_bytes - space.used) / MIB:.1f} MiB left in the journal's present file"
        if self.state is before:
            if space.blocked and not self._warned and self.state is SpaceState.OK:
                self._warned = True
                self._say(f"The disk is nearly full: the journal's next file cannot be prepared, {left}. Free space")
            elif not space.blocked:
                self._warned = False
        elif self.state is SpaceState.OK:
            self._warned = False
            self._say("The disk has room again: orders are taken")
        elif self.state is SpaceState.DRAIN:
            self._say(f"The disk is full: orders are refused, cancels are taken, {left}. Free space")
        else:
            self._say(f"The disk is full, {left}: the venue stops now. Free space, then start again")
