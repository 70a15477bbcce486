"""Tests of the ground floor: the rules, the records, the two engines."""
