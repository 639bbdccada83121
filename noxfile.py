"""Chores, each in an environment of its own: `nox -l` lists them, `nox -s tests-3.12 -- -k chains` runs one."""

import json
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "venv"
nox.options.envdir = ".venv-nox"
nox.options.error_on_missing_interpreters = False  # also where CI is set
nox.options.sessions = ["lint", "tests", "lowest", "mcp", "wheel", "install", "shiv", "sbom"]

DIST = Path("dist")
SHARED = [  # what the wheel installs below share/
    "bash-completion/completions/cometresp",
    "zsh/site-functions/_cometresp",
    "fish/vendor_completions.d/cometresp.fish",
    "man/man1/cometresp.1",
    "man/man1/cometresp-ask.1",
]


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
    """Ruff and mypy; mypy for the platforms that aren't tested; and mypy of this file, which needs nox."""
    session.install(".[dev]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    for platform in ("darwin", "win32"):
        session.run("mypy", "--platform", platform, "--no-warn-unreachable", "cometresp")
    session.run("mypy", "noxfile.py")


@nox.session
def wheel(session: nox.Session) -> None:
    """The wheel, built from the sdist and installed: the sdist's suite, with no source of the package near."""
    with TemporaryDirectory() as folder:
        archive, built = build(session, folder)
        session.install(f"{built}[test]")
        check_shared(session, Path(session.virtualenv.location, "share"))
        shutil.unpack_archive(archive, folder)
        tree = Path(folder, archive.name.removesuffix(".tar.gz"))
        shutil.rmtree(tree / "cometresp")  # what the tests and their children import is what is installed
        with session.chdir(tree):
            session.run("cometresp", "ask", "--offline", "Say hello", env={"COMETRESP_STATE_DIR": folder})
            session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=["3.11", "3.12", "3.13"])
def install(session: nox.Session) -> None:
    """The wheel as people install it: with pip, with pipx and with uv. Each then answers a prompt."""
    with TemporaryDirectory() as folder:
        _, built = build(session, folder)
        session.install("pipx", "uv")
        own = {
            "COMETRESP_STATE_DIR": folder,
            "UV_SYSTEM_CERTS": "true",
            **{f"PIPX_{name}": f"{folder}/pipx/{name}" for name in ("HOME", "BIN_DIR")},
            "PIPX_MAN_DIR": f"{folder}/pipx/share/man",
            "PIPX_COMPLETION_DIR": f"{folder}/pipx/share",
            **{f"UV_TOOL_{name}": f"{folder}/uv/{name}" for name in ("DIR", "BIN_DIR")},
        }
        session.run("python", "-m", "venv", f"{folder}/pip")
        scripts = Path(folder, "pip", "Scripts" if os.name == "nt" else "bin")
        session.run(str(scripts / "python"), "-m", "pip", "install", "-q", str(built), external=True)
        session.run("pipx", "install", "-q", "--python", python_of(session), str(built), env=own)
        session.run("uv", "tool", "install", "-q", "--python", python_of(session), str(built), env=own)
        for programs in (scripts, Path(folder, "pipx/BIN_DIR"), Path(folder, "uv/BIN_DIR")):
            program = str(programs / "cometresp")
            session.run(program, "--version", external=True)
            session.run(program, "ask", "--offline", "Say hello", external=True, env=own)
        check_shared(session, Path(folder, "pip/share"))
        if os.name != "nt":
            check_shared(session, Path(folder, "pipx/share"))  # pipx links them to there


@nox.session
def shiv(session: nox.Session) -> None:
    """One file with everything but Python, in dist/: it runs with this version of Python on this kind of machine."""
    with TemporaryDirectory() as folder:
        _, built = build(session, folder)
        session.install("shiv")
        tag = session.run(
            "python",
            "-c",
            "import sys, sysconfig as s; print(f'cp{s.get_python_version()}', s.get_platform())",
            silent=True,
        )
        DIST.mkdir(exist_ok=True)
        single = DIST / f"{built.name.partition('-py3')[0]}-{'-'.join(str(tag).replace('.', '').split())}.pyz"
        words = ["--reproducible", "-c", "cometresp", "-p", "/usr/bin/env python3", "-o", str(single)]
        session.run("shiv", "-q", *words, str(built))
        own = {"SHIV_ROOT": folder, "COMETRESP_STATE_DIR": folder}
        session.run("python", str(single), "--version", env=own)
        functions = Path(folder, "functions.py")  # which run in a process that the file starts
        functions.write_text('def add(a: int, b: int) -> int:\n    """Add two numbers."""\n    return a + b\n')
        words = ["--functions", str(functions), "--approve", "always", 'emulate:call add {"a": 2, "b": 3}']
        session.run("python", str(single), "ask", "--offline", *words, env=own)


@nox.session
def sbom(session: nox.Session) -> None:
    """What an installation consists of, as a CycloneDX document in dist/."""
    with TemporaryDirectory() as folder:
        _, built = build(session, folder)
        session.install("cyclonedx-bom")
        session.run("python", "-m", "venv", "--without-pip", f"{folder}/installed")
        python = str(Path(folder, "installed", "Scripts/python.exe" if os.name == "nt" else "bin/python"))
        session.run("python", "-m", "pip", "--python", python, "install", "-q", str(built))
        DIST.mkdir(exist_ok=True)
        named = built.name.partition("-py3")[0]
        document = DIST / f"{named}.cdx.json"
        project = Path(folder, "pyproject.toml")  # with the version, which the document would lack
        version = named.partition("-")[2]
        text = Path("pyproject.toml").read_text(encoding="utf-8")
        project.write_text(text.replace('dynamic = ["version"]', f'version = "{version}"'), encoding="utf-8")
        words = ["--pyproject", str(project), "--mc-type", "application", "--output-reproducible", "--of", "JSON"]
        session.run("cyclonedx-py", "environment", *words, "-o", str(document), python)
        component = json.loads(document.read_text(encoding="utf-8"))["metadata"]["component"]
        if (component["name"], component.get("version")) != ("cometresp", version):
            session.error(f"the document is about {component}")


@nox.session
def release(session: nox.Session) -> None:
    """The sdist and the wheel of a tag, in dist/, if the tree can be released: `nox -s release -- v1.2.3`."""
    session.run("python", "-m", "release.check", *session.posargs)
    shutil.rmtree(DIST, ignore_errors=True)
    build(session, DIST)


@nox.session
def workflows(session: nox.Session) -> None:
    """What is known to be unsafe in workflows and actions of GitHub, without asking GitHub."""
    session.install("zizmor>=1.32")
    session.run("zizmor", "--offline", "--persona", "auditor", "--strict-collection", ".")


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks: ratios that hold on any machine, with their budgets. `-- start --peers` is passed on."""
    session.install(".")
    session.run("python", "-m", "benchmarks", *session.posargs)


def build(session: nox.Session, folder: str | Path) -> tuple[Path, Path]:
    """The sdist, and the wheel that is built from it, in a folder without others."""
    session.install("build")
    session.run("python", "-m", "build", "--outdir", str(folder))
    [archive], [built] = Path(folder).glob("*.tar.gz"), Path(folder).glob("*.whl")
    return archive, built


def check_shared(session: nox.Session, folder: Path) -> None:
    missing = {name for name in SHARED if not (folder / name).is_file()}
    if missing:
        session.error(f"not installed: {missing}")


def python_of(session: nox.Session) -> str:
    """The interpreter from which the environment of a session is made."""
    return str(session.run("python", "-c", "import sys; print(sys._base_executable)", silent=True)).strip()
