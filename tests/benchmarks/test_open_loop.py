"""The open loop against simulated servers and a clock of its own, so that every latency is known in advance."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest

from benchmarks import open_loop
from benchmarks.gateway_load import LoadError
from benchmarks.knee import Step, fault, find
from benchmarks.open_loop import LEAD_NS, Arrival, Schedule, drive
from benchmarks.percentiles import summary

MS = 1_000_000


class Simulated:
    """One server that answers each frame after `service` ns, one after the other, and stands still in `stalls`.

    Nothing but its own clock moves time: sleeping, and `cost` ns for each sending.
    """

    def __init__(self, service: int, stalls: tuple[tuple[int, int], ...] = (), batch: int = 1, cost: int = 0) -> None:
        self.time = 0
        self.service, self.stalls, self.batch, self.cost = service, stalls, batch, cost
        self.free_at = 0
        self.answers: deque[tuple[int, int]] = deque()

    def now(self) -> int:
        return self.time

    def send(self, channel: int) -> None:
        self.time += self.cost
        begin = max(self.free_at, self.time)
        for stop, go in self.stalls:
            if begin < go and begin + self.service > stop:
                begin = go
        self.free_at = begin + self.service
        self.answers.append((self.free_at, channel))

    def arrivals(self, wait: int):
        if self.answers and self.answers[0][0] <= self.time + wait:
            self.time = max(self.time, self.answers[0][0])
        else:
            self.time += wait
        while self.answers and self.answers[0][0] <= self.time:
            yield Arrival(self.answers.popleft()[1], self.batch, self.time)


def closed_loop(server: Simulated, count: int) -> list[int]:
    """What a client measures that waits for each answer before it sends again."""
    taken = []
    for _ in range(count):
        begun = server.now()
        server.send(0)
        while not list(server.arrivals(MS)):
            pass
        taken.append(server.now() - begun)
    return taken


def test_an_idle_server_answers_in_its_service_time():
    outcome = drive(Simulated(service=MS // 5), Schedule(interval=MS, count=100, channels=1))
    assert outcome.latency.tolist() == [MS // 5] * 100
    assert outcome.late.tolist() == [0] * 100
    assert (outcome.offered, outcome.achieved, outcome.overrun) == (1_000.0, 1_000.0, False)
    assert outcome.behind == pytest.approx(0.0002)


def test_a_stall_is_seen_by_every_frame_that_was_due_in_it():
    """A frame a millisecond for two seconds; from 1.0 to 1.5 s the server stands still; 0.1 ms of service.

    The frame due k ms into the stall waits 500 - k ms, and then for the k frames before it (0.1 ms each) and itself.
    Behind the stall the queue of n frames shrinks by nine tenths of a frame a millisecond.
    """
    stall = (LEAD_NS + 1_000 * MS, LEAD_NS + 1_500 * MS)
    outcome = drive(Simulated(MS // 10, (stall,)), Schedule(interval=MS, count=2_000, channels=1))
    by_frame = outcome.latency.tolist()  # one channel: answers come in the order of the frames
    assert by_frame[999] == MS // 10
    for k in (0, 1, 250, 499):
        assert by_frame[1_000 + k] == (500 - k) * MS + (k + 1) * MS // 10
    assert by_frame[1_500 + 55] == (556 * MS) // 10 - 55 * MS  # 500 + 55 frames before it, 55 ms after the stall
    assert by_frame[1_999] == MS // 10
    late = sum(1 for value in by_frame if value > MS)
    assert 550 <= late <= 556
    assert max(by_frame) == 500 * MS + MS // 10


def test_a_client_that_waits_for_answers_hides_the_same_stall():
    """Coordinated omission: of as many requests one is slow, so its percentiles say that all is well."""
    stall = (1_000 * MS, 1_500 * MS)
    hidden = summary(closed_loop(Simulated(MS, (stall,)), 2_000))
    assert (hidden["p99"], hidden["p99.9"], hidden["max"]) == (1_000.0, 1_000.0, 501_000.0)
    seen = summary(
        drive(
            Simulated(MS, (tuple(LEAD_NS + at for at in stall),)),  # type: ignore[arg-type]
            Schedule(interval=2 * MS, count=1_000, channels=1),
        ).latency
    )
    assert seen["p90"] >= 250_000
    assert seen["p99"] >= 400_000


def test_a_sender_that_comes_late_is_counted_in():
    """Sending costs 3 ms, a frame is due each 2 ms: the n-th leaves n ms late and its latency has that in it."""
    outcome = drive(Simulated(service=0, cost=3 * MS), Schedule(interval=2 * MS, count=20, channels=1))
    assert outcome.late.tolist() == [n * MS for n in range(20)]
    assert (outcome.latency >= outcome.late + 3 * MS).all()


def test_channels_take_turns_and_parts_of_a_frame_do_not_count():
    server = Simulated(service=MS // 5, batch=8)
    outcome = drive(server, Schedule(interval=MS, count=30, channels=3, batch=16))
    assert outcome.overrun  # each frame has had only half of its answers when the run is given up
    whole = drive(Simulated(service=MS // 5, batch=16), Schedule(interval=MS, count=30, channels=3, batch=16))
    assert whole.latency.tolist() == [MS // 5] * 30
    assert whole.offered == whole.achieved == 16_000.0


def test_an_overrun_ends_and_counts_what_was_not_answered():
    """Twice as many as can be served: the run is given up when 100 wait, and they count with their age."""
    schedule = Schedule(interval=MS, count=10_000, channels=1, most_waiting=100)
    outcome = drive(Simulated(service=2 * MS), schedule)
    assert outcome.overrun
    answered = len(outcome.answered_at)
    assert len(outcome.latency) == answered + 101
    assert outcome.achieved == pytest.approx(500, rel=0.05)
    assert outcome.latency[answered:].max() == pytest.approx(101 * MS, rel=0.05)


def test_a_run_that_does_not_end_in_time_is_an_overrun():
    outcome = drive(Simulated(service=50 * MS), Schedule(interval=MS, count=20, channels=1, grace=100 * MS))
    assert outcome.overrun
    # All were due after 20 ms, so 120 ms are given; the run is looked at each 50 ms.
    assert outcome.answered_at.tolist() == [50 * MS, 100 * MS, 150 * MS]


def test_silence_is_an_error(monkeypatch):
    monkeypatch.setattr(open_loop, "SILENCE_NS", 50 * MS)
    silent = Simulated(service=10**15)
    with pytest.raises(LoadError, match="frames are without an answer"):
        drive(silent, Schedule(interval=MS, count=10_000, channels=1, grace=10**15))


def test_an_answer_too_many_is_an_error():
    with pytest.raises(LoadError, match="answers too many"):
        drive(Simulated(service=0, batch=2), Schedule(interval=MS, count=3, channels=1))


def test_a_schedule_at_a_rate():
    schedule = Schedule.at_rate(8_000, 2.0, channels=4, batch=16, grace=0.5)
    assert (schedule.interval, schedule.count, schedule.grace) == (2e6, 1_000, 500 * MS)
    assert [schedule.due(n) for n in (0, 1, 999)] == [0, 2 * MS, 1_998 * MS]


# The knee


def step(rate: float, p50: float = 100.0, behind: float = 0.0, overrun: bool = False) -> Step:
    return Step(rate, 2.0, behind, p50, overrun)


def test_what_holds():
    slowest = step(100, p50=2_000)
    assert not fault(step(1_000, p50=10_000), slowest)
    assert "times that of the slowest" in fault(step(1_000, p50=10_001), slowest)
    assert not fault(step(1_000, p50=5_000), step(100, p50=1))  # below 5 ms a median is no sign of a queue
    assert not fault(step(1_000, behind=0.06), slowest)
    assert fault(step(1_000, behind=0.061), slowest) == "the last answer came 61 ms after its frame was due"
    assert fault(step(1_000, overrun=True), slowest) == "answers did not keep up"


def test_the_knee_is_doubled_up_to_and_bisected():
    """A server that keeps up with 1,000: 100, 200, 400, 800 hold, 1,600 does not, then the middle of the ratio."""
    asked: list[float] = []

    def run(rate: float) -> Step:
        asked.append(round(rate))
        return step(rate, overrun=rate > 1_000)

    knee = find(run, 100, refine=2)
    assert asked == [100, 200, 400, 800, 1_600, 1_600, 1_131, 1_131, 951]
    assert knee.rate == pytest.approx(800 * 2**0.25)
    assert knee.why == "answers did not keep up"
    assert [held for _, held in knee.steps] == [True, True, True, True, False, False, False, False, True]


def test_one_bad_moment_is_no_knee():
    calls = []

    def run(rate: float) -> Step:
        calls.append(rate)
        return step(rate, overrun=len(calls) == 2 or rate > 450)

    assert find(run, 100, refine=0).rate == 400
    assert calls == [100, 200, 200, 400, 800, 800]


def test_ends_of_the_search():
    assert find(step, 100, most=500, refine=3).rate == 500
    none = find(lambda rate: step(rate, overrun=True), 100)
    assert (none.rate, len(none.steps)) == (0.0, 2)
    assert len(find(step, 1e-9).steps) == 24


def test_latencies_are_numbers_of_frames():
    assert drive(Simulated(service=1), Schedule(interval=MS, count=5, channels=2)).latency.dtype == np.int64
