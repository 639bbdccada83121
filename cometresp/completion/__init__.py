"""What a shell offers at TAB: the program is asked, and answers with lines that the shell only has to insert.

answer   The answer to a shell's request: the place on the line, what can stand there, quoted for the shell.
lines    A command line as a shell reads it, up to the cursor: its words, and the one that is completed. Pure.
offers   What can stand at a place: commands, flags, and the values of flags and arguments.
quoting  Values as a shell inserts them, inside the quotes that are open. Pure.
values   The values of flags: words, names of files, and text behind an `@`.
"""
