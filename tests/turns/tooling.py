"""A file of functions, and a server that calls them."""

from typing import Any

from tests.conftest import Command
from tests.scripted import call, created, ended, response, sse, text_stream

TOOLS = '''
import os, time

def weather(city: str) -> dict:
    """The weather now."""
    return {"city": city, "degrees": 21}

def touch(path: str) -> str:
    """Make a file."""
    open(path, "w").close()
    return "made"

def wait(path: str) -> str:
    """Never ends."""
    with open(path, "w") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(1000)
    return "never"

def fail(text: str) -> str:
    """Raises."""
    raise ValueError(text)
'''
# The program, with a minute in which a second interrupt cancels, not two seconds: a busy machine may take those to send
# it. The cancel may take one second, not five.
PATIENT = (
    "-c",
    """
from cometresp.turns import send
send._CANCEL_SECONDS, send._CANCEL_LIMIT = 60.0, 1.0
from cometresp.__main__ import main
main()
""",
)
USAGE = {"input_tokens": 10, "output_tokens": 1, "total_tokens": 11}


def calling(*calls: dict[str, Any], response_id: str = "resp_1", **more: Any) -> bytes:
    whole = response(*calls, response_id=response_id, **{"usage": USAGE, **more})
    return sse(created(response_id), ended(whole))


def answering(text: str = "21 degrees", response_id: str = "resp_2", **more: Any) -> bytes:
    return text_stream(text, response_id=response_id, **{"usage": USAGE, **more})


def oslo(call_id: str = "call_1") -> dict[str, Any]:
    return call("weather", call_id, '{"city":"Oslo"}') | {"id": f"fc_{call_id}"}


OSLO = {"type": "function_call_output", "call_id": "call_1", "output": '{"city": "Oslo", "degrees": 21}'}


def allowed(tools: Command, *words: str, **more: Any) -> Any:
    return tools("ask", "--functions", "tools.py", "--approve", "always", *words, **more)


TOUCH = call("touch", arguments='{"path":"touched"}')


ROLL = {"type": "mcp_approval_request", "id": "mcpr_1", "server_label": "dmcp", "name": "roll", "arguments": "{}"}
