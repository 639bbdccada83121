"""What the terminal shows. Only here rich is imported.

activity    What happens beside the text, in words: a line for each item that isn't a message, and its
            details (API 6.3).
aside       What stands beside the answer on stderr where nothing is redrawn: reasoning, and a line for
            each call that ended.
blocks      Markdown as it arrives: finished top-level blocks are given out once, the unfinished rest can
            be looked at.
choose      The only package that imports rich, and only where a terminal is there. `choose` picks a
            renderer.
document    `--json`: the response object, of a stream the final one.
lines       `--events`: one event a line, as it comes and as the server wrote it.
live        The live view of a terminal: what is finished scrolls away, the unfinished rest and a status
            line are redrawn.
markdown    Finished blocks of Markdown, rendered and printed once; and what both Markdown renderers
            share.
plain       The answer's text as it is: unchanged into a pipe or file, escaped on a terminal.
region      The region at the foot of a terminal that is drawn again and again, with as few bytes as it
            takes.
running     Calls that run here, on stderr: a line each, redrawn with its time while it runs, that stays
            when it is done.
screen      What an answer is shown to, and how it is to be shown.
structured  A structured answer on a terminal: JSON, indented and highlighted while it arrives.
summary     The lines after an answer: the summary of the run, and `--usage`.
tables      What is looked up, for a terminal: tables, and transcripts of recorded turns.
transcript  Transcripts of recorded turns, for a terminal.
"""
