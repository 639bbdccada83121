"""The sdist and the wheel: what is in them, and that everybody who builds them gets the same bytes."""

import os
import subprocess
import sys
import tarfile
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cometresp import __version__
from release.man import FOLDER as MAN

ROOT = Path(__file__).parents[2]
NAME = f"cometresp-{__version__}"
SHARED = f"{NAME}.data/data/share"

pytestmark = pytest.mark.skipif(not (ROOT / "cometresp").is_dir(), reason="the source of the package isn't here")


def built(tree: Path, out: Path, *, mask: int = 0o022, env: dict[str, str] | None = None) -> tuple[Path, Path]:
    """The sdist and the wheel of a tree."""
    environ = {name: value for name, value in os.environ.items() if name not in {"SOURCE_DATE_EPOCH", "PYTHONPATH"}}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(out)],
        cwd=tree,
        env={**environ, **(env or {})},
        umask=mask,
        capture_output=True,
        check=True,
    )
    return out / f"{NAME}.tar.gz", out / f"{NAME}-py3-none-any.whl"


def digests(packages: tuple[Path, Path]) -> list[str]:
    return [sha256(path.read_bytes()).hexdigest() for path in packages]


# Python before 3.11.4 has no filters.
SAFELY: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return built(ROOT, tmp_path_factory.mktemp("packages"))


@pytest.fixture
def elsewhere(packages: tuple[Path, Path], tmp_path: Path) -> Path:
    """The sdist, unpacked in a folder of another name, with the times and the permissions of another machine."""
    with tarfile.open(packages[0]) as archive:
        archive.extractall(tmp_path, **SAFELY)
    tree = (tmp_path / NAME).rename(tmp_path / "ä folder")
    for path in sorted(tree.rglob("*")):
        path.chmod(path.stat().st_mode & 0o700)
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return tree


def test_what_is_built_from_the_sdist_on_another_machine_has_the_same_bytes(
    packages: tuple[Path, Path], elsewhere: Path, tmp_path: Path
) -> None:
    other = {"TZ": "Pacific/Chatham", "LC_ALL": "C", "PYTHONHASHSEED": "1", "HOME": str(tmp_path)}
    assert digests(built(elsewhere, tmp_path / "out", mask=0o077, env=other)) == digests(packages)


def test_a_date_that_is_given_for_the_build_is_the_only_thing_that_changes_the_bytes(
    packages: tuple[Path, Path], elsewhere: Path, tmp_path: Path
) -> None:
    dated = {"SOURCE_DATE_EPOCH": "1700000000"}
    here = digests(built(ROOT, tmp_path / "here", env=dated))
    there = digests(built(elsewhere, tmp_path / "there", mask=0o077, env=dated))
    assert (here == there, set(here) & set(digests(packages))) == (True, set())


def test_the_wheel_brings_completions_and_man_pages_to_where_shells_and_man_look_for_them(
    packages: tuple[Path, Path],
) -> None:
    with zipfile.ZipFile(packages[1]) as wheel:
        shared = {name.removeprefix(f"{SHARED}/"): wheel.read(name) for name in wheel.namelist() if ".data/" in name}
    completions = {
        "bash-completion/completions/cometresp": "cometresp.bash",
        "zsh/site-functions/_cometresp": "_cometresp",
        "fish/vendor_completions.d/cometresp.fish": "cometresp.fish",
    }
    assert shared == {
        **{name: (ROOT / "completions" / file).read_bytes() for name, file in completions.items()},
        **{f"man/man1/{path.name}": path.read_bytes() for path in MAN.glob("*.1")},
    }


def test_the_sdist_has_what_it_takes_to_test_to_measure_and_to_release_it(packages: tuple[Path, Path]) -> None:
    with tarfile.open(packages[0]) as archive:
        folders = {name.split("/")[1] for name in archive.getnames()}
    assert folders - {".gitignore", "PKG-INFO"} == {
        *("cometresp", "tests", "benchmarks", "completions", "man", "release", "docs", ".ci", ".github"),
        *("pyproject.toml", "noxfile.py", "action.yml"),
        *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"),
    }
