"""Every link of README.md, docs/ and the other pages leads to a file, and to a heading of it."""

import re

from tests.docs.examples import PAGES, ROOT

_ALL = [*PAGES, "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]


def anchors(text: str) -> set[str]:
    """The names of the headings as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_somewhere() -> None:
    lost = []
    for page in _ALL:
        text = (ROOT / page).read_text()
        for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text)):
            if re.match(r"https?://", link):
                continue
            name, _, anchor = link.partition("#")
            target = (ROOT / page).parent / name if name else ROOT / page
            if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
                lost.append(f"{page}: {link}")
    assert lost == []


def test_every_page_is_linked_from_the_readme_or_from_what_contributors_read() -> None:
    text = "".join((ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md"))
    assert [page for page in PAGES if page.startswith("docs/") and f"({page})" not in text] == []
