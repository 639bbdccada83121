"""A run of a command that talks to a model: from what was asked to the exit code.

conclude  What a whole answer is put to at its end: the check against its schema, and the block that
          `--extract` takes out.
display   How a command shows and records its exchanges, and ends: shared by the asking commands and `get`.
dry_run   `--dry-run` and `--curl`: the request, shown instead of sent.
exchange  The loop: events -> answer -> renderer; and what an ended answer means as an exit code (design
          section 4).
fetch     A run of `get`: a response fetched once, waited for, followed, or taken from the record.
files     Files that a command writes: `--output FILE`, whole or not at all (design section 3), and `--save-
          images DIR`.
lookup    What the commands about one response share: which one is meant, and what a server's refusal says
          about it.
outputs   The outputs of calls that a turn brings, and the calls that it leaves open (API 3.2).
plan      What a turn takes over from its chain, and the replay of recorded turns (design section 5).
prepare   The deed of `ask`, `stream` and `continue`: one turn, from the command line to the exit code.
record    Keeping one turn in the state file while it is held.
replay    Items as they are recorded, and the recorded conversation sent in place of a response id.
resume    An answer brought to where its record left it, so that the events that follow go on from there.
run       A run of `ask`, `stream` and `continue`, from the command line to the exit code: the table of
          contents.
send      Sending a turn that is ready, and the turns that its calls lead to: shown, recorded, concluded.
tools     The tools of one command: what `--functions` defines, who lets it run, and what is seen of it.
"""
