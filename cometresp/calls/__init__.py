"""The model's calls: whose they are, who decides, what they come to. Pure, but for the question of `approval`.

answered      The calls of a conversation that have an output: a function runs at most once per call id.
arguments     The arguments of a call as a question shows them: every key, and each value whole or with
              how much was left out.
approval      Whether a tool may run: by the flags, or by the user's answer at the terminal.
conversation  The request bodies of a run whose calls are answered turn by turn, and the sum of their
              usage.
names         How the tool of a call is written: NAME for a function, LABEL/TOOL for a tool of an MCP server.
settle        Settling open calls: which of them run here, whether they may run, and their outcomes.
"""
