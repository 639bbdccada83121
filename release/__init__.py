"""What a release needs beside the package: its man pages, its checks, a Dockerfile, a Homebrew formula.

Nothing here is installed with the program. docs/releasing.md says how a release is made.
"""
