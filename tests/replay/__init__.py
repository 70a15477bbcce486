"""Tests of the journal and its replays."""
