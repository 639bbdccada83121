"""Header names, and which headers hold secrets."""

MASK = "***"  # in place of a secret in a request that is printed
_SECRET = ("authorization", "apikey", "api-key", "api_key", "token", "secret", "cookie", "password", "credential")


def is_secret_header(name: str) -> bool:
    lowered = name.lower()
    return any(word in lowered for word in _SECRET)


def with_headers(base: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """The `base` headers, with those `given` in place of any of the same name. Names are compared without case."""
    names = {name.lower() for name in given}
    return {name: value for name, value in base.items() if name.lower() not in names} | given
