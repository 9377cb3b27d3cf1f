# Fetches and builds what is out of date. Sourced by ./spotter, ./test, ./release and others, which set $root and $self.
# Must run in bash 3.2, which is what macOS has.

state=$root/.build

die() {
  echo "$self: $*" >&2
  exit 1
}

say() { echo "$self: $*" >&2; }

# changed STEP PATH…: true if anything below the paths is newer than the last good run of STEP. Files are compared
# with its start, so that an edit made during the run counts; folders (deleted files) with its end, since a build
# makes bin/ and obj/ in them.
changed() {
  local step=$1
  shift
  [ -e "$state/$step.from" ] && [ -e "$state/$step.to" ] || return 0
  [ -n "$(find "$@" \( -name node_modules -o -name bin -o -name obj \) -prune -o \
    \( -type f -newer "$state/$step.from" -o -type d -newer "$state/$step.to" \) -print 2>/dev/null | head -n 1)" ]
}

# step NAME WHAT ADVICE COMMAND…: runs the command silently; when it fails, shows what it said and what to do.
step() {
  local name=$1 what=$2 advice=$3 log=$state/$1.log
  shift 3
  say "$what"
  touch "$state/$name.new"
  if "$@" >"$log" 2>&1 </dev/null 9>&-; then
    mv "$state/$name.new" "$state/$name.from"
    touch "$state/$name.to"
  else
    cat "$log" >&2
    die "this failed: $what. $advice"
  fi
}

web_is_stale() {
  [ ! -e "$root/src/Spotter.Gateway/wwwroot/index.html" ] || changed web "$root/web"
}

program=$root/src/Spotter.Cli/bin/Release/net10.0/spotter.dll

program_is_stale() {
  [ ! -e "$program" ] || changed program "$root/src" "$root/web/package-lock.json" "$root/global.json" \
    "$root/Directory.Build.props" "$root/Directory.Build.targets" "$root/Directory.Packages.props" "$root/.editorconfig" "$root/BannedSymbols.txt"
}

find_dotnet() {
  local candidate
  for candidate in dotnet "${DOTNET_ROOT:-/nowhere}/dotnet" "${HOME:-/nowhere}/.dotnet/dotnet" /usr/share/dotnet/dotnet \
    /usr/lib/dotnet/dotnet /usr/local/share/dotnet/dotnet; do
    if dotnet=$(command -v "$candidate"); then return 0; fi
  done
  die "the .NET 10 SDK is missing: install it from https://dotnet.microsoft.com/download/dotnet/10.0, then run this again"
}

need_sdk() {
  "$dotnet" --list-sdks 2>/dev/null | grep -q '^10\.' ||
    die "the .NET 10 SDK is missing ($dotnet has $("$dotnet" --list-sdks 2>/dev/null | cut -d' ' -f1 | tr '\n' ' ')only): install it from https://dotnet.microsoft.com/download/dotnet/10.0, then run this again"
}

need_node() {
  local version
  version=$(node --version 2>/dev/null) && command -v npm >/dev/null ||
    die "Node.js 20 or newer with npm is missing: install it from https://nodejs.org/en/download, then run this again"
  version=${version#v}
  [ "${version%%.*}" -ge 20 ] ||
    die "Node.js is $version, but 20 or newer is needed: install it from https://nodejs.org/en/download, then run this again"
}

# A build needs a home to keep its caches in; a service account often has none.
settle_home() {
  export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
  export MSBUILDDISABLENODEREUSE=1 npm_config_update_notifier=false
  if [ ! -w "${HOME:-/nowhere}" ]; then
    mkdir -p "$state/home"
    export HOME=$state/home DOTNET_CLI_HOME=$state/home npm_config_cache=$state/home/.npm
  fi
}

# One build at a time in one checkout; who comes second waits, and then mostly finds nothing left to do.
lock() {
  mkdir -p "$state" 2>/dev/null && [ -w "$state" ] && [ -w "$root/src/Spotter.Cli" ] ||
    die "Spotter has to be built here, but $root may not be written by $(id -un): run ./spotter --version once as its owner"
  if command -v flock >/dev/null; then
    exec 9>"$state/lock"
    flock -n 9 || { say "waiting for another build"; flock 9; }
    return
  fi
  while ! mkdir "$state/lock.d" 2>/dev/null; do
    ps -p "$(cat "$state/lock.d/pid" 2>/dev/null || echo $$)" >/dev/null 2>&1 || rm -rf "$state/lock.d"
    sleep 1
  done
  echo $$ >"$state/lock.d/pid"
  trap 'rm -rf "$state/lock.d"' EXIT
}

unlock() {
  if command -v flock >/dev/null; then
    exec 9>&-
  else
    rm -rf "$state/lock.d"
    trap - EXIT
  fi
}

npm_ci() { (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund); }

build_page() { npm_ci "$root/web" && (cd "$root/web" && npm run build); }

prepare_page() {
  web_is_stale || return 0
  need_node
  step web "building the page (npm ci, npm run build in web/)" \
    "If no package could be fetched, check that the npm registry can be reached (npm ping); then run this again." build_page
}

# build_program WHAT PROJECT: builds a project or solution that holds the program. The compiler is not kept running:
# beside a service it would only hold memory.
build_program() {
  need_sdk
  step program "building $1" \
    "If packages could not be fetched, check that the NuGet source can be reached; after changing package references, run dotnet restore --force-evaluate." \
    "$dotnet" build "$root/$2" -c Release -p:RestoreLockedMode=true -p:UseSharedCompilation=false -v quiet -clp:NoSummary
}

# The program's version; Directory.Build.props is where it is set.
version() { sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$root/Directory.Build.props"; }

# publish RID FOLDER: the program for a kind of machine, with the runtime that it needs and compiled for that machine. In a place of
# its own and without the lock files: they know no platform, and a build for one would change them. The versions are those of
# Directory.Packages.props all the same. No path of this machine is left in the files.
publish() {
  "$dotnet" publish "$root/src/Spotter.Cli" -c Release -r "$1" --self-contained -o "$2" --artifacts-path "$state/publish" \
    -p:PublishReadyToRun=true -p:DebugType=none -p:PathMap="$root=/spotter" \
    -p:RestorePackagesWithLockFile=false -p:NuGetLockFilePath="$state/publish/none.json" -p:UseSharedCompilation=false -v quiet -clp:NoSummary
}
