"""Faults on a command's way: replies, syncs, recovery, and who is shown what. What exists once, once."""

from __future__ import annotations

from tests.mutants.fault import Fault, path

JOURNAL = [
    path(
        "reply_before_append",
        "no reply leaves before its batch is durable (docs/journal.md): here it is journaled with the next one",
        [
            (
                "gateway/exchange.py",
                "            self.writer.append(batch, events, made)\n",
                '            held = getattr(self, "_held", None)\n'
                "            self._held = batch.copy(), events.copy(), made\n"
                "            if held is not None:\n"
                "                self.writer.append(*held)\n",
            )
        ],
        [
            "gateway/test_reply_after_sync::test_every_answer_stands_behind_its_sync",
            "gateway/test_reply_after_sync::test_no_answer_while_the_journal_writes",
        ],
    ),
    path(
        "reply_despite_a_failed_append",
        "a batch that the journal refused is answered by nobody (docs/journal.md)",
        [
            (
                "gateway/exchange.py",
                "            raise self._surprise([batch], error) from error\n"
                "        self.command_sequence += len(batch)\n        self.event_sequence += len(events)\n"
                "        self._latest",
                "            return events\n        self.command_sequence += len(batch)\n"
                "        self.event_sequence += len(events)\n        self._latest",
            )
        ],
        ["gateway/test_reply_after_sync::test_no_answer_when_the_journal_fails"],
    ),
    path(
        "sync_before_write",
        "a batch is one write, then one sync (docs/journal.md): here the sync comes too early",
        [
            (
                "replay/writer.py",
                "            self.storage.write_all(self._file, frame, offset)\n"
                "            if self._sync:\n                self.storage.fdatasync(self._file)\n",
                "            if self._sync:\n                self.storage.fdatasync(self._file)\n"
                "            self.storage.write_all(self._file, frame, offset)\n",
            )
        ],
        [
            "replay/test_crash_lives::test_thousands_of_lives",
            "gateway/test_reply_after_sync::test_every_answer_stands_behind_its_sync",
        ],
    ),
    path(
        "sync_left_out",
        "append returns only after the sync (docs/journal.md)",
        [("replay/writer.py", "            if self._sync:\n                self.storage.fdatasync(self._file)\n", "")],
        [
            "replay/test_crash_lives::test_thousands_of_lives",
            "gateway/test_reply_after_sync::test_every_answer_stands_behind_its_sync",
        ],
    ),
    path(
        "torn_batch_accepted",
        "a batch whose end is missing is no batch (docs/journal.md, recovery table)",
        [
            (
                "replay/scan.py",
                "    return data[marker:stop] == chain[:8] + END_MAGIC and data[end:marker] == PAD[: marker - end]\n",
                "    return marker > 0\n",
            ),
            (
                "replay/stretch.py",
                "    fine = (markers[:, 0] == hashes[:, 0]) & (markers[:, 1] == _END)\n",
                "    fine = markers[:, 0] == markers[:, 0]\n",
            ),
        ],
        ["replay/test_crash_lives::test_thousands_of_lives", "replay/test_recovery_table::test_torn"],
    ),
    path(
        "acknowledged_batch_dropped",
        "a torn batch that was acknowledged is refused, never dropped (docs/journal.md, recovery table)",
        [
            ("replay/scan.py", "    if position.batch <= watermark:\n", "    if position.batch < 0:\n"),
            ("replay/chain.py", "        if self.position.batch <= self.watermark:\n", "        if False:\n"),
        ],
        ["replay/test_recovery_table::test_torn_but_acknowledged"],
    ),
    path(
        "clean_copy_not_synced",
        "recovery syncs the last segment's copy before it takes the old one's place (docs/journal.md)",
        [("replay/recovery.py", "        storage.fdatasync(handle)\n    finally:\n", "    finally:\n")],
        ["replay/test_crash_lives::test_thousands_of_lives"],
    ),
    path(
        "new_segment_name_not_synced",
        "a new segment's name is durable before anything is written into it (docs/journal.md)",
        [
            (
                "replay/writer.py",
                "segment_name(after.segment))\n            self.storage.fsync_directory()\n",
                "segment_name(after.segment))\n",
            )
        ],
        ["replay/test_crash_lives::test_thousands_of_lives"],
    ),
    path(
        "failed_sync_forgiven",
        "after a failed write or sync the writer refuses everything (docs/journal.md)",
        [
            (
                "replay/writer.py",
                "            raise JournalFailure(self._failure) from error\n        raise error\n",
                '            self._failure, told = "", self._failure\n'
                "            raise JournalFailure(told) from error\n        raise error\n",
            )
        ],
        ["replay/test_crash_lives::test_thousands_of_lives"],
    ),
    path(
        "digest_not_compared",
        "a journaled digest must be that of the state (docs/journal.md, recovery table: DIVERGED)",
        [("replay/execute.py", "        if digest != chunk.digest:\n", "        if False:\n")],
        ["replay/test_recovery_table::test_a_wrong_digest_diverges"],
    ),
]

