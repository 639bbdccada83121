"""The arguments and flags that several commands share."""

from typing import Annotated, Any

from typer import Argument, Option

from cometresp.options.tables import Color, complete_chains, complete_ids, complete_profiles
from cometresp.tuples import NamedTuple


def complete_providers(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    from cometresp.catalogue.suggestions import providers

    return providers(incomplete, offline=ctx.offline, base_url=ctx.base_url)


def complete_endpoints(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    from cometresp.catalogue.suggestions import endpoints

    return endpoints(incomplete, offline=ctx.offline, base_url=ctx.base_url)


def complete_batches(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    from cometresp.state.suggestions import batch_ids

    return batch_ids(incomplete, offline=ctx.offline)


_BATCH_ID = Argument(
    metavar="ID",
    help="Id of a batch or its unique start, - (standard input), or last (the newest).",
    show_default=False,
    autocompletion=complete_batches,
)
BatchId = Annotated[str, _BATCH_ID]
SomeBatch = Annotated[str | None, _BATCH_ID]
ResponseId = Annotated[
    str,
    Argument(
        metavar="ID",
        help="Response id or its unique start, - (standard input), last (the newest), @CHAIN (its head); ~N: N before.",
        autocompletion=complete_ids,
    ),
]
StoredId = Annotated[
    str,
    Argument(
        metavar="ID",
        help="Id of a response or a conversation (conv_…), or the start of the id, -, last, @CHAIN; ~N: N before.",
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
    Option(
        "--include",
        help="Further data to return, such as reasoning.encrypted_content. Repeatable.",
        metavar="FIELD",
        show_default=False,
    ),
]
NoPager = Annotated[bool, Option("--no-pager", help="Write to the terminal, not through $PAGER.")]
InColor = Annotated[
    Color,
    Option("--color", help="Colour: auto (on a terminal), always or never.", metavar="WHEN", case_sensitive=False),
]
AsJson = Annotated[bool, Option("--json", help="Print JSON.")]
Select = Annotated[
    str | None,
    Option("--select", help="Print only this field of the JSON, such as [].id.", metavar="PATH", show_default=False),
]
ReplyAsJson = Annotated[bool, Option("--json", help="Print the server's reply as JSON.")]
Quiet = Annotated[bool, Option("--quiet", "-q", help="Print no warnings and no notices.")]


class CostOptions(NamedTuple):
    """What one request may cost, for a command that isn't a run."""

    max_cost: Annotated[
        float | None,
        Option(
            "--max-cost",
            help="Send nothing if its input would cost more than this (exit 9), by list prices and an estimate.",
            metavar="USD",
            show_default=False,
        ),
    ] = None
    price: Annotated[
        str | None,
        Option(
            "--price",
            help="Price of the model in USD for a million input and output tokens, in place of the listed one.",
            metavar="IN,OUT[,CACHED]",
            show_default=False,
        ),
    ] = None


class StateOptions(NamedTuple):
    """Whose state a command is about that asks no server."""

    offline: Annotated[bool, Option("--offline", help="Use the state of the emulator.")] = False
    profile: Annotated[
        str | None,
        Option(
            "--profile",
            help="Use the settings of [profile.NAME] in the config file.",
            metavar="NAME",
            show_default=False,
            autocompletion=complete_profiles,
        ),
    ] = None
