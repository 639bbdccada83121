"""Flags -> values: the headers and limits that they set."""

import re

from cometresp.deadline import DEFAULT_RETRIES
from cometresp.errors import UsageError
from cometresp.options.tables import ConnectionOptions, OutputOptions
from cometresp.wire.headers import HARMLESS, with_headers

_IN_NAMES = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_FRAMING = ("content-length", "transfer-encoding", "connection", "host", "upgrade", "te", "trailer")
_HIGHEST_COST = 1_000_000  # USD
_LONGEST = 10_000_000  # seconds; the limit of sockets and timers is not much higher


def check(connection: ConnectionOptions, output: OutputOptions) -> None:
    """Raises UsageError for a value that a flag doesn't accept."""
    for flag, seconds in (("--timeout", connection.timeout), ("--max-time", connection.max_time)):
        if seconds is not None and not 0 < seconds <= _LONGEST:
            raise UsageError(f"{flag}: must be more than 0 and at most {_LONGEST:.0f} seconds, not {seconds:g}")
    reply_size_of(connection)
    _check_cost(output)
    for flag, path in (
        ("--ca-file", connection.ca_file),
        ("--output", output.output),
        ("--id-file", output.id_file),
        ("--save-images", output.save_images),
        ("--summary-file", output.summary_file),
    ):
        if path == "":
            raise UsageError(f"{flag}: must not be empty")
    if output.summary_file is not None and output.summary_file in (output.output, output.id_file):
        flag = "--output" if output.output == output.summary_file else "--id-file"
        if not output.summary_file.startswith(("-", "/dev/")):
            raise UsageError(f"--summary-file and {flag} name the same file")
    if connection.fault and not connection.offline:
        raise UsageError("--fault: needs --offline", hint="only the built-in emulator makes faults on request")
    headers_of(connection)
    if connection.retries is not None and connection.retries < 0:
        raise UsageError(f"--retries: must be at least 0, not {connection.retries}")
    _check_format(output)


def headers_of(connection: ConnectionOptions) -> dict[str, str | None]:
    """The headers of `-H`, the last of each name.

    As with curl, `NAME:` removes a header, which is then None here, and `NAME;` sends an empty one. Raises
    UsageError for a malformed one, without its value, which may be a secret.
    """
    headers: dict[str, str | None] = {}
    for line in connection.header or ():
        name, colon, rest = line.partition(":")
        if not colon and line.endswith(";"):
            name, colon = line[:-1], ";"
        value = rest.strip(" \t")
        if name.lower() in _FRAMING:
            raise UsageError(f"--header: {name} is set by the connection and can't be given")
        if not colon or not re.fullmatch(_IN_NAMES, name):
            raise UsageError(f"--header: {_start_of(line)!r} must be 'NAME: VALUE'")
        if not (value.isprintable() and value.isascii()):
            raise UsageError(f"--header: the value of {name} contains a character that headers don't allow")
        headers = with_headers(headers, {name: value if value or colon == ";" else None})
    return headers


def _start_of(line: str) -> str:
    """What may be shown of a malformed header: the word before a blank or colon, where it looks like a name.

    A word that stands alone may be a key: it is shown only if it is the name of a known header.
    """
    found = re.match(r"[A-Za-z-]{,40}+(?=[ :;]|$)", line)
    start = found[0] if found else ""
    if start != line:
        return f"{start}…"
    return start if start.lower() in {*HARMLESS, "authorization", "api-key", "x-api-key", "cookie", ""} else "…"


def retries_of(connection: ConnectionOptions) -> int:
    return DEFAULT_RETRIES if connection.retries is None else connection.retries


def reply_size_of(connection: ConnectionOptions) -> int | None:
    """The bytes of `--max-reply-size`; K, M and G are 1,024 times the unit before. Raises UsageError."""
    given = connection.max_reply_size
    if given is None:
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,14})([kmg]?)b?", given.strip().lower(), re.ASCII)
    if found is None:
        raise UsageError(f"--max-reply-size: {given[:40]!r} must be a number of bytes, such as 500000, 10M or 1G")
    return int(found[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[found[2]]


def _check_cost(output: OutputOptions) -> None:
    most = output.max_cost
    if most is not None and not 0 < most <= _HIGHEST_COST:
        raise UsageError(f"--max-cost: must be more than 0 and at most {_HIGHEST_COST} USD, not {most:g}")
    if output.price is not None:
        from cometresp.catalogue.price import given_price

        given_price(output.price)


def _check_format(output: OutputOptions) -> None:
    """Raises UsageError for formats that exclude each other."""
    given = {"--format": output.format, "--json": output.json and "json", "--events": output.events and "events"}
    named = {flag: name for flag, name in given.items() if name and name != "auto"}
    if output.extract or output.extract_last:
        if output.extract and output.extract_last:
            raise UsageError("--extract and --extract-last exclude each other")
        if named:
            flag = "--extract" if output.extract else "--extract-last"
            raise UsageError(f"{flag} prints the code alone: it excludes --json, --events and --format")
    _check_selection(output)
    if len(set(named.values())) > 1:
        raise UsageError(f"{' and '.join(named)} exclude each other: one format at a time")


def _check_selection(output: OutputOptions) -> None:
    """Raises UsageError for a malformed path of `--select`, and for what it excludes."""
    if output.select is None:
        return
    from cometresp.wire.select import steps_of

    steps_of(output.select)
    if output.extract or output.extract_last:
        flag = "--extract" if output.extract else "--extract-last"
        raise UsageError(f"--select and {flag} exclude each other: each prints a part of the response alone")
    if output.events or output.format != "auto":
        flag = "--events" if output.events else "--format"
        raise UsageError(f"--select prints one field: it excludes {flag}")
