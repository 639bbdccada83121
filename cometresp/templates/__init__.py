"""Prompts that are kept in files, with flags and variables: `--template NAME`.

braces    Text with {variables} -> its pieces.
places    Where templates are: their folder, their names, the file of one.
rows      A template whose variables have other values in each row of a table: `batch`.
suggestions  Names and variables of templates for a shell's completion; none where they can't be read.
template  A file -> a template: its prompt, its flags, its variables. Checked whole, before any of it is used.
tools     The tools that a template's JSON brings: none may name a variable of the environment.
use       A template with the values of its variables: the flags and the prompt of a command line.
"""
