"""Measured ratios against what a user would pick instead. Run all with ``make bench``, one with ``python -m benchmarks NAME``."""
