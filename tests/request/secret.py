"""A secret in every place of a request that can contain one."""

SECRET = "s3cret-value"
MCP = {
    "type": "mcp",
    "server_label": "l",
    "server_url": "https://x",
    "authorization": SECRET,
    "headers": {"X-Plain": SECRET, "X-Env": "env:MCP_TOKEN"},
}

# One in every place of tools that can contain one, each another.
PLACES = {
    "authorization": "s3cret-auth",
    "header": "s3cret-header",
    "user": "ann:s3cret-user",
    "parameter": "s3cret-parameter",
    "code": "s3cret-code",
    "nested": "s3cret-nested",
    "domain": "s3cret-domain",
    "shell": "s3cret-shell",
    "field": "s3cret-field",
    "item": "s3cret-item",
    "fragment": "s3cret-fragment",
    "listed": "s3cret-listed",
    "pair": "s3cret-pair",
    "scheme": "s3cret-scheme",
    "blank": "bob:s3cret-blank",
}


def _policy(value: str) -> dict[str, object]:
    secrets = [{"domain": "x.org", "name": "TOKEN", "value": value}]
    return {"type": "allowlist", "allowed_domains": ["x.org"], "domain_secrets": secrets}


def tools_with(places: dict[str, str]) -> list[dict[str, object]]:
    """Tools with these values in their places; nothing else in them is a secret."""
    return [
        {
            "type": "mcp",
            "server_label": "l",
            "server_url": f"https://{places['user']}@h/mcp?api_key={places['parameter']}&v=2&code={places['code']}#top",
            "authorization": places["authorization"],
            "headers": {"X-Plain": places["header"]},
        },
        {
            "type": "namespace",
            "name": "n",
            "description": "d",
            "tools": [
                {"type": "mcp", "server_label": "m", "server_url": "https://h", "authorization": places["nested"]},
                {
                    "type": "function",
                    "name": "f",
                    "parameters": {
                        "type": "object",
                        "properties": {"api_key": {"type": "string"}, "headers": {"type": "object"}},
                        "default": {"token": "no secret"},
                    },
                },
            ],
        },
        {"type": "code_interpreter", "container": {"type": "auto", "network_policy": _policy(places["domain"])}},
        {"type": "shell", "environment": {"type": "container_auto", "network_policy": _policy(places["shell"])}},
        {"type": "vendor:search", "api_key": places["field"], "max_tokens": "7"},
        {
            "type": "mcp",
            "server_label": "odd",
            "server_url": f" https://{places['blank']}@h#access_token={places['fragment']}",
            "authorization": {"scheme": places["scheme"]},
            "headers": [{"name": "X-Pair", "value": places["pair"]}, {"X-List": [places["listed"]]}],
        },
    ]


def body_with(places: dict[str, str]) -> dict[str, object]:
    """A body with tools, also in an item of its input."""
    brings = {"type": "mcp", "server_label": "i", "server_url": "https://h", "authorization": places["item"]}
    item = {"type": "tool_search_output", "call_id": "c", "tools": [brings]}
    return {"tools": tools_with(places), "input": [{"role": "user", "content": "hi"}, item]}
