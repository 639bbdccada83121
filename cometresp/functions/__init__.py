"""The user's own tools, `--functions FILE`, in processes of their own.

children     A child process: its pipes, what it prints, how it ended, and signals to its process group.
definitions  The definition of a function for the model (API 4.1): strict if its schema can be.
environment  The environment variables of a tool: only allowed ones, and never the API key.
hints        Type hints -> the schema of a function's arguments, and arguments -> values of the hinted
             types.
host         The program of the child process: it loads one `.py` file, reports its functions, and runs
             calls of them.
launcher     The program that starts the tools, as the one child of cometresp, and ends them when that
             ends in any way.
launching    The parent's side of `launcher`, which starts the tools so that they end with this process.
processes    The child processes of a toolbox, each in its own process group, and how they are ended.
programs     A `.toml` or `.json` file of functions: programs of any language, run without a shell.
python       A `.py` file of functions: the parent's side of `host`. The file is never imported in this
             process.
results      A function as it is offered to the model, and the result of a call.
toolbox      The functions of all `--functions` files by name; it runs their calls.
words        The words of a command with placeholders: `["git", "log", "--max-count={count}"]`. Pure.
"""
