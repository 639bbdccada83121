"""The turns of a run: the first, and those that follow while this program can answer the model's calls."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

from cometresp.answer.answer import Answer
from cometresp.answer.verdict import RESUME_RUN, RUN_AGAIN, verdict
from cometresp.errors import CometrespError, ExitCode, Hint, Next, TurnError
from cometresp.options.asked import Asked
from cometresp.request.secrets import masked_body
from cometresp.runtime import Runtime
from cometresp.state.records import NewTurn
from cometresp.text import escape_line, shell_arguments
from cometresp.tuples import NamedTuple
from cometresp.turns.conclude import conclude
from cometresp.turns.cost import Costs
from cometresp.turns.display import Display, layout_of, open_outlets
from cometresp.turns.plan import request_of, settings_of
from cometresp.turns.prepare import Prepared
from cometresp.turns.record import Recorder
from cometresp.turns.replay import recorded_items
from cometresp.turns.send import Sender
from cometresp.turns.turn import Finished, Send, run_turn
from cometresp.wire.endpoints import NEW
from cometresp.wire.events import GOOD
from cometresp.wire.items import format_of
from cometresp.wire.json import Json, text

if TYPE_CHECKING:
    from cometresp.calls.settle import Call
    from cometresp.turns.budget import Budget
    from cometresp.turns.draft import Draft
    from cometresp.turns.tools import Tools

_SEND_AGAIN = (Next("continue"), " sends the results again, with --functions and --mcp where further calls should run")


def run_turns(
    asked: Asked, runtime: Runtime, prepared: Prepared, tools: "Tools | None", stack: ExitStack, draft: "Draft | None"
) -> None:
    """Send the turn and those that follow; raises the error that the run amounts to. `draft` has the prompt's file."""
    _announce(runtime, prepared)
    local = _LocalCalls(asked, runtime, prepared.body.get("tools"), tools, stack)
    shape = format_of(prepared.body.get("text"))
    display = _display(asked, runtime, shape, local)
    stack.callback(display.close)
    sender = Sender(asked, runtime, prepared, stack, display.on_upload, display.on_poll)
    new = _new_turn(runtime, prepared)
    recorder = Recorder(runtime, new, off=asked.chain.no_save, required=not prepared.plan.restarts)
    if draft is not None:
        draft.recorder = recorder
    display.show_outcomes(prepared.outcomes)
    first: Send = sender.first
    if prepared.body.get("conversation") == NEW:
        from cometresp.turns.conversation import in_new_conversation

        first = in_new_conversation(sender, recorder, runtime)
    done = run_turn(first, display, recorder)
    sender.warn_of_amnesia(done.answer)
    stopped: CometrespError | None = None
    if asked.prints_only_id:
        _note_foreground(runtime, done.answer)
    else:
        limits = _Limits(asked.loop.max_turns, prepared.budget)
        done, recorder, stopped = _answer_calls(local, display, sender, (done, recorder), limits)
    conclude(
        done,
        display,
        recorder,
        shape=shape,
        tier=text(prepared.body.get("service_tier")) or None,
        allow_pending=asked.prints_only_id,
        instead=stopped,
    )


def _display(asked: Asked, runtime: Runtime, shape: Json, local: "_LocalCalls") -> Display:
    output, terminal = asked.output, runtime.terminal
    layout = layout_of(
        output,
        terminal,
        plain=runtime.plain,
        streaming=asked.streaming,
        prints_only_id=asked.prints_only_id,
        shape=shape,
    )
    outlets, costs = open_outlets(runtime), Costs(runtime, limited=runtime.output.max_cost is not None)
    return Display(layout, output, outlets, terminal, costs, runs_here=local.runs_here, hint=runtime.hint)


def _answer_calls(
    local: "_LocalCalls", display: Display, sender: Sender, first: tuple[Finished, Recorder], limits: "_Limits"
) -> tuple[Finished, Recorder, CometrespError | None]:
    """Run the calls of the last answer and send their outputs, turn after turn, while all of them can be run here.

    Returns the last turn, its recorder, and why the run ended while calls were open.
    """
    done, recorder = first
    answered = recorder
    turns = 1
    while calls := local.answerable(done):
        try:
            recorder.catch_up()  # what the functions return is recorded with it
            limits.check(done, turns, calls)
            outcomes = local.tools().settle(calls, recorder)
            outputs = [outcome.item() for outcome in outcomes]
            limits.check_outputs(done, turns, outputs)
        except CometrespError as error:
            return done, recorder, error
        sender.follow(done.answer, outputs)
        answered, recorder = recorder, recorder.for_next(outputs, done.answer)
        display.show_outcomes(outcomes)
        done = _with_hint(run_turn(sender.next, display, recorder).after(done), answered.keeps_text)
        sender.warn_of_amnesia(done.answer)
        turns += 1
    if turns > 1 and done.answer.status == "failed" and done.error is None and (failed := verdict(done.answer)):
        return done, recorder, failed.with_hint(_resume_hint(answered.keeps_text))
    return done, recorder, None


