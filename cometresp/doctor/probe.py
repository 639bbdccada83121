"""What the server takes, found out by one request each. Nothing is recorded."""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from cometresp.answer.answer import Answer
from cometresp.answer.verdict import verdict
from cometresp.catalogue.entries import entries_in
from cometresp.errors import CometrespError, KeyProblemError, StoppedError, UsageError
from cometresp.render.screen import Nothing
from cometresp.runtime import Runtime
from cometresp.tuples import NamedTuple
from cometresp.turns.exchange import exchange
from cometresp.wire.json import Json

if TYPE_CHECKING:
    from cometresp.catalogue.price import Price
    from cometresp.client.client import Client

PROMPT = "Say hello."
_MOST_OUTPUT = 16  # tokens: the least limit that the API takes
_MOST_INPUT = 100  # tokens of a prompt of two words, with what servers and models add
_RESPONSES = 3
_SHOWN = 200  # characters of a message


class Trial(NamedTuple):
    """What was tried, whether it worked, and what came of it. None: it wasn't tried."""

    name: str
    works: bool | None
    detail: str
    error: CometrespError | None = None


def cost_at_most(price: "Price | None") -> float | None:
    """USD for all responses of a probe; None where the price isn't known."""
    if price is None:
        return None
    once = price.of_tokens(input_tokens=_MOST_INPUT, cached_tokens=0, output_tokens=_MOST_OUTPUT)
    return once * _RESPONSES


def what_it_costs(runtime: Runtime, model: str | None, price: "Price | None") -> str:
    """A sentence about what the probe sends, and what that costs at most."""
    if model is None:
        return f"one request to {runtime.base_url}, for its models; it costs nothing"
    if runtime.offline:
        return "five requests to the emulator; they cost nothing"
    cost = cost_at_most(price)
    usd = f"at most ~${cost:.4f} by the list price" if cost is not None else "its price isn't known"
    asks = f"{_RESPONSES} of them ask {model} for at most {_MOST_OUTPUT} tokens each"
    return f"five requests to {runtime.base_url}; {asks}: {usd}"


def probe(runtime: Runtime, model: str | None) -> Iterator[Trial]:
    """Try everything, one after the other. Without a response there is nothing to fetch or to continue."""
    try:
        with runtime.client() as client:
            yield from _trials(client, model)
    except StoppedError:
        raise
    except CometrespError as error:
        yield Trial("response", False, error.message, error)


def _trials(client: "Client", model: str | None) -> Iterator[Trial]:
    yield _tried("models", lambda: _models(client))
    if model is None:
        missing = UsageError("no model: there is nothing to ask", hint="-m MODEL names one")
        yield Trial("response", False, missing.message, missing)
        return
    first = Answer()
    response = _tried("response", lambda: _created(client, first, model))
    yield response
    if not response.works or not first.id:
        why = "not tried: there is no response" if not response.works else "not tried: the response has no id"
        yield from (Trial(name, None, why) for name in ("get", "previous_response_id"))
    else:
        yield _tried("get", lambda: _fetched(client, first.id))
        yield _tried("previous_response_id", lambda: _continued(client, first, model))
    if response.works:
        yield _tried("background", lambda: _created(client, Answer(), model, background=True, store=True))
    else:
        yield Trial("background", None, "not tried: there is no response")


def _tried(name: str, run: Callable[[], str]) -> Trial:
    started = time.monotonic()
    try:
        detail = run()
    except StoppedError:
        raise
    except CometrespError as error:
        return Trial(name, False, " ".join(error.message.split())[:_SHOWN], error)
    return Trial(name, True, f"{detail} · {time.monotonic() - started:.1f} s")


def _models(client: "Client") -> str:
    """The list of OpenAI's kind needs the key; CometAPI's catalogue doesn't."""
    try:
        data = client.models(_is_list)
    except (KeyProblemError, StoppedError):
        raise
    except CometrespError:
        data = client.models(_is_list, public=True)
    return f"{len(entries_in(data) or [])} models"


def _is_list(data: Any) -> bool:
    return entries_in(data) is not None


def _created(client: "Client", answer: Answer, model: str, **more: Any) -> str:
    body: Json = {"model": model, "input": PROMPT, "max_output_tokens": _MOST_OUTPUT, **more}
    if not more.get("background"):
        body["stream"] = True
    with client.create(body) as events:
        exchange(events, answer, Nothing(), lambda _: None)
    error = verdict(answer, allow_incomplete=True, background=bool(more.get("background")))
    if error is not None:
        raise error
    return _described(answer)


def _fetched(client: "Client", response_id: str) -> str:
    answer = Answer()
    with client.get(response_id) as events:
        exchange(events, answer, Nothing(), lambda _: None)
    return answer.status


def _continued(client: "Client", first: Answer, model: str) -> str:
    """Whether the server has the earlier turn: then the second has more input."""
    answer = Answer()
    said = _created(client, answer, model, previous_response_id=first.id)
    before, after = (_count(one, "input_tokens") for one in (first, answer))
    if before is not None and after is not None and after <= before:
        return f"{said}, but it has no more input than the first: the server may not have remembered"
    return said


def _described(answer: Answer) -> str:
    tokens = [_count(answer, name) for name in ("input_tokens", "output_tokens")]
    counted = f", {tokens[0]} tokens in, {tokens[1]} out" if None not in tokens else ""
    return f"{answer.status}{counted}"


def _count(answer: Answer, name: str) -> int | None:
    value = answer.usage.get(name) if answer.usage else None
    return value if isinstance(value, int) else None
