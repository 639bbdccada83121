"""The user's own tools, `--functions FILE`, in processes of their own.

definitions  What is told to the model of a function (API 4.1): strict where its schema can be.
environment  What a tool sees of the environment: an allow-list, and never the API key.
hints        Type hints -> the schema of a function's arguments, and arguments -> the values that the
             hints promise.
host         What runs in the child process: it loads one `.py` file, tells its functions, and runs calls
             of them.
processes    Children in process groups of their own, what they print, and their end.
programs     A `.toml` or `.json` file of functions: programs of any language, run without a shell.
python       A `.py` file of functions: the parent's side of `host`. The file is never imported here.
results      A function as it is offered to the model, and what a call of it comes to.
toolbox      The functions of all `--functions` files by name, and the running of calls.
words        The words of a command with places for arguments: `["git", "log", "--max-count={count}"]`
             (pure).
"""
