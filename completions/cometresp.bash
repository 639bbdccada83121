# bash completion for cometresp: source it from ~/.bashrc, or put it into a folder of bash-completion
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
