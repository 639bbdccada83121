"""A call of a function that has no program here."""

from tests.replies.case import b1, everywhere
from tests.scripted import call, ended, sse

SEEN = "every server"

RUNS = everywhere(
    sse(ended(b1(call()))),
    "",
    5,
    "cometresp: error: waiting for the output of call_1 weather {}\nhint: cometresp continue --tool-output call_1=…\n",
    without=("functions",),
)
