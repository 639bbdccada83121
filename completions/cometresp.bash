# bash completion for cometresp: source it from ~/.bashrc, or put it into a folder of bash-completion
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
