"""A template whose variables have other values in each row of a table: `batch`."""

from collections.abc import Mapping
from typing import Any

from cometresp.errors import UsageError
from cometresp.paths import Reading
from cometresp.templates.braces import Variable
from cometresp.templates.places import read
from cometresp.templates.template import INPUT, STDIN, Template, parse
from cometresp.templates.use import filled_flag, given_values
from cometresp.text import Say
from cometresp.tuples import NamedTuple

# What a row may fill in: the text of a flag of the request, and not which files or tools there are.
_REFUSED = {"file", "functions", "mcp", "output", "id_file", "save_images", "summary_file"}


class RowTemplate(NamedTuple):
    """`values` are those of `--var` and the defaults, which the columns of a row replace."""

    template: Template
    values: Mapping[str, str]

    def filled(self, row: Mapping[str, str], text: str) -> tuple[dict[str, Any], str]:
        """The flags that depend on the row, by their fields, and the prompt.

        `text` takes the place of {input}, else of {stdin}; where there is neither it stands behind the prompt. Raises
        UsageError where a variable has no value.
        """
        template = self.template
        own = {name: row[name] for name in template.variables if name in row}
        values = {**self.values, **own}
        missing = [name for name in template.variables if name not in values]
        if missing:
            raise UsageError(
                f"no value for {', '.join(missing)} of {template.shown}", hint="--var NAME=… gives it to all"
            )
        flags = {
            field: filled_flag(field, flag, template, values, ()).value
            for field, flag in template.flags.items()
            if any(isinstance(piece, Variable) for texts in flag.texts or () for piece in texts)
        }
        return flags, self._prompt(values, text)

    def _prompt(self, values: Mapping[str, str], text: str) -> str:
        slots = {piece.name for piece in self.template.prompt if isinstance(piece, Variable)} & {INPUT, STDIN}
        if slots and not text.strip():
            raise UsageError(
                f"no text for {{{min(slots)}}} of {self.template.shown}", hint="a column called prompt has it"
            )
        texts = {**values, INPUT: text, STDIN: "" if INPUT in slots else text}
        made = "".join(texts[piece.name] if isinstance(piece, Variable) else piece for piece in self.template.prompt)
        behind = "" if slots or not text else text
        return "\n\n".join(filter(None, (made, behind)))


def for_rows(given: str, variables: list[str], environ: Mapping[str, str], reading: Reading, warn: Say) -> RowTemplate:
    """The template of `--template`. Raises UsageError for anything wrong in it that isn't a matter of the row."""
    path, text = read(given, environ, reading)
    template = parse(text, path)
    for field, flag in template.flags.items():
        if field in _REFUSED and any(isinstance(piece, Variable) for texts in flag.texts or () for piece in texts):
            raise UsageError(f"--template: {flag.name} of {template.shown} can't depend on a row of the input")
    return RowTemplate(template, given_values(template, variables, reading, warn))