BESIDE = [
    path(
        "told_when_begun",
        "a batch on its way to the disk is answered by nobody (docs/journal.md)",
        [
            (
                "gateway/exchange.py",
                "        self._begun.append(Begun(number, batch, events, tell))\n",
                "        self._begun.append(Begun(number, batch, events, lambda _: None))\n        tell(events)\n",
            )
        ],
        [
            "gateway/test_reply_after_sync::test_under_load_too_every_answer_stands_behind_its_sync",
            "gateway/test_reply_after_sync::test_whatever_comes_next_the_batch_on_its_way_is_answered_first",
        ],
    ),
    path(
        "order_overtakes_the_disk",
        "what is committed at once stands behind what is on its way, and is answered after it (gateway/exchange.py)",
        [
            (
                "gateway/exchange.py",
                "        self.settle()\n        sequence, timestamp = self.stamp()\n",
                "        sequence, timestamp = self.stamp()\n",
            )
        ],
        ["gateway/test_reply_after_sync::test_many_at_once_wait_for_what_is_on_its_way"],
    ),
    path(
        "one_unsettled_batch_not_kept",
        "every command that is not durable is kept for a report (docs/operations.md)",
        [
            (
                "gateway/exchange.py",
                "        return [begun.batch for begun in self._begun if",
                "        return [begun.batch for begun in list(self._begun)[1:] if",
            )
        ],
        ["gateway/test_reply_after_sync::test_no_answer_when_the_disk_fails_behind_the_loop"],
    ),
    path(
        "buffers_let_go_too_early",
        "what the thread writes stays as it is until it has said so (replay/beside.py)",
        [
            (
                "replay/beside.py",
                "(error,) = RESULT.unpack(os.read(self.descriptor, RESULT.size))\n        self._begun.popleft()",
                "self._begun.popleft()\n        (error,) = RESULT.unpack(os.read(self.descriptor, RESULT.size))",
            )
        ],
        ["replay/test_beside::test_jobs_are_carried_out_in_order"],
    ),
    path(
        "written_behind_a_failure",
        "behind a batch that failed none is written any more (replay/beside.py)",
        [("replay/disk_loop.py", "            failed = error\n", "            failed = 0\n")],
        ["replay/test_beside::test_behind_a_failed_batch_nothing_is_written_any_more"],
    ),
    path(
        "gap_of_zeros_stops_the_journal",
        "a full disk found while preparing stops no batch (docs/journal.md)",
        [("replay/disk_loop.py", "        if words[7] > 0:\n            failed = error\n", "        failed = error\n")],
        ["replay/test_beside::test_a_piece_that_may_be_given_up_stops_nobody"],
    ),
]

