"""What can be typed: the flags, the arguments, and what they amount to.

arguments  The arguments and flags that several commands share.
asked      One command line of `ask`, `stream` and `continue`, and the contradictions in it.
batch      The flags of `batch` alone: how the input is read, how many requests are made at once, what ends or
           resumes a run.
everyday   The flags that most command lines need, as `-h` shows them.
fields     What is said of a field of a table: its type, its option, and its path in the request.
spread     A Typer command that takes named tuples of options: Typer sees their fields, the command gets
           the tuples.
tables     The shared options: each field with its type, flags, help, panel and, where it is one value, its
           path in the request.
values     Flags -> values: the headers and limits that they set.
"""
