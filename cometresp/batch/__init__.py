"""Many requests at once: a file of requests in, a file of responses out. Beside turns/, on the same client and verdict.

asked       What one command line of `batch` asks for.
bodies      A line of the input and the flags -> the body of its request.
budget      `--max-cost` over a whole batch: what was spent, and what those in flight may cost.
checks      The first pass over the input: every bad line and every duplicate id, before anything is sent.
conclude    The end of a batch: its summary, and the error that it amounts to.
creation    A batch is made once: one that a lost reply may have made is looked for in the server's list.
digests     A set of digests of ids, in 8 to 27 bytes for each.
engine      The threads of a batch: each takes a request, waits for its turn, asks, and hands the result on.
exchange    One request: sent, its events reduced to an answer, and what that amounts to.
fields      A line of the input -> its id, its prompt or body, the flags that it sets.
gate        When the next request may be sent: how many at once, how many a minute, pauses. Pure.
lane        The provider's lane (API 13): status, list, cancel; what a server that offers none is told as.
lane_input  The input of a batch as the provider takes it (API 13.2), in a file of its own.
lines       The input, line by line: JSON Lines, lines of text, CSV or TSV.
looked      What the command lines of the provider's lane ask for.
merge       `batch merge`: the outputs of several runs in one, a line for each id; what is missing.
ordered     `--ordered`: the lines of the output in the order of the input.
output      The output: whole lines, appended as responses come, each in one write; the file beside it.
output_lines  The lines of an output; what killed runs left of some is left out, and said.
progress    How far a batch is: a bar on a terminal, a line a minute anywhere else.
record      `--record`: the responses of a batch in the state file; they move no head of a chain.
result      How one request ended, and the line of the output that says so.
results     `batch fetch`: the results of a batch that has ended, written whole; what they amount to.
resume      `--resume`: what the output has already, and whether it is of this input.
run         A run of `batch`, from the command line to the exit code: the table of contents.
shard       `--shard`: which part of the input one machine of several takes.
source      The file of requests: opened, read twice and more, and known again by its digest.
standing    A batch of the provider's lane in words: its status, and the error that its end amounts to
            (API 13.3).
submit      `batch submit`: the input checked, uploaded, and made a batch of; with --wait also its results.
submitted   The batches that were submitted from here: which one an argument names, and what is recorded of
            it.
tally       What a batch has come to so far: counts, tokens and cost.
waiting     A batch that is waited for: asked for with growing pauses, through errors that pass, while its
            progress is shown.
"""