LOST = [
    path(
        "due_taken_off_too_early",
        "transitions come in the calendar's order, whatever telling leads to (gateway/service.py)",
        [
            (
                "gateway/service.py",
                "            self.exchange.settle()\n            if (due := schedule.pop(clock.peek())) is not None:\n",
                "            if (due := schedule.pop(clock.peek())) is not None:\n"
                "                self.exchange.settle()\n",
            )
        ],
        [
            "gateway/test_lost_while_told::test_transitions_come_in_their_order_and_journal_time_never_goes_back",
            "gateway/test_lost_while_told::test_a_transition_is_taken_off_the_calendar_only_to_be_carried_out",
        ],
    ),
    path(
        "order_of_one_who_is_down",
        "what a session had sent is dropped when it goes down first (docs/session-protocol.md)",
        [("gateway/frames.py", "        if seat.connected == 0:\n            return -1\n", "")],
        ["gateway/test_lost_while_told::test_an_order_that_had_come_is_dropped_when_its_session_goes_down_before_it"],
    ),
    path(
        "room_eats_what_was_to_be_told",
        "what the disk has is told at once, whoever waited for it (gateway/room.py)",
        [("gateway/room.py", "            self._settle()\n", "")],
        ["gateway/test_lost_while_told::test_looking_for_room_tells_first"],
    ),
    path(
        "half_a_message_after_a_signal",
        "a signal does not end a message in the middle (gateway/sockets.py)",
        [
            (
                "gateway/sockets.py",
                "        if zmq_errno() != _INTERRUPTED:\n            return False\n",
                "        return False\n",
            )
        ],
        ["gateway/test_sockets::test_an_interrupted_call_is_made_again"],
    ),
    path(
        "durable_command_reported_as_lost",
        "the report of a stop names what is not durable, and nothing else (docs/operations.md)",
        [("gateway/exchange.py", " if begun.number >= self.writer.durable.batch]", "]")],
        ["gateway/test_reply_after_sync::test_what_is_durable_is_not_kept_as_if_it_were_not"],
    ),
]

FRAMES = [
    path(
        "used_number_taken",
        "a number at or below the session's last one is a duplicate (docs/session-protocol.md)",
        [("gateway/frames.py", "number <= seat.number or kind == QUOTE", "number < seat.number or kind == QUOTE")],
        ["gateway/test_intake::test_together_as_one_by_one"],
    ),
    path(
        "throttle_of_cancels_left_out",
        "orders and cancels have a throttle each, and a frame beyond one is refused whole (docs/session-protocol.md)",
        [
            (
                "gateway/frames.py",
                "seat.order_tokens < seat.orders or seat.cancel_tokens < seat.cancels",
                "seat.order_tokens < seat.orders",
            )
        ],
        ["gateway/test_intake::test_a_throttle_takes_all_or_nothing"],
    ),
    path(
        "tokens_taken_for_nothing",
        "a frame that has to be looked at for itself costs nobody anything (gateway/frames.py)",
        [
            (
                "gateway/frames.py",
                "        if made >= 0:\n            seat.order_tokens -= seat.orders\n",
                "        if True:\n            seat.order_tokens -= seat.orders\n",
            )
        ],
        ["gateway/test_intake::test_a_throttle_takes_all_or_nothing"],
    ),
    path(
        "credit_bought_with_a_lie",
        "a client that confirms more than it was sent is not believed (docs/session-protocol.md)",
        [
            (
                "gateway/seats.py",
                "    return so_far + ahead if so_far + ahead <= sent else so_far\n",
                "    return so_far + ahead\n",
            )
        ],
        ["gateway/test_intake::test_what_is_read_of_frames"],
    ),
    path(
        "acknowledged_before_the_last_page",
        "a number counts as acknowledged when all of its events have been sent (docs/session-protocol.md)",
        [
            (
                "gateway/answers.py",
                "_end_page(words, rows, seat, seat.acknowledged)",
                "_end_page(words, rows, seat, seat.consumed)",
            )
        ],
        ["gateway/test_answers::test_many_events_come_in_pages_and_only_the_last_one_acknowledges"],
    ),
    path(
        "halves_torn_apart",
        "both halves of a trade with oneself come in one frame (gateway/answers.py)",
        [("gateway/answers.py", " or (halves and seat.in_page == MAX_RECORDS - 1)", "")],
        ["gateway/test_answers::test_both_halves_of_a_trade_with_oneself_come_in_one_frame"],
    ),
    path(
        "a_session_away_misses_an_event",
        "what a session was to be told while it was away it can ask for again (docs/session-protocol.md)",
        [
            (
                "gateway/answers.py",
                "        seat.last_event = sequence\n",
                "        if seat.connected != 0:\n            seat.last_event = sequence\n",
            )
        ],
        ["gateway/test_answers::test_who_is_away_is_told_nothing_but_what_was_the_last"],
    ),
    path(
        "pushes_forgotten",
        "what concerns a firm is pushed to its sessions (gateway/routing.py)",
        [("gateway/answers.py", "        if pushed[events[i].kind]:\n            return -1\n", "        pass\n")],
        ["gateway/test_answers::test_events_that_firms_are_pushed_are_left_to_others_untouched"],
    ),
    path(
        "unconfirmed_without_end",
        "who leaves more than the credit unconfirmed is cut (docs/session-protocol.md)",
        [("gateway/sockets.py", "seat.sent_bytes - seat.confirmed_bytes > credit", "seat.sent_bytes < 0")],
        ["gateway/test_sockets::test_sending_ends_where_the_credit_is_used_up"],
    ),
    path(
        "second_payload_taken",
        "a message is exactly one payload frame (docs/session-protocol.md)",
        [("gateway/sockets.py", "        if _has_more(socket, option):\n", "        if False:\n")],
        ["gateway/test_frames::test_a_message_of_two_frames_is_refused"],
    ),
]

