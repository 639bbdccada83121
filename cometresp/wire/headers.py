"""Header names, and which headers hold secrets."""

MASK = "***"  # stands for a secret where a request is shown
_SECRET = ("authorization", "apikey", "api-key", "api_key", "token", "secret", "cookie", "password", "credential")


def is_secret_header(name: str) -> bool:
    lowered = name.lower()
    return any(word in lowered for word in _SECRET)


def with_headers(base: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """`base` with `given` in place of what has the same name, in any case."""
    names = {name.lower() for name in given}
    return {name: value for name, value in base.items() if name.lower() not in names} | given
