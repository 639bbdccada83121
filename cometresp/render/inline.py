"""The inlines of a block as styled text: emphasis, code, links, images.

Each piece of text is escaped here: parsing decodes character references (`&#8238;`), which the source hid.
"""

import re
from collections.abc import Iterable

from markdown_it.token import Token
from rich.style import Style
from rich.text import Text

from cometresp.render.tree import PRINTED, link_target
from cometresp.text import escape

_STYLES = {"em": "italic", "strong": "bold", "s": "strike", "kbd": "bold"}
_CODE, _ADDRESS = "cyan", "dim"
_LINKED = ("https://", "http://", "mailto:")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
# What begins code, emphasis, a link or HTML, and isn't ended.
_OPENS = re.compile(r"`|\*+(?=\S)|(?<!\w)_+(?=[^\s_])|~~(?=\S)|\[[^\]]*$|<[A-Za-z!?/][^>]*$")
_NAMES_A_HOST = re.compile(r"://|\w\.\w")


def inline_text(tokens: Iterable[Token], *, links: bool) -> Text:
    """The text of inlines. With `links` a link is one of the terminal's, else its address is written behind it."""
    text = Text()
    opened: list[tuple[str, int, Token]] = []
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            text.append("\n")
        elif token.type == "code_inline":
            text.append(escape(token.content), _CODE)
        elif token.type == "image":
            start = len(text)
            text.append_text(inline_text(token.children or [], links=False))
            _end_link(text, start, token, "src", links=links)
        elif token.type == "html_inline":
            _add_html(text, token, opened)
        elif token.nesting > 0:
            opened.append((token.tag, len(text), token))
        elif token.nesting < 0:
            tag, start, opening = opened.pop()
            if tag == "a":
                _end_link(text, start, opening, "href", links=links)
            elif tag in _STYLES:
                text.stylize(_STYLES[tag], start)
        else:
            content = escape(token.content.replace(PRINTED, ""))
            text.append(content.lstrip(" ") if text.plain.endswith("\n") else content)
    return text


def is_closed(tokens: Iterable[Token]) -> bool:
    """Whether nothing in these inlines could become markup by what follows them."""
    text = "".join(token.content if token.type == "text" else "x" for token in tokens if token.type != "softbreak")
    return not _OPENS.search(text)


def _add_html(text: Text, token: Token, opened: list[tuple[str, int, Token]]) -> None:
    """HTML is text, but for line breaks and keys."""
    if _BREAK.fullmatch(token.content):
        text.rstrip()
        text.append("\n")
    elif token.content == "<kbd>":
        opened.append(("kbd", len(text), token))
    elif token.content == "</kbd>" and opened and opened[-1][0] == "kbd":
        text.stylize(_STYLES["kbd"], opened.pop()[1])
    else:
        text.append(escape(token.content))


def _end_link(text: Text, start: int, token: Token, name: str, *, links: bool) -> None:
    """End a link or image whose label begins at `start`. A label that is the address is written once."""
    address = escape(str(token.attrs.get(name, "")))
    title = escape(str(token.attrs.get("title", "")))
    if token.markup == "autolink":
        text.right_crop(len(text) - start)
        text.append(address.removeprefix("mailto:"))
    label = text.plain[start:]
    if links and label and _can_be_linked(label, address):
        text.stylize(Style(underline=True, link=link_target(address)), start)
        address = ""
    elif label in (address, address.removeprefix("mailto:")):
        address = ""
    more = " ".join(filter(None, (address, f'"{title}"' if title else "")))
    if more:
        text.append(f" ({more})" if label else more, _ADDRESS)


def _can_be_linked(label: str, address: str) -> bool:
    """Whether a link shows where it leads well enough: a label that looks like an address is the same one."""
    target = link_target(address)
    known = target.startswith(_LINKED) and target.isascii() and target.isprintable() and " " not in target
    return known and (label in address or not _NAMES_A_HOST.search(label))
