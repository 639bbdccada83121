"""Settings that have a flag's name: what they are, and how they become the flags of a command line.

fill   Give the flags of a command line that weren't typed the values of the profile and the config file.
flags  Every setting: its name, its flag, and which values it takes.
invoke Run a command of Typer's with the settings of the config file.
"""
