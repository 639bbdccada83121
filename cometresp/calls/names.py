"""How the tool of a call is written: NAME for a function, LABEL/TOOL for a tool of an MCP server.

A character with a meaning of its own is written as in URLs: `/` inside a label or a name as %2F, `%` as %25, `*` as
%2A. So no two tools are written alike, and what is written can be given to `--allow-tool`.
"""

import re
from fnmatch import fnmatchcase
from urllib.parse import unquote

from cometresp.tuples import NamedTuple

_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


class ToolName(NamedTuple):
    """A function of this program, or with `label` a tool of that MCP server."""

    name: str
    label: str | None = None

    @property
    def written(self) -> str:
        """`weather`, `docs/search`, `a%2Fb/c`. Names of MCP tools, which are the server's, are ASCII."""
        if self.label is None:
            return _quoted(self.name, re.UNICODE)
        return f"{_quoted(self.label, re.ASCII)}/{_quoted(self.name, re.ASCII)}"

    def matches(self, pattern: str) -> bool:
        """Whether a pattern of `--allow-tool` names it: one without a slash names functions only, others MCP tools."""
        label, slash, name = pattern.rpartition("/")
        if bool(slash) == (self.label is None) or "/" in label:
            return False
        return _fits(self.name, name) and (self.label is None or _fits(self.label, label))


def _quoted(text: str, flags: int) -> str:
    def escaped(found: re.Match[str]) -> str:
        return "".join(f"%{byte:02X}" for byte in found[0].encode(errors="surrogatepass"))

    return re.sub(r"[^\w.:@+-]", escaped, text, flags=flags)


def _fits(text: str, pattern: str) -> bool:
    """Whether the text fits a pattern of `*`, `?`, escapes and characters that stand for themselves."""

    def literal(found: re.Match[str]) -> str:
        return re.sub(r"[*?[]", r"[\g<0>]", unquote(found[0], errors="surrogatepass"))

    try:
        pattern = _ESCAPES.sub(literal, pattern.replace("[", "%5B"))
    except UnicodeDecodeError:  # these bytes are no characters: no name has them
        return False
    return fnmatchcase(text, pattern)
