"""What can be typed: the flags, the arguments, and what they amount to.

arguments  The declaration that `ask`, `stream` and `continue` share: its type, and the call that ends it.
asked      One command line of `ask`, `stream` and `continue`, and the contradictions in it.
spread     Lets a Typer command take named tuples of options: Typer sees their fields, the command gets the
           objects.
tables     The shared options: each field with its type, flags, help, panel and, where it is one value, its
           path in the request.
values     Which format an answer is printed in, decided before anything is read or sent.
"""
