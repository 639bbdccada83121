"""Generated images on terminals that take them, and how they are kept."""

import base64
import io
import re
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import pytest

from cometresp.emulator.hosted import PNG
from cometresp.errors import ExitCode, StoppedError
from cometresp.render.images import Room, inline, png_size, show_images
from cometresp.render.known import image_protocol
from cometresp.terminal import Terminal
from cometresp.wire.images import decoded
from tests.conftest import Command, Forker
from tests.scripted import Wire, created, ended, message, response, sse

KEEPS = "--save-images DIR keeps it: cometresp get resp_1 --save-images DIR"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int = 1, height: int = 1, *, depth: int = 8, data: bytes = b"", end: bytes = b"IEND") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    data = data or zlib.compress(bytes((width + 1) * height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(end, b"")


def item(data: bytes = png(300, 200), **more: object) -> dict[str, Any]:
    result = base64.b64encode(data).decode()
    return {"id": "ig_1", "type": "image_generation_call", "status": "completed", "result": result, **more}


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (png(), (1, 1)),
        (png(300, 200) + b"after its end", (300, 200)),
        (png()[:-1], None),
        (png(end=b"tEXt"), None),
        (png(depth=7), None),
        (png(0, 1), None),
        (png(10_001, 1), None),
        (png(9_000, 9_000, data=b"x"), None),
        (png().replace(b"IHDR", b"IHDX"), None),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"<svg/>", None),
        (b"", None),
    ],
)
def test_only_a_well_formed_png_of_a_sane_size_is_one(data: bytes, size: tuple[int, int] | None) -> None:
    assert png_size(data) == size


def test_the_emulators_image_is_well_formed() -> None:
    assert png_size(decoded(PNG)) == (1, 1)


def test_an_image_for_kitty_comes_in_chunks_that_make_the_same_png() -> None:
    data = png(300, 200, data=bytes(range(256)) * 40)
    code = inline(data, "kitty", Room(80, 24)).decode()
    codes = re.findall(r"\x1b_G([^;]*);([A-Za-z0-9+/=]{1,4096})\x1b\\", code)
    assert "".join(f"\x1b_G{keys};{text}\x1b\\" for keys, text in codes) + "\n" == code
    assert base64.b64decode("".join(text for _, text in codes)) == data
    assert [keys for keys, _ in codes] == ["a=T,f=100,q=2,c=30,m=1", "q=2,m=1", "q=2,m=1", "q=2,m=0"]


def test_an_image_for_iterm2_is_one_code() -> None:
    gif = b"GIF89a" + bytes(20) + b";"
    for data, extent in ((png(300, 200), "width=30"), (gif, "height=16")):
        head = f"\x1b]1337;File=inline=1;size={len(data)};{extent};preserveAspectRatio=1:".encode()
        assert inline(data, "iterm", Room(80, 24)) == head + base64.b64encode(data) + b"\a\n"
    assert inline(gif, "kitty", Room(80, 24)) == b""
    assert inline(gif[:-1], "iterm", Room(80, 24)) == b""


@pytest.mark.parametrize(
    ("size", "extent"),
    [((4000, 100), "c=79"), ((1024, 1024), "r=16"), ((1, 9000), "r=16"), ((20, 20), "c=2"), ((1, 1), "c=1")],
)
def test_an_image_never_exceeds_the_window(size: tuple[int, int], extent: str) -> None:
    assert f",{extent},m=".encode() in inline(png(*size), "kitty", Room(80, 24))


@pytest.mark.parametrize(
    ("environ", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"KITTY_WINDOW_ID": "1", "TERM": "xterm-256color"}, "kitty"),
        ({"KITTY_WINDOW_ID": "1", "TERM_PROGRAM": "vscode"}, None),
        ({"KITTY_WINDOW_ID": "1", "TMUX": "/tmp/x"}, None),
        ({"KITTY_WINDOW_ID": "1", "TERM": "screen"}, None),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"LC_TERMINAL": "iTerm2"}, "iterm"),
        ({"TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({"KONSOLE_VERSION": "220400"}, "iterm"),
        ({"KONSOLE_VERSION": "211200"}, None),
        ({"TERM_PROGRAM": "Apple_Terminal"}, None),
        ({"TERM": "xterm-256color"}, None),
    ],
)
def test_images_are_only_for_terminals_known_to_take_them(environ: Mapping[str, str], protocol: str | None) -> None:
    assert image_protocol(environ) == protocol


