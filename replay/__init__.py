"""Replay of journals."""
