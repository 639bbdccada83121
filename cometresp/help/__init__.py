"""The command line as a user meets it: its help, and what a mistake in it is answered with.

command   The classes of commands: how their words are read, and their help flags.
explain   Typer's errors -> errors that say what to type instead.
foreign   Flags and commands of other programs, and what stands for them here.
layout    A page of help -> text, printed.
mistakes  Command lines that can be read, but hardly mean what they say.
page      A command -> its page of help: the everyday flags, or all.
phrases   How help and messages write a flag, its value, and the words of a command line.
root      The page of the program as a whole, and what it answers without a command.
topics    The pages about exit codes and variables.
words     Which words of a command line are flags, their values, and words of the prompt.
"""
