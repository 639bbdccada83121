"""What is said where a server doesn't know the model: the nearest names of its catalogue, from the cache alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from cometresp.errors import CometrespError, Next
from cometresp.runtime import Runtime
from cometresp.text import escape_line

_LONGEST = 100  # characters of a name


@contextmanager
def naming_near_models(runtime: Runtime, model: object) -> Iterator[None]:
    """The block that sends a request for this model; its error says which models were perhaps meant."""
    try:
        yield
    except CometrespError as error:
        if error.details.code == "model_not_found" and isinstance(model, str):
            _name_near(error, runtime, model)
        raise


def _name_near(error: CometrespError, runtime: Runtime, model: str) -> None:
    from cometresp.catalogue.cache import cache_folder, read_models
    from cometresp.catalogue.entries import RESPONSES
    from cometresp.catalogue.near import near
    from cometresp.catalogue.select import speaks

    kept = read_models(cache_folder(os.environ), runtime.url)
    if kept is None:
        return
    known = next((one for one in kept[1] if one.id == model), None)
    if known is not None and not speaks(known):
        what = f"the catalogue has it for {', '.join(known.endpoints or ())}, not for {RESPONSES}"
    else:
        names = near(model, [one.id for one in kept[1] if speaks(one)])
        shown = [name for name in names if escape_line(name, _LONGEST) == name]
        if not shown:
            return
        what = f"did you mean {' or '.join(filter(None, (', '.join(shown[:-1]), shown[-1])))}?"
    mark = "" if what.endswith("?") else ";"
    error.with_hint((f"{what}{mark} ", Next("models"), " lists the server's models"))
