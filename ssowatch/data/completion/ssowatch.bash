# Completion of ssowatch for bash. In ~/.bashrc: eval "$(ssowatch completion bash)"
_ssowatch() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        printf -v line %q "${line%%$'\t'*}" # a name with a space, or worse, stays one word
        COMPREPLY+=("$line")
    done < <(printf '%s\n' "${COMP_WORDS[@]:1:COMP_CWORD}" | ssowatch completion words 2>/dev/null)
}
complete -o default -F _ssowatch ssowatch
