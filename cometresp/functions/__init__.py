"""The user's own tools, `--functions FILE`, in processes of their own.

definitions  The definition of a function for the model (API 4.1): strict if its schema can be.
environment  The environment variables of a tool: only allowed ones, and never the API key.
hints        Type hints -> the schema of a function's arguments, and arguments -> values of the hinted
             types.
host         The program of the child process: it loads one `.py` file, reports its functions, and runs
             calls of them.
processes    Child processes, each in its own process group: their output and how they are ended.
programs     A `.toml` or `.json` file of functions: programs of any language, run without a shell.
python       A `.py` file of functions: the parent's side of `host`. The file is never imported in this
             process.
results      A function as it is offered to the model, and the result of a call.
toolbox      The functions of all `--functions` files by name; it runs their calls.
words        The words of a command with placeholders: `["git", "log", "--max-count={count}"]`. Pure.
"""
