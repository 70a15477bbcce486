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
                "            path = self._keep(batch)\n",
                "            return events\n            path = self._keep(batch)\n",
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

FAULTS: list[Fault] = [*JOURNAL, *SIGHT]
