"""What commands cost with many recorded turns, beside ten."""

from collections.abc import Iterator

from benchmarks.ground import Ground
from benchmarks.measure import commands_in_turn
from benchmarks.servers import Answer
from benchmarks.starting import cpus, walls
from benchmarks.states import RARE, Shape
from benchmarks.table import Row, alone, compared

COMMANDS: list[tuple[str, tuple[str, ...], float | None]] = [
    ("ask", ("ask", "-q", "--chain", "new", "hi"), 1.1),
    ("continue", ("continue", "-q", "hi"), 1.1),
    ("log", ("log",), None),
    ("chains", ("chains",), 3),
]


def rows(ground: Ground) -> Iterator[Row]:
    ground.server.answer = Answer()
    turns = ground.size(100_000, 400)
    few = ground.state("one", 10)
    shapes: dict[Shape, str] = {
        "chains": f"{turns:,} turns in {turns // 20:,} chains",
        "one": f"{turns:,} turns in one chain",
        "branches": f"{turns:,} turns, {turns // 20:,} branches of one chain",
    }
    states = {shape: ground.state(shape, turns) for shape in shapes}
    for name, words, bound in COMMANDS:
        commands = [ground.ours(*words, state=state) for state in (few, *states.values())]
        base, *found = commands_in_turn(commands, ground.rounds(7))
        for shape, samples in zip(shapes, found, strict=True):
            what = f"`{name}`, {shapes[shape]}"
            yield compared(f"{what}, CPU", cpus(samples), cpus(base), "10 turns", bound=bound)
            yield compared(f"{what}, wall", walls(samples), walls(base), "10 turns")
    commands = [ground.ours("log", "-q", RARE, state=state) for state in (few, states["chains"])]
    base, samples = commands_in_turn(commands, ground.rounds(3))
    what = f"`log -q` of a word that one turn has, {shapes['chains']}"
    yield alone(f"{what}, wall", [value / 1000 for value in walls(samples)], "s", bound=1)
    yield compared(f"{what}, CPU", cpus(samples), cpus(base), "10 turns")
    yield from _replay(ground)


def _replay(ground: Ground) -> Iterator[Row]:
    """Turns that are sent again, each with its prompt and its answer."""
    items = ground.size(1_000, 40)
    words, state = ("continue", "-q", "--no-save"), ground.state("one", items // 2)
    commands = [ground.ours(*words, *replay, "hi", state=state) for replay in ((), ("--replay",))]
    bare, replayed = commands_in_turn(commands, ground.rounds(7))
    yield compared(f"`continue --replay` of {items:,} items, wall", walls(replayed), walls(bare), "`continue`")
    yield compared(f"`continue --replay` of {items:,} items, CPU", cpus(replayed), cpus(bare), "`continue`")
