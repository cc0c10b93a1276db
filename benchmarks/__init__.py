"""Measurements against named peers, in one run, as ratios. ``python -m benchmarks --help``.

Never part of the tests: a figure depends on the machine, a test may not.
"""
