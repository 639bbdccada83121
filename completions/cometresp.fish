# fish completion for cometresp: put it into ~/.config/fish/completions/cometresp.fish
function __cometresp_complete
    set -lx _COMETRESP_COMPLETE fish
    set -lx _COMETRESP_LINE (commandline -cp | string collect)
    set -l offers (cometresp 2>/dev/null)
    if set -q offers[2]
        string join \n -- $offers[2..-1]
    end
end
complete --command cometresp --no-files --keep-order --arguments '(__cometresp_complete)'
