#compdef spotter
# Completes the commands, options and values of spotter in zsh; file names where it has none of these.
_spotter() {
  local line="${(j: :)words[1,CURRENT]}" word="$words[CURRENT]"
  local -a found
  found=("${(@f)$(SPOTTER_NO_BUILD=1 ${~words[1]} "[suggest:${#line}]" "$line" 2>/dev/null </dev/null)}")
  found=("${(@M)found:#${(b)word}*}")
  found=("${(@)found:#(/*|-\?|)}")
  # Options only where one is begun, so that file names are offered elsewhere.
  [[ $word == -* ]] || found=("${(@)found:#-*}")
  if (( $#found )); then
    compadd -a found
  else
    _files
  fi
}
compdef _spotter spotter
