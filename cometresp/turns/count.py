"""`--count-tokens`: how many input tokens a request has, counted by the server, else estimated (API 1, #6)."""

from cometresp.errors import CometrespError
from cometresp.options.asked import Asked
from cometresp.request.secrets import add_secrets, resolved_body
from cometresp.runtime import Runtime
from cometresp.state.records import Turn
from cometresp.text import escape_line, to_bytes
from cometresp.turns.by_items import posted
from cometresp.turns.lookup import of_the_server, offers_no_such_path
from cometresp.turns.prepare import Prepared
from cometresp.turns.unknown_model import naming_near_models
from cometresp.wire.json import Json


def count_tokens(asked: Asked, runtime: Runtime, prepared: Prepared) -> None:
    """Print the number on a line of its own, or the server's object as JSON. Nothing is recorded."""
    body = resolved_body(prepared.body, runtime.terminal.environ)
    add_secrets(body, runtime.secrets)
    parent = prepared.plan.parent
    with naming_near_models(runtime, body.get("model")), runtime.client() as client:
        try:
            counted = posted(client.count_tokens, body, runtime, parent, prepared.new_items)
        except CometrespError as error:
            if not offers_no_such_path(error):
                raise
            counted = _estimated(runtime, body, parent, of_the_server(error, "doesn't count tokens").message)
    if body.get("prompt") is not None:
        runtime.terminal.warn("--count-tokens: the prompt of --prompt-id is not counted")
    if asked.output.json or asked.output.format == "json":
        runtime.terminal.print_json(counted)
    else:
        runtime.terminal.write(to_bytes(f"{counted['input_tokens']}\n"))


def _estimated(runtime: Runtime, body: Json, parent: Turn | None, reason: str) -> Json:
    """An estimate in place of the server's object, with a warning that it is one."""
    from cometresp.request.estimate import earlier_tokens, estimated_tokens

    earlier = earlier_tokens(body, parent.id, parent.usage) if parent is not None else None
    tokens, left_out = estimated_tokens(body, earlier)
    without = f"; without {' and '.join(left_out)}" if left_out else ""
    warning = f"{reason}; {tokens} is an estimate, from the number of bytes{without}"
    runtime.terminal.warn(escape_line(warning))
    return {"object": "response.input_tokens", "input_tokens": tokens, "estimated": True}
