"""The declaration that `ask`, `stream` and `continue` share: its type, and the call that ends it."""

from typing import Annotated

import typer
from typer import Argument

from cometresp.options.tables import complete_ids

ResponseId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="A response id; - reads it from standard input, last and @CHAIN name one.",
        autocompletion=complete_ids,
    ),
]

Json = Annotated[bool, typer.Option("--json", help="What the server replied, as JSON.")]

Words = Annotated[
    list[str] | None,
    Argument(metavar="PROMPT…", help="What to ask. The word - is standard input.", show_default=False),
]

Offline = Annotated[bool, typer.Option("--offline", help="The emulator's own state.")]
