"""Header names, and which headers hold secrets."""

import re

MASK = "***"  # stands for a secret where a request is shown
_SECRET = re.compile(r"authorization|api[-_]?key|token|secret|cookie|password|credential", re.IGNORECASE)


def is_secret_header(name: str) -> bool:
    return bool(_SECRET.search(name))


def with_headers(base: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """`base` with `given` in place of what has the same name, in any case."""
    names = {name.lower() for name in given}
    return {name: value for name, value in base.items() if name.lower() not in names} | given
