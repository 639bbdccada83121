"""A run of a command that talks to a model: from what was asked to the exit code.

again     The same turn once more, from the record: what the flags set is changed, everything else is sent as
          it was.
amnesia       Whether a server answered a turn without those before it, although it was given the id of
              the last one (API 12.8).
attention  What a run tells a user who looks elsewhere: its progress, and a bell.
budget    `--max-cost`: a run ends before it would cost more.
by_items  A request about a conversation, sent once more with the recorded items where the server refuses
          the response id.
compact   A chain that is compacted: the items that the server returns take the place of its turns.
conclude  The end of a run: what is printed of its last answer alone, the lines after it, and the error that
          it amounts to.
conversation  A conversation that a run creates on the server before its first turn: `--conversation new`.
cost      What the turns of a run cost, by list prices.
count     `--count-tokens`: how many input tokens a request has, counted by the server, else estimated.
display   How the answers of a run are shown: the layout, decided before anything is sent, and a screen for
          each turn.
draft     `--edit`: the prompt in the user's editor, in a file that stays where the run fails.
dry_run   `--dry-run` and `--curl`: the request that would be sent, shown in place of sending it.
exchange  The loop over the events of one answer: each is applied, then shown.
fetch     A run of `get`: a response fetched once, waited for, followed, or taken from the record.
files     The file of `--id-file`.
images    Generated images: saved by `--save-images DIR`, else how to keep them.
listing   What the commands that list and show recorded turns share: an empty list, a transcript.
lookup    What the commands about one response share: which response is meant, and what a server's refusal
          means.
loop      The turns of a run: the first, and those that follow while this program can answer the model's
          calls.
outputs   The outputs of calls that a turn brings, and the calls that it would leave open (API 3.2).
plan      The place of a turn in its conversation, and what it takes over from its chain.
prepare   A turn made ready: what was given is read, its place is planned, its body is built, open calls are
          settled.
record    Keeping a turn in the state file while it is received.
replay    Items as they are recorded, and the recorded conversation sent in place of a response id.
resume    Resuming an answer whose stream broke, or that was recorded in part: from the server, from the
          record (API 7.5).
run       A run of `ask`, `stream` and `continue`, from the command line to the exit code: the table of
          contents.
send      Sending the turns of a run over one client, each in the form that the server takes.
tools     The functions of one run: what `--functions` defines, their approval, and the lines that show
          them.
turn      One turn of a run: sent, shown and recorded, whatever ends it.
unknown_model  What is said where a server doesn't know the model: the nearest names of its catalogue, from the cache
          alone.
"""