@pytest.mark.parametrize(
    ("words", "env", "shown"),
    [
        (["ask"], {"TERM": "xterm-kitty"}, "\x1b_Ga=T,f=100,q=2,c=30,m=0;"),
        (["stream"], {"TERM_PROGRAM": "WezTerm"}, "\x1b]1337;File=inline=1;size="),
        (["ask", "--save-images", "pictures"], {"TERM": "xterm-kitty"}, "\x1b_Ga=T,f=100,q=2,c=30,m=0;"),
        (["ask", "--plain"], {"TERM": "xterm-kitty"}, ""),
        (["ask", "-F", "text"], {"TERM": "xterm-kitty"}, ""),
        (["ask", "-o", "answer"], {"TERM": "xterm-kitty"}, ""),
        (["ask"], {"TERM": "xterm-kitty", "CI": "1"}, ""),
        (["ask"], {}, ""),
    ],
    ids=str,
)
def test_a_generated_image_is_shown_where_it_was_made_and_its_keeping_is_told(
    ask: Command, wire: Wire, forker: Forker, words: list[str], env: dict[str, str], shown: str
) -> None:
    wire.answer(sse(created(), ended(response(item(), message("made")))))
    screen = forker.run(ask, [*words, "hi"], env={**env, "NO_COLOR": "1"}, terminal=True).text
    assert (shown in screen) if shown else not re.search(r"\x1b[_\]]", screen)
    line, image, text = (screen.find(sign) for sign in ("image generation", shown, "made"))
    assert not shown or line < image < text
    assert screen.count(KEEPS) == int("--save-images" not in words)


def test_an_image_that_is_none_is_not_shown(ask: Command, wire: Wire, forker: Forker) -> None:
    for broken in (item(b"\x1b]52;c;aGk=\x07"), item(result="no base64!"), item(png()[:-4])):
        wire.answer(sse(created(), ended(response(broken, message("made")))))
        screen = forker.run(ask, ["ask", "hi"], env={"TERM": "xterm-kitty"}, terminal=True).text
        assert ("made" in screen, "\x1b_G" in screen, "\x1b]" in screen) == (True, False, False)


def test_an_interrupt_leaves_no_image_half_written() -> None:
    class Interrupted(io.BytesIO):
        def write(self, _: object) -> int:
            raise StoppedError(ExitCode.INTERRUPTED, "interrupted")

    err = io.BytesIO()
    terminal = Terminal(None, Interrupted(), err, stdout_tty=True, stderr_tty=True, environ={"TERM": "xterm-kitty"})
    with pytest.raises(StoppedError):
        show_images(item(), terminal, (80, 24))
    assert err.getvalue() == b"\x1b\\\x1b_Gm=0,q=2;\x1b\\"


@pytest.mark.parametrize(
    ("output", "more", "said"),
    [
        ([item(), item(id="ig_2")], {}, "keeps them: cometresp get resp_1 --save-images DIR"),
        ([item()], {"store": False}, "--save-images DIR keeps a generated image\n"),
        ([item(result="")], {}, ""),
    ],
)
def test_how_images_are_kept_is_said_as_far_as_it_can_be(
    ask: Command, wire: Wire, forker: Forker, output: list[dict[str, Any]], more: dict[str, Any], said: str
) -> None:
    wire.answer(sse(created(), ended(response(*output, message("made"), **more))))
    screen = forker.run(ask, ["ask", "hi"], terminal=True).text
    assert said in screen if said else "--save-images" not in screen
    assert "--save-images" not in forker.run(ask, ["ask", "--json", "hi"], terminal=True).text
    assert list(ask("ask", "hi")) == [0, "made\n", ""]
