"""What the terminal shows. Only here rich is imported.

activity    A line for each item that isn't a message, and its details (API 6.3).
aside       Output on stderr next to the answer, without redrawing: reasoning, and a line for each call
            that ended.
blocks      Markdown as it arrives: finished top-level blocks are returned once, the unfinished rest can
            be previewed.
choose      The renderer for a view. Modules that import rich are only loaded for a terminal or Markdown.
document    `--json`: the response object; for a stream, the final one.
lines       `--events`: one event per line, as it comes and as the server wrote it.
live        The live view of a terminal: finished blocks are printed once, the unfinished rest and a
            status line are redrawn.
markdown    Finished blocks of Markdown, rendered and printed once; and functions that both Markdown
            renderers use.
notice      Notices about a run: one dim line each, which fits the window.
plain       The answer's text: unchanged into a pipe or file, escaped on a terminal.
region      The region at the bottom of a terminal that is redrawn, with as few bytes as possible.
running     Lines on stderr for local calls: redrawn with the time while a call runs, printed when it
            ends.
screen      The interface of renderers, and how an answer is to be shown.
structured  A structured answer on a terminal: JSON, indented and highlighted while it arrives.
summary     The lines after an answer: the summary of the run, and `--usage`.
tables      Tables for a terminal, which fit its width.
transcript  Transcripts of recorded turns, for a terminal.
"""
