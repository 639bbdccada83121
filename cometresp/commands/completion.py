"""`cometresp completion`: the script for a shell.

The scripts ask the program itself; `completion/answer.py` has the form of its answer. Nothing that it prints is
evaluated by the shell. `completions/` holds the same scripts for packagers.
"""

from enum import StrEnum
from typing import Annotated

import typer

from cometresp.help.command import Command
from cometresp.options.tables import ConnectionOptions
from cometresp.runtime import Runtime, telling
from cometresp.text import to_bytes

_BASH = r"""# bash completion for cometresp: source it from ~/.bashrc, or put it into a folder of bash-completion
_cometresp() {
    local kind='' line
    COMPREPLY=()
    {
        IFS= read -r kind
        while IFS= read -r line; do COMPREPLY+=("$line"); done
    } < <(
        _COMETRESP_COMPLETE=bash _COMETRESP_LINE="${COMP_LINE:0:COMP_POINT}" _COMETRESP_BREAKS="$COMP_WORDBREAKS" \
            "${1/#\~\//$HOME/}" 2>/dev/null
    )
    case $kind in
        files) compopt -o default ;;
        directories) compopt -o dirnames ;;
        *) compopt -o nosort ;;
    esac 2>/dev/null
    [[ ${#COMPREPLY[@]} -gt 0 && ${COMPREPLY[*]} == *[/=:] ]] && compopt -o nospace 2>/dev/null
}
if type compopt &>/dev/null; then
    complete -F _cometresp cometresp
else  # bash 3
    complete -o default -F _cometresp cometresp
fi
"""

_ZSH = r"""#compdef cometresp
# zsh completion for cometresp: put it as _cometresp into a folder of $fpath, or source it after compinit
_cometresp() {
    local kind line value help
    local -a described unfinished
    {
        IFS= read -r kind
        while IFS= read -r line; do
            value=${line%%$'\t'*}
            help=${line#*$'\t'}
            line=${${value//\\/\\\\}//:/\\:}${help:+:$help}
            if [[ $value == *[/=:] ]]; then unfinished+=("$line"); else described+=("$line"); fi
        done
    } < <(
        _COMETRESP_COMPLETE=zsh _COMETRESP_LINE="${(j: :)words[1,CURRENT-1]} $QIPREFIX$IPREFIX$PREFIX" \
            "${words[1]/#\~\//$HOME/}" 2>/dev/null
    )
    case $kind in
        files) _files ;;
        directories) _files -/ ;;
        *) _describe -V cometresp described -- unfinished -S '' ;;
    esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _cometresp "$@"
else
    compdef _cometresp cometresp
fi
"""

_FISH = r"""# fish completion for cometresp: put it into ~/.config/fish/completions/cometresp.fish
function __cometresp_complete
    set -lx _COMETRESP_COMPLETE fish
    set -lx _COMETRESP_LINE (commandline -cp | string collect)
    set -l offers (cometresp 2>/dev/null)
    if set -q offers[2]
        string join \n -- $offers[2..-1]
    end
end
complete --command cometresp --no-files --keep-order --arguments '(__cometresp_complete)'
"""

_POWERSHELL = r"""# PowerShell completion for cometresp: dot-source it from your profile
Register-ArgumentCompleter -Native -CommandName cometresp -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $line = $commandAst.ToString().PadRight($cursorPosition).Substring(0, $cursorPosition)
    $env:_COMETRESP_COMPLETE = 'powershell'
    $env:_COMETRESP_LINE = $line
    try {
        cometresp 2>$null | Select-Object -Skip 1 | ForEach-Object {
            $value, $help = $_ -split "`t", 2
            if (-not $help) { $help = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
        }
    } finally {
        Remove-Item Env:_COMETRESP_COMPLETE, Env:_COMETRESP_LINE
    }
}
"""


class Shell(StrEnum):
    bash = "bash"
    zsh = "zsh"
    fish = "fish"
    powershell = "powershell"


SCRIPTS = {Shell.bash: _BASH, Shell.zsh: _ZSH, Shell.fish: _FISH, Shell.powershell: _POWERSHELL}

app = typer.Typer(add_completion=False)


@app.command(cls=Command)
def completion(shell: Annotated[Shell, typer.Argument(help="The shell.", show_default=False)]) -> None:
    """Print the completion script for a shell."""
    run(shell, Runtime(ConnectionOptions()))


@telling
def run(shell: Shell, runtime: Runtime) -> None:
    runtime.terminal.write(to_bytes(SCRIPTS[shell]))
