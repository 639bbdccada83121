"""A secret in every place of a request that can contain one."""

SECRET = "s3cret-value"
MCP = {
    "type": "mcp",
    "server_label": "l",
    "server_url": "https://x",
    "authorization": SECRET,
    "headers": {"X-Plain": SECRET, "X-Env": "env:MCP_TOKEN"},
}
