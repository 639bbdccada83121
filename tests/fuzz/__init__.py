"""Inputs and moments that nobody would choose, tried many times: `python -m tests.fuzz.NAME`."""
