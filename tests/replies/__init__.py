"""Odd replies of servers, one file each; tests/test_replies.py runs them all.

A file's docstring says what is odd; SEEN where it was seen (a server, or a public tracker with the number), and RUNS
what the command must show. To add a reply, add a file: `everywhere(...)` for one that every command can get, `Run` for
a conversation of several requests. `case` says what both take.
"""
