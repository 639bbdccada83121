# bash completion for cometresp: source it from ~/.bashrc, or put it into a folder of bash-completion
_cometresp_complete() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        [[ -n $line ]] && COMPREPLY+=("$(printf %q "${line%%$'\t'*}")")
    done < <(
        _COMETRESP_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args \
            _TYPER_COMPLETE_ARGS="${COMP_LINE:0:COMP_POINT}" "$1" 2>/dev/null
    )
}
complete -o default -F _cometresp_complete cometresp
