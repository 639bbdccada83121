"""What is said where a server doesn't know the model: the nearest names of its catalogue, from the cache alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from cometresp.errors import CometrespError, Hint, Next, TurnError
from cometresp.runtime import Runtime
from cometresp.text import escape_line

_LONGEST = 100  # characters of a name


@contextmanager
def naming_near_models(runtime: Runtime, model: object) -> Iterator[None]:
    """The block that sends a request for this model; its error says which models were perhaps meant."""
    try:
        yield
    except CometrespError as error:
        if hint := _near(error, runtime, model):
            error.with_hint(hint)
        raise


@contextmanager
def naming_near_models_of_answers(runtime: Runtime, model: object) -> Iterator[None]:
    """The same for a run, whose answers may hold the error: some servers report it in a stream that began."""
    try:
        yield
    except TurnError as error:
        if hint := _near(error, runtime, model):
            error.and_hint(hint)
        raise


def _near(error: CometrespError, runtime: Runtime, model: object) -> Hint:
    if error.details.code != "model_not_found" or not isinstance(model, str):
        return ""
    from cometresp.catalogue.cache import cache_folder, read_models
    from cometresp.catalogue.entries import RESPONSES
    from cometresp.catalogue.near import near
    from cometresp.catalogue.select import speaks

    kept = read_models(cache_folder(os.environ), runtime.url)
    if kept is None:
        return ""
    known = next((one for one in kept[1] if one.id == model), None)
    if known is not None and not speaks(known):
        what = f"the catalogue has it for {', '.join(known.endpoints or ())}, not for {RESPONSES}"
    else:
        names = near(model, [one.id for one in kept[1] if speaks(one)])
        shown = [name for name in names if escape_line(name, _LONGEST) == name]
        if not shown:
            return ""
        what = f"did you mean {' or '.join(filter(None, (', '.join(shown[:-1]), shown[-1])))}?"
    mark = "" if what.endswith("?") else ";"
    return (f"{what}{mark} ", Next("models"), " lists the server's models")
