"""The flags that most command lines need, in the order and the words of `cometresp ask -h`; --help-all has all."""

EVERYDAY: dict[str, str] = {
    "--model": "Model to use.",
    "--instructions": "System instructions.",
    "--file": "Attach a file; repeat it for more.",
    "--continue": "Continue the chain instead of starting it again.",
    "--chain": "Name of the chain, for parallel conversations.",
    "--schema": "Shape of a JSON answer, such as 'name, age int'.",
    "--tool": "Offer a tool, such as web_search.",
    "--functions": "Offer your own functions: .py, .toml or .json.",
    "--effort": "How much the model reasons: low, medium, high …",
    "--max-output-tokens": "Limit of the answer, reasoning included.",
    "--param": "Set any other field of the request.",
    "--background": "Run on the server: print the id and exit.",
    "--json": "Print the response as JSON.",
    "--output": "Write the answer to a file.",
    "--extract": "Print only the first code block.",
    "--usage": "Print the token counts on stderr.",
    "--no-stdin": "Don't read standard input, as inside a loop.",
    "--no-save": "Record nothing of this turn.",
    "--offline": "Ask the built-in emulator: no key needed.",
    "--dry-run": "Print the request and send nothing.",
}
