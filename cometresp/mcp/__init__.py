"""Local MCP servers, `--mcp`: their tools are functions, each server in a process of its own.

content   The result of a tool, in MCP's parts -> an output that the API takes. Pure.
host      The program of the child process: it speaks with one server, by the official SDK (`mcp`).
names     Names of servers and of their tools, as the API takes them. Pure.
servers   The servers of a run: started at the same time, their tools as functions.
session   The parent's side of `host`. The SDK is never imported in this process.
settings  The words of `--mcp` and the tables `[mcp.NAME]` -> servers to start. Pure.
tables    What a table `[mcp.NAME]` may have. Pure.
"""
