"""Many requests: read from a file, sent some at a time, their responses written as they come.

asked    What one command line of `batch` asks for.
"""
