"""The arguments and flags that several commands share."""

from typing import Annotated

from typer import Argument, Option

from cometresp.options.tables import complete_chains, complete_ids

Words = Annotated[
    list[str] | None,
    Argument(metavar="PROMPT…", help="What to ask. The word - is standard input.", show_default=False),
]
ResponseId = Annotated[
    str,
    Argument(
        metavar="ID",
        help="A response id; - reads it from standard input, last and @CHAIN name one.",
        autocompletion=complete_ids,
    ),
]
ChainName = Annotated[
    str, Argument(metavar="NAME", help="The chain.", show_default=False, autocompletion=complete_chains)
]
SomeChain = Annotated[
    str | None, Argument(metavar="NAME", help="The chain.", show_default=False, autocompletion=complete_chains)
]
ChainNames = Annotated[
    list[str],
    Argument(metavar="NAME…", help="The chains.", show_default=False, autocompletion=complete_chains),
]
Include = Annotated[
    list[str] | None,
    Option("--include", help="More data to return, as reasoning.encrypted_content. Repeatable.", show_default=False),
]
AsJson = Annotated[bool, Option("--json", help="As JSON.")]
ReplyAsJson = Annotated[bool, Option("--json", help="What the server replied, as JSON.")]
Offline = Annotated[bool, Option("--offline", help="The emulator's own state.")]
