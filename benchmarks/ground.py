"""What all benchmarks share: a home that is removed, the servers, the programs that are compared, sizes."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import certifi

from benchmarks.measure import Command
from benchmarks.servers import Server, make_certificate, serving
from benchmarks.states import Shape, make

ROOT = Path(__file__).parent.parent


class Plan(NamedTuple):
    """What is asked of a run: rounds of what is short, tiny sizes, other programs too, a seed of what is random."""

    runs: int = 21
    quick: bool = False
    peers: bool = False
    seed: int = 1


class Ground:
    """A home, a server over http and, where there is `openssl`, one over https, and the programs that are measured."""

    def __init__(self, home: Path, server: Server, secure: Server | None, plan: Plan) -> None:
        self.home = home
        self.server = server
        self.secure = secure
        self.plan = plan
        self.bundle = home / "bundle.pem"
        self._states: dict[tuple[Shape, int], Path] = {}
        script = Path(sys.executable).with_name("cometresp")
        self._ours = (str(script),) if script.exists() else (sys.executable, "-m", "cometresp")
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
        if not script.exists():
            self.environ["PYTHONPATH"] = str(ROOT)

    def size(self, many: int, few: int) -> int:
        """The many of a full run, or the few of a quick one."""
        return few if self.plan.quick else many

    def rounds(self, full: int = 1000) -> int:
        """How often something is measured for which `full` rounds are enough."""
        return 1 if self.plan.quick else min(full, self.plan.runs)

    @cached_property
    def idle(self) -> Command:
        """The interpreter alone."""
        return Command((sys.executable, "-c", "pass"), self.environ)

    def ours(self, *words: str, server: Server | None = None, state: Path | None = None) -> Command:
        """`cometresp` with these words, a server and the state file of a folder."""
        folder = state or self.home / "state"
        return Command((*self._ours, *words), {**self._api(server), "COMETRESP_STATE_DIR": str(folder)})

    def floor(self, *words: str, server: Server | None = None) -> Command:
        """The bare program, installed as cometresp is: a script that imports a compiled module."""
        script = self.home / "bare" / "floor"
        if not script.exists():
            script.parent.mkdir()
            shutil.copy(Path(__file__).with_name("floor.py"), script.parent)
            script.write_text("import sys\nfrom floor import main\nsys.exit(main())\n")
        environ = {**self._api(server), "FLOOR_DATABASE": str(self.home / "floor.db")}
        return Command((sys.executable, str(script), *words), environ)

    def curl(self, body: str, server: Server | None = None) -> Command | None:
        """`curl -N` of a request; None where there is no `curl`."""
        curl = shutil.which("curl")
        if curl is None:
            return None
        url = f"{(server or self.server).url}/responses"
        heads = ("-H", "Authorization: Bearer sk-none", "-H", "Content-Type: application/json", "-H", "Expect:")
        return Command((curl, "-sSN", "--cacert", str(self.bundle), *heads, "-d", body, url), self.environ)

    def _api(self, server: Server | None) -> dict[str, str]:
        given = server or self.server
        trust = {"SSL_CERT_FILE": str(self.bundle)} if given.url.startswith("https:") else {}
        settings = {
            "COMETAPI_KEY": "sk-none",
            "COMETAPI_BASE_URL": given.url,
            "COMETAPI_DEFAULT_MODEL": "m",
        }
        return {**self.environ, **trust, **settings}

    def state(self, shape: Shape, turns: int) -> Path:
        """The folder of a state file of so many turns, which is made once."""
        if (shape, turns) not in self._states:
            folder = self.home / f"{shape}-{turns}"
            make(folder, shape, turns=turns, chains=max(turns // 20, 1), base_url=self.server.url)
            self._states[shape, turns] = folder
        return self._states[shape, turns]

    @property
    def servers(self) -> list[tuple[str, Server]]:
        """The servers by the name of their scheme."""
        return [("http", self.server), *([("https", self.secure)] if self.secure else [])]


@contextmanager
def grounds(plan: Plan) -> Iterator[Ground]:
    """A ground whose home is removed at the end."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        certificate = make_certificate(home)
        secure = stack.enter_context(serving(certificate)) if certificate else None
        ground = Ground(home, stack.enter_context(serving()), secure, plan)
        if certificate:  # among those of all authorities, since that is what every program loads
            public = certificate.with_name("certificate.pem").read_bytes()
            ground.bundle.write_bytes(Path(certifi.where()).read_bytes() + public)
        yield ground
