"""Benchmarks: each measures a figure and, in the same run, the yardstick that it is compared with."""
