"""The bytes of the journal. These literals may only change with the format's version."""

from __future__ import annotations

import hashlib
import struct
import zlib
from random import Random

import numpy as np
import pytest

from engine.schema import COMMAND, EVENT
from replay.errors import JournalCorrupt, NewerVersion, NotAJournal
from replay.format import (
    FrameEncoder,
    Genesis,
    Note,
    NoteKind,
    Position,
    SegmentHeader,
    frame_bytes,
    pack_notes,
    pack_watermark,
    unpack_notes,
    unpack_watermark,
)
from replay.scan import Walker
from tests.replay.fake_engine import VENUE, make_commands

pytestmark = pytest.mark.nojit
UUID = bytes(range(16))
CHAIN = bytes(range(100, 132))
AT = Position(segment=3, offset=512, batch=7, command=41, event=90, chain=CHAIN)


def two_events() -> np.ndarray:
    events = np.zeros(2, EVENT)
    events["kind"], events["sequence"], events["command_sequence"] = 1, [90, 91], 41
    return events


def test_batch_header_byte_by_byte() -> None:
    commands = make_commands(41, 1)
    view, chain = FrameEncoder(UUID).encode(AT, commands, two_events(), timestamp=41_000, previous_sent=40_500)
    frame = bytes(view)
    assert len(frame) == 512
    assert frame[0:4] == b"CBBT"
    assert frame[4:6] == b"\x01\x00"  # format version
    assert frame[6:8] == b"\x00\x00"  # flags
    assert frame[8:12] == b"\x00\x02\x00\x00"  # total length 512
    assert frame[12:16] == struct.pack("<I", 96 + 256)  # payload length
    assert frame[16:24] == b"\x07\x00\x00\x00\x00\x00\x00\x00"  # batch
    assert frame[24:32] == b"\x29\x00\x00\x00\x00\x00\x00\x00"  # first command sequence
    assert frame[32:40] == b"\x5a\x00\x00\x00\x00\x00\x00\x00"  # first event sequence
    assert frame[40:56] == struct.pack("<4I", 1, 2, 0, 3)  # commands, events, notes, segment
    assert frame[56:64] == struct.pack("<q", 41_000)  # timestamp
    assert frame[64:72] == struct.pack("<q", 40_500)  # previous batch sent
    assert frame[72:88] == UUID
    assert frame[88:120] == CHAIN
    assert frame[120:124] == b"\0\0\0\0"
    assert frame[124:128] == struct.pack("<I", zlib.crc32(frame[:124]))
    assert frame[128:224] == commands.tobytes()
    assert frame[224:480] == two_events().tobytes()
    assert frame[480:496] == b"\xff" * 16  # padding
    assert chain == hashlib.sha256(frame[:480]).digest()
    assert frame[496:504] == chain[:8]
    assert frame[504:512] == b"\xffCBEND1\xff"


def test_the_golden_batch() -> None:
    """The whole frame, so that no release can read or write it differently."""
    frame, chain = FrameEncoder(UUID).encode(AT, make_commands(41, 1), two_events(), b"", 0, 41_000, 40_500)
    assert hashlib.sha256(frame).hexdigest() == "93560fc6f08bae6260453253352d60d3ef6f868eecf80dda5c7c1ce753dc40cc"
    assert chain.hex() == "d25cb739930842a1c9a54c097ad32def90107a5d03bce1d7378ec006a763f47b"


def test_segment_header_byte_by_byte() -> None:
    header = SegmentHeader(UUID, 3, 65536, 7, 41, 90, 1_700_000_000, CHAIN, b"carbonbook 9")
    data = header.pack()
    assert len(data) == 512
    assert data[0:8] == b"CBSEGMNT"
    assert data[8:16] == struct.pack("<HHI", 1, 0, 512)  # version, flags, align
    assert data[16:32] == UUID
    assert data[32:80] == struct.pack("<QQQqqq", 3, 65536, 7, 41, 90, 1_700_000_000)
    assert data[80:112] == CHAIN
    assert data[112:144] == b"carbonbook 9" + bytes(20)
    assert data[144:508] == bytes(364)
    assert data[508:512] == struct.pack("<I", zlib.crc32(data[:508]))
    assert SegmentHeader.unpack(data, "x") == header


def test_genesis_byte_by_byte() -> None:
    venue = VENUE.to_json()
    data = Genesis(venue, UUID, 1_700_000_000, "async", 1 << 20).pack()
    assert data[0:8] == b"CBGENSIS"
    assert data[8:16] == struct.pack("<HHI", 1, 1, 4)  # format version, flags: async, schema version
    assert data[16:32] == UUID
    assert data[32:48] == struct.pack("<qQ", 1_700_000_000, 1 << 20)
    assert data[48:56] == struct.pack("<II", 512, len(venue))
    assert data[56:88] == hashlib.sha256(venue).digest()
    assert data[88:508] == bytes(420)
    assert data[508:512] == struct.pack("<I", zlib.crc32(data[:508]))
    assert data[512:] == venue
    genesis = Genesis.unpack(data, "x")
    assert genesis.venue == VENUE
    assert genesis.durability == "async"
    assert genesis.chain == hashlib.sha256(data).digest()


