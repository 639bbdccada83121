"""What a terminal takes besides text, as far as its variables say what it is. Nothing is asked of the terminal itself.

A program that sets no TERM_PROGRAM inherits the variables of the terminal that it was started from, so TERM_PROGRAM
comes first. Within tmux, screen and zellij nothing is taken: they pass on what they know, to whatever shows them.
"""

import re
from collections.abc import Mapping
from typing import Literal

Images = Literal["kitty", "iterm"]

# Since when OSC 9;4 is progress, by TERM_PROGRAM. Before that it was a notification with these digits as its text.
_PROGRESS = {"ghostty": (1, 2), "iTerm.app": (3, 6, 6), "iTerm2": (3, 6, 6), "WezTerm": (20250301,)}
_PROGRESS_VTE = 8000  # VTE_VERSION of 0.80
_IMAGES: dict[str, Images] = {
    "ghostty": "kitty",
    "iTerm.app": "iterm",
    "iTerm2": "iterm",
    "WezTerm": "iterm",
    "mintty": "iterm",
}
_IMAGES_BY_TERM: dict[str, Images] = {"xterm-kitty": "kitty", "xterm-ghostty": "kitty"}
_IMAGES_KONSOLE = 220400  # KONSOLE_VERSION of 22.04
_LINKS = frozenset({"ghostty", "iTerm.app", "iTerm2", "WezTerm", "vscode", "Hyper", "Tabby", "rio", "mintty", "zed"})
_LINKS_BY_TERM = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour")
_LINKS_VTE = 5000  # VTE_VERSION of 0.50


def takes_links(environ: Mapping[str, str]) -> bool:
    """Whether the terminal takes links (OSC 8); FORCE_HYPERLINK=1 or 0 says so for any terminal."""
    if forced := environ.get("FORCE_HYPERLINK"):
        return forced != "0"
    if _is_within_another(environ):
        return False
    if environ.get("TERM", "").startswith(_LINKS_BY_TERM):
        return True
    if name := _name(environ):
        return name in _LINKS
    if environ.get("WT_SESSION") or environ.get("KITTY_WINDOW_ID"):
        return True
    return _number(environ.get("VTE_VERSION", "")) >= _LINKS_VTE


def takes_progress(environ: Mapping[str, str]) -> bool:
    """Whether the terminal shows the progress of OSC 9;4, with its indeterminate and its error state."""
    if _is_within_another(environ):
        return False
    if name := _name(environ):
        return name in _PROGRESS and _version(environ) >= _PROGRESS[name]
    if environ.get("WT_SESSION") or environ.get("ConEmuANSI") == "ON":
        return True
    return _number(environ.get("VTE_VERSION", "")) >= _PROGRESS_VTE


def image_protocol(environ: Mapping[str, str]) -> Images | None:
    """How the terminal takes images: by kitty's graphics protocol, or as iTerm2's inline images; None: not known."""
    if _is_within_another(environ):
        return None
    if found := _IMAGES_BY_TERM.get(environ.get("TERM", "")):
        return found
    if name := _name(environ):
        return _IMAGES.get(name)
    if _number(environ.get("KONSOLE_VERSION", "")) >= _IMAGES_KONSOLE:
        return "iterm"
    return "kitty" if environ.get("KITTY_WINDOW_ID") else None


def _is_within_another(environ: Mapping[str, str]) -> bool:
    given = any(environ.get(name) for name in ("TMUX", "STY", "ZELLIJ"))
    return given or environ.get("TERM", "").startswith(("screen", "tmux"))


def _name(environ: Mapping[str, str]) -> str:
    """The terminal's name; ssh passes only LC_TERMINAL on."""
    return environ.get("TERM_PROGRAM") or environ.get("LC_TERMINAL") or ""


def _version(environ: Mapping[str, str]) -> tuple[int, ...]:
    variable = "TERM_PROGRAM_VERSION" if environ.get("TERM_PROGRAM") else "LC_TERMINAL_VERSION"
    return tuple(map(int, re.findall(r"\d{1,9}", environ.get(variable, ""), re.ASCII)[:3]))


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else 0
