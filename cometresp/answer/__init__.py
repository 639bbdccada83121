"""The reducer: what a sequence of events amounts to, and what that means.

answer   The reducer: it builds one answer from a sequence of events. No network, no terminal, no clock.
extract  `--extract` and `--extract-last`: a fenced code block of an answer, by the rules of CommonMark.
         Pure.
index    The items of an answer, found by their index, their id, or as the one that was opened last (API
         7.3.2, 12.2).
items    The items and parts of an answer, built from the events so far (API 6.3, 6.4, 7.3).
reader   The text of an answer as it comes: in the order of the output, each message on a line of its
         own, nothing twice.
verdict  The error of an ended answer, and with it the exit code (docs/exit-codes.md).
"""
