"""`--fallback-model`: the models that are asked in place of one that is overloaded, limited or unknown."""

from collections.abc import Callable

from cometresp.errors import CometrespError, RateLimitedError, RequestRefusedError, UnreachableError
from cometresp.text import escape_line
from cometresp.wire.json import Json, obj
from cometresp.wire.refusals import refuses_model, refuses_previous

_SERVER_ERROR = 500


class Fallbacks:
    """The models that are left to ask. `current` is the one that is asked in place of the request's, None at first."""

    def __init__(self, models: list[str], model: str | None, warn: Callable[[str], None]) -> None:
        self.current: str | None = None
        self._asked = model or "the model of the prompt"
        self._left = [name for name in dict.fromkeys(models) if name != model]
        self._warn = warn

    def take(self, error: CometrespError, *, chained: bool) -> bool:
        """Whether another model is to be asked after this error, which came before anything of an answer.

        A refusal of the previous response (`chained`) isn't about the model.
        """
        if not self._left or not _is_of_model(error) or (chained and refuses_previous(error)):
            return False
        asked, self.current = self.current or self._asked, self._left.pop(0)
        said = error.message.removesuffix(".")
        self._warn(f"{escape_line(asked)} answered {said}; asking {escape_line(self.current)} instead")
        return True


def for_model(body: Json, model: str) -> Json:
    """The body for another model, without reasoning of an earlier one in it, which it couldn't read (API 3.3)."""
    if body.get("model") == model:
        return body
    body, items = body | {"model": model}, body.get("input")
    if not isinstance(items, list):
        return body
    return body | {"input": [item for item in items if obj(item).get("type") != "reasoning"]}


def _is_of_model(error: CometrespError) -> bool:
    """Whether another model of the same server may answer: 429, 5xx after all retries, or an unknown model."""
    if isinstance(error, RequestRefusedError):
        return refuses_model(error)
    if isinstance(error, UnreachableError):
        return (error.details.status or 0) >= _SERVER_ERROR
    return isinstance(error, RateLimitedError)
