"""What the terminal shows. Only here rich is imported.

activity    A line for each item that isn't a message, and its details (API 6.3).
aside       Output on stderr next to the answer, without redrawing: reasoning, and a line for each call
            that ended.
blocks      Markdown as it arrives: finished top-level blocks are returned once, the unfinished rest can
            be previewed.
choose      The renderer for a view. Modules that import rich are only loaded for a terminal or Markdown.
cited       Citations in an answer: their numbers within the text, and the notes that they refer to.
document    `--json`: the response object; for a stream, the final one.
images      Generated images within the text of terminals that take them.
known       What a terminal takes besides text, as far as its variables say what it is.
lines       `--events`: one event per line, as it comes and as the server wrote it.
live        The live view of a terminal: finished blocks are printed once, the unfinished rest and a
            status line are redrawn.
markdown    Finished blocks of Markdown, rendered and printed once; and functions that both Markdown
            renderers use.
plain       The answer's text: unchanged into a pipe or file, escaped on a terminal.
progress    Tells the terminal that the program is at work, and whether it failed (OSC 9;4).
region      The region at the bottom of a terminal that is redrawn, with as few bytes as possible.
running     Lines on stderr for local calls: redrawn with the time while a call runs, printed when it
            ends.
screen      The interface of renderers, and how an answer is to be shown.
structured  A structured answer on a terminal: JSON, indented and highlighted while it arrives.
summary     The lines after an answer: the summary of the run, and `--usage`.
tables      Tables for a terminal.
thoughts    Reasoning and commentary as they are shown: dim, with bold headings.
transcript  Transcripts of recorded turns, for a terminal.
waiting     A status line for what is waited for before anything is sent.
"""
