# fish completion for cometresp: put it into ~/.config/fish/completions/cometresp.fish
function __cometresp_complete
    set -lx _COMETRESP_COMPLETE complete_fish
    set -lx _TYPER_COMPLETE_FISH_ACTION $argv[1]
    set -lx _TYPER_COMPLETE_ARGS (commandline -cp)
    cometresp 2>/dev/null
end
complete --command cometresp --no-files --condition '__cometresp_complete is-args' \
    --arguments '(__cometresp_complete get-args)'
