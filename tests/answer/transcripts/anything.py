"""Streams that no server should send, for tests of rules that hold for any stream."""

from itertools import pairwise

from hypothesis import strategies as st

KINDS = """error response.audio.delta response.audio.done response.audio.transcript.delta response.audio.transcript.done
response.code_interpreter_call.completed response.code_interpreter_call.in_progress
response.code_interpreter_call.interpreting response.code_interpreter_call_code.delta
response.code_interpreter_call_code.done response.compaction.compacting response.completed response.content_part.added
response.content_part.done response.created response.custom_tool_call_input.delta response.custom_tool_call_input.done
response.failed response.file_search_call.completed response.file_search_call.in_progress
response.file_search_call.searching response.function_call_arguments.delta response.function_call_arguments.done
response.image_generation_call.completed response.image_generation_call.generating
response.image_generation_call.in_progress response.image_generation_call.partial_image response.in_progress
response.incomplete response.mcp_call.completed response.mcp_call.failed response.mcp_call.in_progress
response.mcp_call_arguments.delta response.mcp_call_arguments.done response.mcp_list_tools.completed
response.mcp_list_tools.failed response.mcp_list_tools.in_progress response.output_item.added response.output_item.done
response.output_text.annotation.added response.output_text.delta response.output_text.done response.queued
response.reasoning_summary_part.added response.reasoning_summary_part.done response.reasoning_summary_text.delta
response.reasoning_summary_text.done response.reasoning_text.delta response.reasoning_text.done response.refusal.delta
response.refusal.done response.shell_call_command.added response.shell_call_command.delta
response.shell_call_command.done response.shell_call_output_content.delta response.shell_call_output_content.done
response.web_search_call.completed response.web_search_call.in_progress response.web_search_call.searching""".split()  # noqa: SIM905 - as a list it would be 59 lines

scalars = st.none() | st.booleans() | st.integers(-1, 2) | st.sampled_from(["", "a", "b", "message", "completed"])
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner)
)
types = st.sampled_from(["message", "reasoning", "function_call", "output_text", "refusal", "summary_text", "odd"])
words = st.text("ab\ud83d\ude00", max_size=3)
entries = st.fixed_dictionaries({}, optional={"type": types | anything, "text": words | anything, "refusal": words})
items = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from("ab") | anything,
        "type": types | anything,
        "phase": st.just("commentary") | anything,
        "call_id": anything,
        "status": anything,
        "arguments": anything,
        **dict.fromkeys(("content", "summary"), st.lists(entries | anything, max_size=3) | anything),
    },
)
responses = st.fixed_dictionaries(
    {},
    optional={
        "status": anything,
        "output": st.lists(items | anything, max_size=3) | anything,
        "output_text": words | anything,
        "error": anything,
    },
)
streams = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from([*KINDS, "keepalive"]) | st.just("response.output_text.delta")},
        optional={
            **dict.fromkeys(("output_index", "content_index", "summary_index", "item_id", "sequence_number"), anything),
            **dict.fromkeys(("delta", "text", "refusal", "arguments"), words | anything),
            "part": entries | anything,
            "item": items | anything,
            "response": responses | anything,
            "error": anything,
        },
    ),
    max_size=12,
)


def cuts(whole: str, places: list[int]) -> list[str]:
    """`whole` in pieces, cut between UTF-16 code units, as some servers cut it."""
    data = whole.encode("utf-16-le", "surrogatepass")
    edges = [0, *sorted(2 * (place % (len(data) // 2 + 1)) for place in places), len(data)]
    return [data[a:b].decode("utf-16-le", "surrogatepass") for a, b in pairwise(edges)]
