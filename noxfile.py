"""Chores, each in an environment of its own: `nox -l` lists them, `nox -s tests-3.12 -- -k chains` runs one."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "venv"
nox.options.envdir = ".venv-nox"
nox.options.error_on_missing_interpreters = False  # also where CI is set
nox.options.sessions = ["lint", "tests", "lowest", "mcp", "wheel"]


@nox.session(python=["3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """The suite, with each Python that is installed."""
    session.install(".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def lowest(session: nox.Session) -> None:
    """The suite, with the lowest version of everything that pyproject.toml names."""
    session.install("uv")
    own = {"UV_SYSTEM_CERTS": "true"}  # as pip does: trust what the machine trusts
    session.run("uv", "pip", "install", "--resolution", "lowest-direct", ".[test]", env=own)
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def mcp(session: nox.Session) -> None:
    """The tests of local MCP servers, with the lowest version of the SDK."""
    session.install("uv")
    own = {"UV_SYSTEM_CERTS": "true"}
    session.run("uv", "pip", "install", "--resolution", "lowest-direct", ".[test,mcp]", env=own)
    session.run("python", "-m", "pytest", "tests/mcp", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff and mypy, and mypy of this file, which needs nox."""
    session.install(".[dev]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("mypy", "noxfile.py")


@nox.session
def wheel(session: nox.Session) -> None:
    """The wheel, built from the sdist and installed: the sdist's suite, with no source of the package near."""
    session.install("build")
    with TemporaryDirectory() as folder:
        session.run("python", "-m", "build", "--outdir", folder)
        [archive], [built] = Path(folder).glob("*.tar.gz"), Path(folder).glob("*.whl")
        session.install(f"{built}[test]")
        shutil.unpack_archive(archive, folder)
        tree = Path(folder, archive.name.removesuffix(".tar.gz"))
        shutil.rmtree(tree / "cometresp")  # what the tests and their children import is what is installed
        with session.chdir(tree):
            session.run("cometresp", "ask", "--offline", "Say hello", env={"COMETRESP_STATE_DIR": folder})
            session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks: ratios that hold on any machine, with their budgets. `-- start --peers` is passed on."""
    session.install(".")
    session.run("python", "-m", "benchmarks", *session.posargs)
