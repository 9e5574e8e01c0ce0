# Completion of ssowatch for fish. In ~/.config/fish/config.fish: ssowatch completion fish | source
function __ssowatch_words
    set -l before (commandline -opc)
    set -l offered (printf '%s\n' $before[2..] (commandline -ct) | ssowatch completion words 2>/dev/null)
    if test (count $offered) -gt 0
        printf '%s\n' $offered
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c ssowatch -f -a '(__ssowatch_words)'
