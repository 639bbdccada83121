"""What has to be so before a version is released: `python -m release.check v1.2.3` names what isn't.

The tests check the rest: that the man pages and the completions are those of this version.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
_VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)


def problems(root: Path, tag: str) -> list[str]:
    """What keeps the tree from being released under this tag; nothing if it can be."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    version = _VERSION.findall((root / "cometresp/__init__.py").read_text(encoding="utf-8"))[0]
    unreleased = re.search(r"^## \[Unreleased\]\n(.*?)^## ", changelog, re.MULTILINE | re.DOTALL)
    found = {
        f"the tag is {tag}, the version {version}": tag != f"v{version}",
        f"CHANGELOG.md has no section '## [{version}] - YYYY-MM-DD'": not re.search(
            rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE
        ),
        "CHANGELOG.md has entries under Unreleased": unreleased is not None and bool(unreleased[1].strip()),
        "pyproject.toml has no [project.urls]": not project.get("urls"),
    }
    return [problem for problem, is_one in found.items() if is_one]


def main() -> None:
    """Exit with 1 after naming what is wrong, one problem a line."""
    found = problems(ROOT, sys.argv[1] if len(sys.argv) > 1 else "")
    if found:
        raise SystemExit("\n".join(found))


if __name__ == "__main__":
    main()
