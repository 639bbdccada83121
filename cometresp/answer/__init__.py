"""The reducer: what a sequence of events amounts to, and what that means.

answer   The one reducer: what a sequence of events amounts to. No network, no terminal, no clock.
extract  `--extract` and `--extract-last`: a fenced code block of an answer, found as CommonMark has it.
         Pure.
items    The items and parts of an answer, as the events so far leave them (API 6.3, 6.4, 7.3).
verdict  What an ended answer amounts to: the error, and with it the exit code (docs/exit-codes.md).
"""
