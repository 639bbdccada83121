"""Keys in headers of other names, repeated by a redirect, an HTML page and the headers of a reply."""

from tests.replies.case import Run, Shows
from tests.scripted import Request, reply

SEEN = "Azure API Management, Azure Functions, Helicone; a login page of a company's proxy"
KEYS = "-H 'Ocp-Apim-Subscription-Key: s' -H 'X-Functions-Key: f-0123456789==' -H 'Helicone-Auth: Bearer h-1234'"
PAGE = "cometresp: error: HTTP 403: The key *** of Bearer *** may not be used\n"
HINT = "hint: the key may not use this model, or the balance is spent\n"
REDIRECT = (
    "cometresp: error: not the Responses API: HTTP 302, to https://login.example/?key=***&next=***\n"
    "hint: redirects are not followed; is the base URL right? it usually ends in /v1\n"
)
DEBUG = [
    "> ocp-apim-subscription-key: ***",
    "> x-functions-key: ***",
    "> helicone-auth: ***",
    "> x-team: ***",
    "> x-title: notes",
    "< x-seen: Bearer ***",
    "< location: https://login.example/?key=***&next=/",
]


def _reply(request: Request) -> bytes:
    key, auth = request.headers["x-functions-key"], request.headers["helicone-auth"]
    if b'"page"' in request.body:
        return reply(403, f"<html><b>The key {key} of {auth} may not be used</b></html>", "text/html")
    return reply(302, Location=f"https://login.example/?key={key.replace('=', '%3D')}&next=/", X_Seen=auth)


def _shows_all(err: str) -> bool:
    return not set(DEBUG) - set(err.splitlines())


RUNS = {
    "masked": Run(
        [
            (f"ask {KEYS} page", Shows(code=77, err=PAGE + HINT)),
            (f"ask {KEYS} hi", Shows(code=76, err=REDIRECT)),
            (f"ask {KEYS} -H 'X-Team: blue' -H 'X-Title: notes' --debug hi", Shows(code=76, err=_shows_all)),
        ],
        by=_reply,
    )
}
