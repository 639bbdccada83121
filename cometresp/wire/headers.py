"""Header names, and which headers hold secrets."""

from typing import TypeVar

MASK = "***"  # in place of a secret in a text that is shown

Value = TypeVar("Value")

# A header of `-H` is a secret unless it is one of these (docs/flags.md lists them).
_HARMLESS = (
    "accept accept-charset accept-encoding accept-language anthropic-beta anthropic-version api-version"
    " cache-control client-request-id content-language content-type date dnt from http-referer idempotency-key"
    " if-match if-none-match openai-beta openai-organization openai-project origin pragma prefer priority range referer"
    " traceparent tracestate user-agent x-client-request-id x-correlation-id x-ms-client-request-id x-request-id"
    " x-title x-trace-id"
)
HARMLESS = frozenset(_HARMLESS.split())
# Words that say that a header, or a parameter of a URL, holds a key: api-key, X-Auth-Token, Helicone-Auth, …
_KEY = (
    *("key", "token", "secret", "password", "passwd", "pwd", "credential", "credentials"),
    *("cookie", "jwt", "auth", "authorization", "authentication", "sig"),
)


def names_key(name: str) -> bool:
    """Whether the name of a header or a URL's parameter says that it holds a key."""
    lowered = name.strip().lower()
    words = lowered.replace("_", "-").replace(".", "-").split("-")
    return lowered not in HARMLESS and any(word.endswith(_KEY) for word in words)


def is_secret_header(name: str) -> bool:
    """Whether the value of a header that the user gives is a secret: all are but those known to be harmless."""
    return name.lower() not in HARMLESS


def with_headers(base: dict[str, Value], given: dict[str, Value]) -> dict[str, Value]:
    """The `base` headers, with those `given` in place of any of the same name. Names are compared without case."""
    names = {name.lower() for name in given}
    return {name: value for name, value in base.items() if name.lower() not in names} | given
