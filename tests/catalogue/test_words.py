"""Models in words: near names, prices, sizes."""

import pytest

from cometresp.catalogue.near import near
from cometresp.catalogue.shown import aligned, amount, dollars, tokens

IDS = ["gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano", "openai/o4-mini", "claude-opus-4-5", "Qwen3-Max", "whisper-1"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("gpt5", ["gpt-5.4"]),
        ("gpt-54", ["gpt-5.4"]),
        ("gpt-5.4-mni", ["gpt-5.4-mini", "gpt-5.4"]),
        ("o4-mini", ["openai/o4-mini"]),
        ("azure/gpt-5.4", ["gpt-5.4"]),
        ("claude-opus-4.5", ["claude-opus-4-5"]),
        ("qwen3_max", ["Qwen3-Max"]),
        ("llama-3", []),
        ("", []),
        ("gpt-5.4", []),
    ],
)
def test_near_names_differ_in_few_letters(typed: str, found: list[str]) -> None:
    assert near(typed, IDS) == found


def test_numbers_are_written_for_scripts_and_for_people() -> None:
    prices = [0.0, 2.0, 0.25, 0.0375, 15.0, 0.00004, 0.123456789]
    assert [amount(price) for price in prices] == ["0", "2", "0.25", "0.0375", "15", "0.00004", "0.123456789"]
    shown = [dollars(price) for price in prices]
    assert shown == ["0.00", "2.00", "0.25", "0.0375", "15.00", "0.00004", "0.1235"]
    assert aligned(["2.00", "", "15.00"]) == [" 2.00", "", "15.00"]
    sizes = [None, 512, 8192, 128_000, 1_000_000, 1_048_576, 10_000_000]
    assert [tokens(size) for size in sizes] == ["", "512", "8.19K", "128K", "1M", "1.05M", "10M"]
