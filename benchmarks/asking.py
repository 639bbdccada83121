"""One request from Enter to the exit code: the first byte at the server, the first delta on stdout, the end."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

from benchmarks.ground import Ground
from benchmarks.measure import Command, in_turn, run
from benchmarks.peers import peers
from benchmarks.servers import Answer, Seen, Server
from benchmarks.table import Row, alone, compared, skipped

BODY = json.dumps({"model": "m", "input": "hi", "stream": True})
PAUSE = 0.5  # before the first delta, as models take: the program has recorded the response and waits


class Trip(NamedTuple):
    """One request, in milliseconds. `asked`: until its first byte was at the server. `lag`: of the first delta."""

    wall: float
    cpu: float
    asked: float
    lag: float


Field = Literal["wall", "cpu", "asked", "lag"]
Trips = dict[str, list[Trip]]


def rows(ground: Ground) -> Iterator[Row]:
    for scheme, server in ground.servers:
        yield from _requests(ground, scheme, server)
        yield from _deltas(ground, scheme, server)
        if ground.plan.peers:
            yield from _peers(ground, scheme, server)
    if ground.secure is None:
        yield skipped("the same over https", "there is no `openssl` to make a certificate")


def _requests(ground: Ground, scheme: str, server: Server) -> Iterator[Row]:
    """From Enter to the request, and to the end."""
    trips = taken(server, {"pass": ground.idle, **_programs(ground, server)}, ground.rounds())
    for verb in ("ask", "stream"):
        yield _row(f"`{verb} hi`, {scheme}, wall", trips, verb, "floor", "wall", 0.9)
        yield _row(f"`{verb} hi`, {scheme}, CPU", trips, verb, "floor", "cpu", 0.9)
    yield _row(f"`ask hi`, {scheme}, CPU", trips, "ask", "pass", "cpu")
    yield _row(f"`ask`, first delta that is sent at once, {scheme}", trips, "ask", "floor", "lag")
    for other in ("floor", "curl"):
        if other in trips:
            yield _row(f"Enter to the request's first byte, {scheme}", trips, "ask", other, "asked")


def _deltas(ground: Ground, scheme: str, server: Server) -> Iterator[Row]:
    """From the first delta on the socket to stdout, which a program is waiting for."""
    server.answer = Answer(pause=0.0 if ground.plan.quick else PAUSE)
    programs = {name: command for name, command in _programs(ground, server).items() if name != "curl"}
    trips = taken(server, programs, ground.rounds(11))
    server.answer = Answer()
    floor = f"floor: {sorted(trip.lag for trip in trips['floor'])[len(trips['floor']) // 2]:.2f} ms"
    for verb in ("ask", "stream"):
        lags = [trip.lag for trip in trips[verb]]
        yield alone(f"`{verb}`, first delta after it was sent, {scheme}", lags, "ms", bound=2, beside=floor)


def _peers(ground: Ground, scheme: str, server: Server) -> Iterator[Row]:
    others = {f"{peer.name} ({peer.api})": peer.command for peer in peers(ground, server, "hi")}
    trips = taken(server, {"ask": ground.ours("ask", "hi", server=server), **others}, ground.rounds(7))
    for name in others:
        bound = 0.1 if name.startswith("llm") else None
        yield _row(f"`ask hi`, {scheme}, wall", trips, "ask", name, "wall", bound)
        yield _row(f"`ask hi`, {scheme}, CPU", trips, "ask", name, "cpu", bound)
        yield _row(f"Enter to the request's first byte, {scheme}", trips, "ask", name, "asked")


def _programs(ground: Ground, server: Server) -> dict[str, Command]:
    curl = ground.curl(BODY, server)
    return {
        "ask": ground.ours("ask", "hi", server=server),
        "stream": ground.ours("stream", "hi", server=server),
        "floor": ground.floor("hi", server=server),
        **({"curl": curl} if curl else {}),
    }


def taken(server: Server, commands: Mapping[str, Command], runs: int) -> Trips:
    """The trips of each command to a server, in turn."""

    def trip_of(command: Command) -> Callable[[], Trip]:
        return lambda: _trip(server, command)

    return dict(zip(commands, in_turn([trip_of(command) for command in commands.values()], runs), strict=True))


def _trip(server: Server, command: Command) -> Trip:
    server.seen.clear()
    sample = run(command)
    seen = server.seen[0] if server.seen else Seen(sample.began, sample.first)
    times = (sample.wall, sample.cpu, seen.asked - sample.began, sample.first - seen.answered)
    return Trip(*(seconds * 1000 for seconds in times))


def _row(what: str, trips: Trips, ours: str, theirs: str, field: Field, bound: float | None = None) -> Row:
    mine, other = ([getattr(trip, field) for trip in trips[name]] for name in (ours, theirs))
    return compared(what, mine, other, theirs, bound=bound)
