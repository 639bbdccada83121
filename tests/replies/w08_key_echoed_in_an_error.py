"""An HTTP error whose body and headers repeat the key that was sent."""

from tests.replies.case import Run, Shows
from tests.scripted import Request, json_reply

SEEN = "one-api and new-api gateways: 401 with the token in its message"
KEY = "sk-0123456789/abcdef+"
LINE = "HTTP 401 invalid_token: Invalid token: Bearer *** (request id: ***)"
SHOWN = Shows(code=77, err=f"cometresp: error: {LINE}\nhint: check the key in COMETAPI_KEY\n")


def _reply(request: Request) -> bytes:
    token = request.headers["authorization"]
    error = {"error": {"message": f"Invalid token: {token}", "code": "invalid_token"}}
    return json_reply(error, 401, **{"X-Request-Id": token.removeprefix("Bearer ")})


AS_JSON = (
    f'{{"error": {{"message": "{LINE}", "hint": "check the key in COMETAPI_KEY", "exit_code": 77, "status": 401,'
    ' "code": "invalid_token", "param": null, "request_id": "***"'
)
RUNS = {
    "errors": Run(
        [
            ("ask hi", SHOWN),
            ("stream --json hi", SHOWN),
            ("get resp_1", SHOWN),
            ("items resp_1", SHOWN),
            ("delete resp_1", SHOWN),
            ("ask --error-format json hi", Shows(code=77, err=lambda err: err.startswith(AS_JSON))),
            (
                "ask --debug hi",
                Shows(code=77, err=lambda err: "< x-request-id: ***\n" in err and "> authorization: ***\n" in err),
            ),
        ],
        by=_reply,
        env={"COMETAPI_KEY": KEY},
    )
}