SIGHT = [
    path(
        "other_side_of_a_trade_shown",
        "each side gets its half, the other stays anonymous (gateway/routing.py)",
        [
            (
                "gateway/copies.py",
                "    c.contra_account = 0\n    c.contra_order_id = 0\n    c.contra_client_order_id = 0\n"
                "    c.contra_remaining = 0\n    c.contra_session = 0\n",
                "    pass\n",
            )
        ],
        [
            "gateway/test_routing::test_a_block_trade_comes_in_halves",
            "gateway/test_routing::test_an_auctions_trade_and_fee_come_in_halves_without_a_taker",
        ],
    ),
    path(
        "fee_of_the_other_side",
        "a FEE states its receiver's own fee (gateway/routing.py)",
        [("gateway/copies.py", "        if second:\n            c.aux = c.aux2\n", "")],
        ["gateway/test_routing::test_an_auctions_trade_and_fee_come_in_halves_without_a_taker"],
    ),
    path(
        "released_lock_shown_to_both",
        "who counters does not see what the other side gets back (gateway/routing.py)",
        [("gateway/copies.py", "    if c.kind == EventKind.BLOCK_COUNTERED:\n        c.aux2 = 0\n", "")],
        ["gateway/test_routing::test_a_counter_offer_goes_to_both_parties"],
    ),
    path(
        "sender_told_the_owners_number",
        "who ended another session's order is told its own number, not the owner's (gateway/routing.py)",
        [("gateway/copies.py", "    c.client_order_id = c.contra_client_order_id\n", "")],
        ["gateway/test_routing::test_ends_and_changes_name_who_caused_them"],
    ),
    path(
        "sealed_bids_listed",
        "bids are sealed: a firm sees its own alone (docs/blocks-and-auctions.md section 8, AUCTION_BID)",
        [
            (
                "gateway/register_queries.py",
                "_page(rows, self._owned(rows, session), after)",
                '_page(rows, rows["id"] > 0, after)',
            )
        ],
        ["gateway/test_mechanisms::test_a_sealed_auction"],
    ),
    path(
        "named_offer_listed_for_all",
        "a named negotiation is seen by its two firms (docs/blocks-and-auctions.md section 7; rule book, B2)",
        [("gateway/register_queries.py", '(rows["counterparty"] == 0) | (', '(rows["counterparty"] >= 0) | (')],
        ["gateway/test_mechanisms::test_a_dialogue_until_both_agree"],
    ),
    path(
        "public_offer_with_a_name",
        "a public offer of another firm is anonymous (gateway/wire_registers.py, NegotiationData)",
        [("gateway/register_queries.py", 'account=int(row["account"]) if shown else 0', 'account=int(row["account"])')],
        ["gateway/test_mechanisms::test_a_public_offer_is_anonymous_and_cannot_be_spoilt"],
    ),
]

FAULTS: list[Fault] = [*JOURNAL, *BESIDE, *LOST, *FRAMES, *SIGHT]
