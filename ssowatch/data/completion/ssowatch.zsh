#compdef ssowatch
# Completion of ssowatch for zsh. In ~/.zshrc: eval "$(ssowatch completion zsh)"
_ssowatch() {
    local line
    local -a offered shown
    printf '%s\n' "${(@Q)words[2,CURRENT]}" | ssowatch completion words 2>/dev/null | while IFS= read -r line; do
        offered+=("${line%%$'\t'*}")
        shown+=("${line/$'\t'/  -- }")
    done
    if (( $#offered )); then
        compadd -l -d shown -a offered
    else
        _files
    fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _ssowatch ssowatch
