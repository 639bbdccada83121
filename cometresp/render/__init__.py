"""What the terminal shows. Only here rich is imported.

activity    A line for each item that isn't a message, and its details (API 6.3).
aside       Output on stderr next to the answer, without redrawing: reasoning, commentary, and a line for
            each call that ended.
batch_bar   How far a batch is, at the bottom of a terminal: a bar, the counts, and what is waited for.
blocks      Markdown as it arrives: what can't change any more is returned once, the unfinished rest can
            be previewed.
choose      The renderer for a view. Modules that import rich are only loaded for a terminal or Markdown.
cited       Citations in an answer: their numbers within the text, and the notes below it that the
            numbers refer to (API 6.4).
code        Code, highlighted line by line while it arrives, in colours that are legible on light and
            dark terminals.
console     Renderables as text: for a terminal with its colours and links, for a pipe without.
cuts        Where text that may still grow can be cut: what comes before can't change any more.
document    `--json`: the response object; for a stream, the final one.
grid        A table of Markdown as lines: cells are folded; where columns get too narrow, rows are lines
            of `head: value`.
images      Generated images within the terminal's text: kitty's graphics protocol, and iTerm2's inline
            images.
inline      The inlines of a block as styled text: emphasis, code, links, images.
known       What a terminal takes besides text, as far as its variables say what it is. Nothing is asked
            of the terminal itself.
layout      Blocks laid out as lines of a width: one blank line between blocks, lists and quotes as their
            source has them.
lines       `--events`: one event per line, as it comes and as the server wrote it.
live        The live view of a terminal: finished blocks are printed once, the unfinished rest and a
            status line are redrawn.
markdown    Finished blocks of Markdown, rendered and printed once; and the notes of citations.
notice      Notices about a run: one dim line each, which fits the window.
plain       The answer's text: unchanged into a pipe or file, escaped on a terminal.
progress    Tells the terminal that the program is at work (OSC 9;4): a bar at its tab or its icon.
region      The region at the bottom of a terminal that is redrawn, with as few bytes as possible.
running     Lines on stderr for local calls: redrawn with the time while a call runs, printed when it
            ends.
screen      The interface of renderers, and how an answer is to be shown.
source      Which parts of a text of Markdown are shown as their source: code, HTML and link definitions.
            Pure.
status      A status line whose words change: `⠋ batch_ab12 is in progress · 3/10 done · 12 s`.
structured  A structured answer on a terminal: JSON, indented and highlighted while it arrives.
summary     The lines after an answer: the summary of the run, and `--usage`.
tables      Tables for a terminal, which fit its width.
thoughts    Reasoning and commentary as they are shown: dim, and bold what stands in `**…**`, as the
            headings of summaries do.
transcript  Transcripts of recorded turns, for a terminal.
tree        Markdown as a tree of blocks, as markdown-it's block parser finds them.
waiting     A status line for what is waited for before anything is sent: `⠋ reading a.pdf · 120.0 MB · 3
            s`.
"""
