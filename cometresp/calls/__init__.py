"""The model's calls: whose they are, who decides, what they come to. Pure, but for the question of `approval`.

approval      Who lets a tool run: the flags, or the user at the terminal. Nothing runs that neither
              agreed to.
conversation  The bodies of a run in which calls are answered, turn after turn; and the usage of all of
              them.
settle        What the open calls of an answer come to: which of them are run here, and their outcomes.
"""
