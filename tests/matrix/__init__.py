"""What goes wrong, in every command: the faults are in the files of this folder, what comes of them in `outcomes/`.

A case is one fault in one command, and its outcome is compared whole: exit code, stdout, stderr, what is kept.
`python -m tests.matrix` runs the cases and prints what changed; with `--write` it writes the outcomes, and the page
`docs/reliability.md` that is made from them. To add a fault, add a `Fault` to the file of its kind, write the outcomes,
and read them in the diff: what is written there is what is promised.
"""
