"""README.md, docs/ and the help pages: their examples are run, and what is made from the code is compared with it.

examples  The shell examples of README.md and docs/, statement by statement.
flags     `python -m tests.docs.flags` shows whether the tables of docs/flags.md are stale, `--write` writes them.
helped    The help pages as the program makes them, without running it.
place     A folder with the files that examples name, and a shell in it that runs them.
table     Which examples aren't run, and why; the files; what is replaced.
"""
