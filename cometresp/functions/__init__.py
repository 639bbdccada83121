"""`--functions FILE`: tools of the user's own, defined in files, and their calls.

toolbox      the files' functions by name; runs calls, ends everything
python       a `.py` file: a child process that has it loaded; `host` and `hints` are what runs in there
commands     a `.toml` or `.json` file: programs of any language; `words` makes their command lines
definitions  what the model is told of a function
processes    children in process groups of their own, and what they print
environment  what a child sees of the environment
results      what a call comes to; what goes wrong is a result too, which the model reads
"""

from cometresp.functions.results import Function, Result
from cometresp.functions.toolbox import Toolbox

__all__ = ["Function", "Result", "Toolbox"]
