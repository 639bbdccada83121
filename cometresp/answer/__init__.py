"""The reducer: what a sequence of events amounts to, and what that means.

answer   The reducer: it builds one answer from a sequence of events. No network, no terminal, no clock.
extract  `--extract` and `--extract-last`: a fenced code block of an answer, by the rules of CommonMark.
         Pure.
items    The items and parts of an answer, built from the events so far (API 6.3, 6.4, 7.3).
verdict  The error of an ended answer, and with it the exit code (docs/exit-codes.md).
"""
