"""Text from outside that would do something to a terminal."""

from tests.matrix.fault import Fault
from tests.scripted import call, created, delta, ended, error_reply, json_reply, message, response, sse, text_stream

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp\u202c \U000e0041\u2066x\u2069\r\x08"


FAULTS = [
    Fault("control and bidi characters in the text", text_stream(f"half {EVIL} end"), terminal=True),
    Fault(
        "character references for them",
        text_stream("half &#27;[2J &#155; &#8238; &rlm; &#x2028; &#xE0041; end"),
        terminal=True,
    ),
    Fault(
        "control characters in a link and in code",
        text_stream(f"[half {EVIL}](http://h/{EVIL} 'x') `{EVIL}`\n\n```py{EVIL}\n{EVIL}\n```\n"),
        terminal=True,
    ),
    Fault("control characters in an error", error_reply(400, f"no {EVIL}", f"c{EVIL}"), terminal=True),
    Fault(
        "control characters in a page",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + EVIL.encode(),
        terminal=True,
    ),
    Fault(
        "control characters in a failed response",
        sse(created(), delta("half"), ended(response(status="failed", error={"code": EVIL, "message": EVIL}))),
        terminal=True,
    ),
    Fault(
        "control characters in a call",
        json_reply(response(call(f"f{EVIL}", f"c{EVIL}", f'{{"x": "{EVIL}"}}'))),
        passes=True,
        terminal=True,
    ),
    Fault(
        "control characters in an id", json_reply(response(message("half"), response_id=f"resp{EVIL}")), terminal=True
    ),
    Fault("an id of two lines", json_reply(response(message("half"), response_id="resp_1\nresp_2")), terminal=True),
]
