"""Tests of carbonbook."""
