# Completes the commands, options and values of spotter in fish; file names where it has none of these.
function __spotter_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l line (string join ' ' -- $words "$word")
    set -l found (env SPOTTER_NO_BUILD=1 $words[1] "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null </dev/null | string match -v -r '^(/.*|-\?|)$')
    # Options only where one is begun, so that file names are offered elsewhere.
    if not string match -q -- '-*' "$word"
        set found (string match -v -- '-*' $found)
    end
    set found (string match -- "$word*" $found)
    if set -q found[1]
        printf '%s\n' $found
    else
        __fish_complete_path "$word"
    end
end
complete -c spotter -f -a '(__spotter_complete)'
