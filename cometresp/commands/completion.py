"""`cometresp completion`: the script for a shell.

The scripts ask the program itself, which answers a line each: the value, a tab, its help. Nothing that it prints is
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
_cometresp_complete() {
    local line word=${COMP_LINE:0:COMP_POINT}
    COMPREPLY=()
    while IFS= read -r line; do
        [[ -n $line ]] && COMPREPLY+=("$(printf %q "${line%%$'\t'*}")")
    done < <(
        _COMETRESP_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args \
            _TYPER_COMPLETE_ARGS="$word" "$1" 2>/dev/null
    )
    word=${word##* }  # bash replaces only what follows the last colon of a word
    [[ $word == *:* && $COMP_WORDBREAKS == *:* ]] && COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*:}"}"}")
}
complete -o default -F _cometresp_complete cometresp
"""

_ZSH = r"""#compdef cometresp
# zsh completion for cometresp: put it as _cometresp into a folder of $fpath, or source it after compinit
_cometresp() {
    local line value help
    local -a described
    while IFS= read -r line; do
        [[ -n $line ]] || continue
        value=${line%%$'\t'*}
        help=${line#*$'\t'}
        [[ $help == $line ]] && help=''
        described+=("${value//:/\\:}${help:+:$help}")
    done < <(
        _COMETRESP_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args \
            _TYPER_COMPLETE_ARGS="${(j: :)words[1,CURRENT]}" "${words[1]}" 2>/dev/null
    )
    if (( ${#described} )); then
        _describe -V cometresp described
    else
        _files
    fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _cometresp "$@"
else
    compdef _cometresp cometresp
fi
"""

_FISH = r"""# fish completion for cometresp: put it into ~/.config/fish/completions/cometresp.fish
function __cometresp_complete
    set -lx _COMETRESP_COMPLETE complete_fish
    set -lx _TYPER_COMPLETE_FISH_ACTION $argv[1]
    set -lx _TYPER_COMPLETE_ARGS (commandline -cp)
    cometresp 2>/dev/null
end
complete --command cometresp --no-files --condition '__cometresp_complete is-args' \
    --arguments '(__cometresp_complete get-args)'
"""

_POWERSHELL = r"""# PowerShell completion for cometresp: dot-source it from your profile
Register-ArgumentCompleter -Native -CommandName cometresp -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $line = $commandAst.ToString().PadRight($cursorPosition).Substring(0, $cursorPosition)
    $env:_COMETRESP_COMPLETE = 'complete_fish'
    $env:_TYPER_COMPLETE_FISH_ACTION = 'get-args'
    $env:_TYPER_COMPLETE_ARGS = $line
    try {
        cometresp 2>$null | Where-Object { $_ } | ForEach-Object {
            $value, $help = $_ -split "`t", 2
            if (-not $help) { $help = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
        }
    } finally {
        Remove-Item Env:_COMETRESP_COMPLETE, Env:_TYPER_COMPLETE_FISH_ACTION, Env:_TYPER_COMPLETE_ARGS
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
