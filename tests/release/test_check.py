"""What keeps a version from being released."""

from pathlib import Path

import pytest

from release.check import problems

CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2030-01-31\n\n### Added\n\n- A flag.\n"
PROJECT = '[project]\nname = "cometresp"\n\n[project.urls]\nSource = "https://example.org/"\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree that can be released as v1.2.0."""
    (tmp_path / "cometresp").mkdir()
    (tmp_path / "cometresp/__init__.py").write_text('"""The package."""\n\n__version__ = "1.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return tmp_path


def test_nothing_keeps_a_finished_tree_from_being_released(tree: Path) -> None:
    assert problems(tree, "v1.2.0") == []


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("cometresp/__init__.py", "1.2.0", "1.2.1", "the tag is v1.2.0, the version 1.2.1"),
        ("CHANGELOG.md", "2030-01-31", "soon", "CHANGELOG.md has no section '## [1.2.0] - YYYY-MM-DD'"),
        ("CHANGELOG.md", "[Unreleased]\n", "[Unreleased]\n\n- More.\n", "CHANGELOG.md has entries under Unreleased"),
        ("pyproject.toml", "[project.urls]", "[project.scripts]", "pyproject.toml has no [project.urls]"),
    ],
)
def test_what_is_missing_is_named(tree: Path, file: str, old: str, new: str, said: str) -> None:
    path = tree / file
    path.write_text(path.read_text().replace(old, new))
    assert said in problems(tree, "v1.2.0")
