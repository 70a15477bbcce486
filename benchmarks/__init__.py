"""Benchmarks of the engine and the gateway."""