class _LocalCalls:
    """The calls of the model that this program can answer. `offered` are the tools of the request."""

    def __init__(
        self, asked: Asked, runtime: Runtime, offered: object, tools: "Tools | None", stack: ExitStack
    ) -> None:
        self._asked = asked
        self._runtime = runtime
        self._offered = offered
        self._tools = tools
        self._stack = stack

    def answerable(self, done: Finished) -> "list[Call]":
        """The open calls of an answer that ended well, where all of them can be answered here."""
        if done.error is not None or not done.answer.open_calls:
            return []
        outcome = verdict(done.answer, allow_incomplete=self._asked.output.allow_incomplete)
        if outcome is None or outcome.exit_code != ExitCode.CALL_OPEN:
            return []
        from cometresp.calls.settle import local_calls

        return local_calls(done.answer.open_calls, self._tools, self._offered) or []

    def runs_here(self, item: Json) -> bool:
        """Whether a function or custom call is run here, and so gets a line with its result."""
        if self._tools is None or item.get("type") not in ("function_call", "custom_tool_call"):
            return False
        from cometresp.calls.settle import local_calls

        return local_calls([item], self._tools, self._offered) is not None

    def tools(self) -> "Tools":
        """The functions; without any, what asks for the approval of MCP tools."""
        if self._tools is None:
            from cometresp.turns.tools import Tools

            self._tools = self._stack.enter_context(Tools.of(self._asked.loop, self._runtime))
        return self._tools


def _announce(runtime: Runtime, prepared: Prepared) -> None:
    """On a terminal, which chain is continued, or which turn is sent again."""
    plan, terminal = prepared.plan, runtime.terminal
    starts = plan.parent is None or plan.restarts
    if (starts and not plan.repeats) or not (terminal.stderr_tty or terminal.verbose):
        return
    from cometresp.render.notice import print_notice

    turn = f"turn {plan.parent.number + 1 if plan.parent else 1}"
    what = f"again, in {plan.chain}" if plan.repeats else f"continuing {plan.chain}"
    short = f"{what}: {plan.repeats or plan.shown_parent} · {turn}"
    print_notice(terminal, f"{short} · {prepared.model or 'no model'}", short, f"{what}: {turn}")


def _note_foreground(runtime: Runtime, answer: Answer) -> None:
    if answer.id and answer.ended and answer.status in GOOD:
        look = runtime.hint(": ", Next("get", (shell_arguments(answer.id),)), " shows the answer")
        runtime.terminal.note(f"the server ran it at once, in the foreground{look}")


def _with_hint(done: Finished, kept: bool) -> Finished:
    """The turn; an error that came before any answer gets a hint how to send it again."""
    error = done.error
    if isinstance(error, CometrespError) and not done.answer.id:
        error.and_hint(_resume_hint(kept))
    return done


def _resume_hint(kept: bool) -> Hint:
    """How to go on after a turn with the outputs of calls failed; `kept`: they are recorded."""
    return _SEND_AGAIN if kept else RUN_AGAIN


class _Limits(NamedTuple):
    """What ends a run whose calls could be answered: --max-turns, --max-cost."""

    turns: int
    budget: "Budget | None"

    def check(self, done: Finished, turns: int, calls: "list[Call]") -> None:
        """Raises an error where the calls aren't to run, since no turn may follow."""
        names = ", ".join(dict.fromkeys(escape_line(call.tool.written) for call in calls))
        if turns >= self.turns:
            count = f"{turns} turn{'s' if turns > 1 else ''}"
            message = f"stopped after {count} (--max-turns) before {names} ran"
            raise TurnError(ExitCode.CALL_OPEN, message, hint=RESUME_RUN)
        if self.budget is not None:
            self.budget.check_next(done, turns, names=names)

    def check_outputs(self, done: Finished, turns: int, outputs: list[Json]) -> None:
        """Raises CostLimitError where the outputs of the calls are too much for --max-cost. They are recorded."""
        if self.budget is not None:
            self.budget.check_next(done, turns, outputs)


def _new_turn(runtime: Runtime, prepared: Prepared) -> NewTurn:
    plan, body = prepared.plan, prepared.body
    parent = plan.parent
    previous = body.get("previous_response_id")
    if parent is not None and previous not in (None, parent.id):  # --param or --body named another one
        parent = None
    return NewTurn(
        chain=plan.chain,
        base_url=runtime.base_url,
        model=prepared.model,
        settings=settings_of(masked := masked_body(body)),
        input=recorded_items(prepared.new_items) if runtime.config.record == "full" else None,
        restarts=plan.restarts,
        parent=parent,
        previous_id=parent.id if parent else previous,
        expected=plan.expected,
        profile=runtime.config.file.profile or None,
        request=request_of(masked),
    )
