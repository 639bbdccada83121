"""A line of the input and the flags -> the body of its request. The flags are defaults under what the line says."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from cometresp.batch.asked import Asked
from cometresp.batch.fields import Parts, merged, parts_of, row_parts
from cometresp.batch.lines import Form, Line
from cometresp.config import Config
from cometresp.errors import CometrespError, UsageError
from cometresp.options.tables import RequestOptions
from cometresp.request import rules
from cometresp.request.body import TurnFields, build
from cometresp.request.fallback import Fallbacks
from cometresp.request.inputs import Inputs
from cometresp.request.secrets import add_secrets, check_secrets, resolved_body
from cometresp.runtime import Runtime
from cometresp.text import escape_line
from cometresp.tuples import NamedTuple
from cometresp.wire.json import Json, obj, text

_FLAG = re.compile(r"^--([a-z-]+)")


class Entry(NamedTuple):
    """A request that is ready to be sent; `number` is its line in the input."""

    number: int
    custom_id: str
    body: Json
    has_own_id: bool = True


class Bodies:
    """Makes requests of lines. Everything that the flags name is read when it is made, and never again.

    With `resolve`, tools of the flags get the secrets that they name, so that the bodies can be sent.
    """

    def __init__(self, asked: Asked, runtime: Runtime, form: Form, *, resolve: bool) -> None:
        inputs = Inputs(runtime.terminal, no_stdin=asked.file == "-", named=True, reading=runtime.reading)
        self._config: Config = runtime.config
        self._warn = _once(runtime.terminal.warn)
        self._read = cache(inputs.text_of)
        self._form = form
        self._typed = asked.typed
        self._columns_told = False
        self._template = _template(asked, runtime)
        given = asked.request.fallback_model
        self._fallback_models = [self._config.model_of(name.strip()) for name in given.split(",")] if given else []
        if given is not None and not all(self._fallback_models):
            raise UsageError("--fallback-model: must be MODEL or MODEL,MODEL: a name is empty")
        options = asked.request._replace(template=None, var=None, no_stdin=False)
        if options.model:
            options = options._replace(model=self._config.model_of(options.model))
        files = inputs.prompt([], options.file or [], options.file_as, options.image_detail)
        self._options = options
        self._fields = TurnFields(
            parts=files.parts,
            model=self._config.model.value if self._config.model else None,
            store=asked.batch.store,
        )
        self._is_plain = not self._fields.parts and options.input is None
        self._base = self._built(options, self._fields)
        check_secrets(self._base)
        self._secrets = runtime.secrets if resolve else None
        if resolve:
            self._base = resolved_body(self._base, runtime.terminal.environ)
            add_secrets(self._base, runtime.secrets)

    @property
    def fallbacks(self) -> list[str]:
        """The models of --fallback-model."""
        return self._fallback_models

    def fallbacks_of(self, body: Json) -> Fallbacks | None:
        """The models that are left to ask for one request; None where no flag names any."""
        if not self._fallback_models:
            return None
        return Fallbacks(self._fallback_models, text(body.get("model")) or None, self._warn)

    @property
    def base(self) -> Json:
        """The body that all requests have in common."""
        return self._base

    def add_secrets(self, body: Json) -> None:
        """Add the secrets of a line's tools to those of the run: servers repeat them. Before any thread masks some."""
        if self._secrets is not None and body.get("tools") is not self._base.get("tools"):
            add_secrets(body, self._secrets)

    def entry(self, line: Line) -> Entry:
        """The request of a line. Raises UsageError, which doesn't name the line, for one that can't be sent."""
        templated = self._template is not None
        made = row_parts if self._form in ("csv", "tsv") else parts_of
        parts = made(line, templated=templated)
        if made is row_parts and not templated:
            self._tell_unused(parts)
        try:
            body = self._body(parts)
            _check_model(body)
        except CometrespError as error:
            message = _FLAG.sub(lambda found: found[1].replace("-", "_"), error.message)
            raise UsageError(message, hint=error.hint) from error
        return Entry(line.number, parts.custom_id, body, parts.has_own_id)

    def _tell_unused(self, parts: Parts) -> None:
        """Warn, once, of columns that nothing is made of."""
        if self._columns_told:
            return
        self._columns_told = True
        prompt = "prompt" if parts.row.get("prompt") else "input"
        if unused := [escape_line(name, 60) for name in parts.row if name not in ("custom_id", prompt)]:
            what = f"column{'' if len(unused) == 1 else 's'} {', '.join(unused)}"
            self._warn(f"{what}: not used: without --template only custom_id and prompt are")

    def _body(self, parts: Parts) -> Json:
        prompt, flags = parts.prompt, parts.flags
        if self._template is not None and not parts.body:
            filled, prompt = self._template.filled(parts.row, prompt or "")
            flags = {field: value for field, value in filled.items() if field not in self._typed} | flags
        if prompt is None:
            return self._of_own(parts.body)
        is_plain = self._is_plain and not flags
        body = {**self._base, "input": prompt} if is_plain else self._with_flags(flags, prompt)
        if parts.body:
            body = merged(body, parts.body)
        rules.check(body, self._warn)
        return body

    def _of_own(self, own: Json) -> Json:
        """The body of a line that has its own `input`, or names a prompt of the server."""
        base = self._base
        if own.get("prompt") is not None and not self._options.model and "model" not in own:
            base = {name: value for name, value in base.items() if name != "model"}
        if isinstance(model := own.get("model"), str):
            own = own | {"model": self._config.model_of(model)}
        body = merged(base, own)
        rules.check(body, self._warn)
        return body

    def _with_flags(self, flags: dict[str, Any], prompt: str) -> Json:
        """The body with the flags that the line sets, whose text is text, also behind an `@`."""
        if model := flags.get("model"):
            flags = flags | {"model": self._config.model_of(model)}
        literal = {f"--{field.replace('_', '-')}" for field in flags}
        fields = self._fields._replace(text=prompt)
        if "file" in flags:
            from cometresp.request.attachments import remote

            found = [remote(spec, flags.get("file_as"), flags.get("image_detail")) for spec in flags["file"]]
            fields = fields._replace(parts=[part for part in found if part is not None])
        options = self._options._replace(**{name: value for name, value in flags.items() if name != "file_as"})
        built = self._built(options, fields, literal)
        if "--tool" not in literal and "tools" in self._base:
            built["tools"] = self._base["tools"]  # with the secrets that they name
        return built

    def _built(self, options: RequestOptions, fields: TurnFields, literal: set[str] | None = None) -> Json:
        def read(flag: str, value: str) -> str:
            return value if literal and flag in literal else self._read(flag, value)

        return build(options, fields, read, self._warn)


def _check_model(body: Json) -> None:
    if "model" not in body and not obj(body.get("prompt")).get("id"):
        raise UsageError("it names no model", hint="-m MODEL is for all lines that name none")


def _template(asked: Asked, runtime: Runtime) -> Any:
    if asked.request.template is None:
        return None
    from cometresp.templates.rows import for_rows

    environ, request = runtime.terminal.environ, asked.request
    return for_rows(request.template or "", request.var or [], environ, runtime.reading, runtime.terminal.warn)


def _once(warn: Callable[[str], None]) -> Callable[[str], None]:
    """Warns of the same thing once, however many lines it holds for."""
    seen: set[str] = set()

    def say(message: str) -> None:
        if message not in seen and len(seen) < 100:  # noqa: PLR2004
            seen.add(message)
            warn(message)

    return say
