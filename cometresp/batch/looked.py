"""What the command lines of the provider's lane ask for."""

from cometresp.batch.asked import Asked
from cometresp.tuples import NamedTuple


class Looked(NamedTuple):
    """A look at one batch, or at the last `number` ones where there is no `id`. `wait`: until it has ended."""

    id: str | None
    wait: bool
    as_json: bool
    number: int


class Outputs(NamedTuple):
    """Where results go. `file` is None for standard output; failed requests go to `errors`, if that is given.

    `as_text`: custom_id, text, exit, usage and cost of each, not the whole response.
    """

    file: str | None = None
    errors: str | None = None
    as_text: bool = False


class Fetching(NamedTuple):
    id: str
    wait: bool
    outputs: Outputs


class Submission(NamedTuple):
    """An input, and what becomes of it. `metadata` are KEY=VALUE pairs of the batch, not of its requests."""

    asked: Asked
    inline: bool
    window: str
    metadata: tuple[str, ...]
    wait: bool
    as_json: bool
    outputs: Outputs
