"""Start-up: what it takes until a command that asks nobody has ended."""

from collections.abc import Iterator

from benchmarks.ground import Ground
from benchmarks.measure import Command, Sample, commands_in_turn
from benchmarks.table import Row, compared


def rows(ground: Ground) -> Iterator[Row]:
    few, many = ground.state("one", 10), ground.state("chains", ground.size(100_000, 200))
    cases: list[tuple[str, Command, float | None]] = [
        ("`--version`", ground.ours("--version"), 2),
        ("`ask -h`", ground.ours("ask", "-h"), None),
        ("`ask --dry-run hi`", ground.ours("ask", "--dry-run", "hi"), 8),
        ("TAB after `ask --fo`", completing(ground.ours(state=few), "cometresp ask --fo"), None),
    ]
    commands = [ground.idle, *(command for _, command, _ in cases)]
    base, *found = commands_in_turn(commands, ground.rounds())
    for (name, _, bound), samples in zip(cases, found, strict=True):
        yield compared(f"{name}, wall", walls(samples), walls(base), "pass", bound=bound)
        yield compared(f"{name}, CPU", cpus(samples), cpus(base), "pass", bound=bound)
    line = "cometresp continue --chain "
    at_few, at_many = (completing(ground.ours(state=state), line) for state in (few, many))
    base, short, long = commands_in_turn([ground.idle, at_few, at_many], ground.rounds())
    name = "TAB at the name of a chain"
    turns = f"{ground.size(100_000, 200):,} turns"
    yield compared(f"{name}, 10 turns, wall", walls(short), walls(base), "pass")
    yield compared(f"{name}, {turns}, wall", walls(long), walls(short), "10 turns")
    yield compared(f"{name}, {turns}, CPU", cpus(long), cpus(short), "10 turns")


def completing(command: Command, line: str) -> Command:
    """The command as bash asks it what can stand at the end of a line."""
    return command.with_words(_COMETRESP_COMPLETE="bash", _COMETRESP_LINE=line, _COMETRESP_BREAKS=" \t\n\"'><=;|&(:")


def walls(samples: list[Sample]) -> list[float]:
    """The wall times in milliseconds."""
    return [sample.wall * 1000 for sample in samples]


def cpus(samples: list[Sample]) -> list[float]:
    """The CPU times in milliseconds."""
    return [sample.cpu * 1000 for sample in samples]