def test_watermark_byte_by_byte() -> None:
    data = pack_watermark(UUID, 7, 41, 91, 3, 1024)
    assert data[0:8] == b"CBWM" + struct.pack("<I", 3)
    assert data[8:24] == UUID
    assert data[24:60] == struct.pack("<QqqQI", 7, 41, 91, 1024, 0)
    assert data[60:64] == struct.pack("<I", zlib.crc32(data[:60]))
    assert unpack_watermark(data, UUID) == (7, 41, 91, 3, 1024)
    assert unpack_watermark(data, bytes(16)) is None
    assert all(unpack_watermark(data[:i] + bytes([data[i] ^ 1]) + data[i + 1 :], UUID) is None for i in range(64))


def test_note_byte_by_byte() -> None:
    commands = make_commands(1, 3)
    data = pack_notes([Note(NoteKind.MESSAGE, b"hello", 1, 2)], commands)
    assert data[0:16] == struct.pack("<HHIII", 3, 0, 1, 2, 5)
    assert data[16:48] == hashlib.sha256(b"hello" + commands[1:3].tobytes()).digest()
    assert data[48:] == b"hello\xff\xff\xff"


@pytest.mark.parametrize("size", [0, 1, 255, 256, 510, 511, 512, 1021, 1022, 1023, 5000, 100_000])
def test_notes_come_back_and_never_look_unwritten(size: int) -> None:
    commands = make_commands(1, 2)
    notes = (Note(NoteKind.SNAPSHOT, bytes(size)), Note(NoteKind.TEXT, b"x" * size, 0, 2), Note(NoteKind.SEAL, b""))
    packed = pack_notes(notes, commands)
    assert unpack_notes(packed, 3, commands) == notes
    frame, _ = FrameEncoder(UUID).encode(AT, commands, np.zeros(0, EVENT), packed, 3)
    assert np.frombuffer(frame, np.uint8).reshape(-1, 512).any(axis=1).all()


def test_a_note_is_bound_to_its_commands() -> None:
    packed = pack_notes([Note(NoteKind.MESSAGE, b"deposit", 0, 2)], make_commands(1, 2))
    with pytest.raises(ValueError, match="checksum"):
        unpack_notes(packed, 1, make_commands(1, 2, salt=1))
    with pytest.raises(ValueError, match="batch of 2 commands"):
        pack_notes([Note(NoteKind.MESSAGE, b"", 1, 2)], make_commands(1, 2))


@pytest.mark.parametrize("count", [1, 2, 7, 100, 1024])
def test_no_sector_of_a_frame_is_all_zero(count: int) -> None:
    commands = np.zeros(count, COMMAND)
    commands["sequence"] = np.arange(1, count + 1)
    events = np.zeros(2 * count, EVENT)
    events["kind"] = 1
    frame, _ = FrameEncoder(UUID).encode(AT._replace(command=1), commands, events)
    assert len(frame) == frame_bytes(count * (96 + 256))
    assert np.frombuffer(frame, np.uint8).reshape(-1, 512).any(axis=1).all()


def test_a_batch_comes_back() -> None:
    random, at, data = Random(4), AT, b""
    encoder = FrameEncoder(UUID, capacity=512)
    wanted = []
    for _ in range(30):
        commands = make_commands(at.command, random.randint(0, 20))
        events = np.zeros(random.randint(0, 30), EVENT)
        events["sequence"] = at.event + np.arange(len(events))
        events["kind"] = 2
        notes = (Note(NoteKind.TEXT, b"n" * random.randint(0, 900)),)
        frame, chain = encoder.encode(at, commands, events, pack_notes(notes, commands), 1, 77, 66)
        wanted.append((at, commands, events, notes, chain))
        at = Position(
            3, at.offset + len(frame), at.batch + 1, at.command + len(commands), at.event + len(events), chain, 77
        )
        data += bytes(frame)
    walker = Walker(data + bytes(1024), AT, UUID, 512)
    for batch, (position, commands, events, notes, chain) in zip(walker, wanted, strict=True):
        assert (batch.segment, batch.offset, batch.number) == (3, position.offset, position.batch)
        assert batch.commands.tobytes() == bytes(batch.command_bytes) == commands.tobytes()
        assert batch.events.tobytes() == bytes(batch.event_bytes) == events.tobytes()
        assert (batch.notes, batch.chain, batch.timestamp, batch.previous_sent) == (notes, chain, 77, 66)
        assert batch.last_command == position.command + len(commands) - 1
        assert batch.last_event == position.event + len(events) - 1
        assert not batch.commands.flags.writeable
    assert walker.position == at


def test_genesis_refusals() -> None:
    good = Genesis(VENUE.to_json(), UUID, 1).pack()
    with pytest.raises(NotAJournal):
        Genesis.unpack(b"something else", "here")
    newer = bytearray(good)
    newer[8] = 2
    with pytest.raises(NewerVersion, match="format 2"):
        Genesis.unpack(bytes(newer), "here")
    with pytest.raises(NewerVersion, match="record schema 99"):
        Genesis.unpack(Genesis(VENUE.to_json(), UUID, 1, schema_version=99).pack(), "here")
    for at in range(8, len(good)):
        broken = bytearray(good)
        broken[at] ^= 0x10
        with pytest.raises((JournalCorrupt, NewerVersion)):
            Genesis.unpack(bytes(broken), "here")
