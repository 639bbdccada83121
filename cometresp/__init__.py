"""cometresp: a command-line client for the Responses API."""

__version__ = "0.1.0"
