"""The declaration that `ask`, `stream` and `continue` share: its type, and the call that ends it."""

from typing import Annotated

from typer import Argument

Words = Annotated[
    list[str] | None,
    Argument(metavar="PROMPT…", help="What to ask. The word - is standard input.", show_default=False),
]
