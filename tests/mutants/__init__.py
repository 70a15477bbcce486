"""Seeded faults: each breaks one rule on purpose, and the tests taken from that rule's source must notice.

`python -m tests.mutants` plants one fault after the other in copies of the sources and runs the tests it names.
"""
