"""Whether a terminal takes links (OSC 8): only where it is known to, since others print them or nothing."""

from collections.abc import Mapping

_PROGRAMS = frozenset({"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby", "rio", "mintty", "zed"})
_TERMS = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour")
_FIRST_VTE = 5000  # 0.50, of GNOME Terminal and others


def takes_links(environ: Mapping[str, str]) -> bool:
    """Whether links are shown as such; FORCE_HYPERLINK=1 or 0 says so for any terminal."""
    if forced := environ.get("FORCE_HYPERLINK"):
        return forced != "0"
    term = environ.get("TERM", "")
    if environ.get("TMUX") or environ.get("STY") or term.startswith(("screen", "tmux")):
        return False  # what is outside decides, and can't be known here
    vte = environ.get("VTE_VERSION", "")
    return (
        environ.get("TERM_PROGRAM") in _PROGRAMS
        or term.startswith(_TERMS)
        or bool(environ.get("WT_SESSION") or environ.get("KITTY_WINDOW_ID"))
        or (vte.isdecimal() and int(vte) >= _FIRST_VTE)
    )
