# Completes the commands, options and values of spotter in bash; file names where it has none of these.
_spotter() {
  local word=${COMP_WORDS[COMP_CWORD]} found
  COMPREPLY=()
  while IFS= read -r found; do
    # Options only where one is begun, so that file names are offered elsewhere.
    case $found in
      '' | /* | '-?') continue ;;
      -*) case $word in -*) ;; *) continue ;; esac ;;
    esac
    case $found in "$word"*) COMPREPLY+=("$found") ;; esac
  done < <(SPOTTER_NO_BUILD=1 "${1/#\~/$HOME}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null </dev/null)
}
complete -o bashdefault -o default -F _spotter spotter
