# shellcheck shell=bash
# Sourced by ./test: what a step needs of the system, installed if it is missing.

# install_packages PACKAGE... : with apt-get, or the word of what to install.
install_packages() {
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    as_root=(sudo)
    [ "${CI:-}" = true ] && as_root=(sudo -n)
  fi
  if ! command -v apt-get >/dev/null || { [ ${#as_root[@]} -gt 0 ] && ! command -v sudo >/dev/null; }; then
    echo "Cannot install it here. Please install: $* (Debian's names), then run ./test again." >&2
    exit 1
  fi
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
  # Another apt may be at work, and a server may be away for a moment.
  apt+=(-o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  local log
  log=$(mktemp)
  # The lists of a fresh machine are empty or old, so a first failure is answered with an update.
  if ! "${apt[@]}" install -y --no-install-recommends "$@" >"$log" 2>&1 &&
    ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "$@"; } >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    echo "apt-get could not install it. Please install: $*, then run ./test again." >&2
    exit 1
  fi
  rm -f "$log"
}

# need COMMAND WHY PACKAGE...
need() {
  local command=$1 why=$2
  shift 2
  command -v "$command" >/dev/null && return
  echo "Installing $* with apt-get, because there is no $command: $why."
  install_packages "$@"
  hash -r
}

# need_node : Node.js with npm, new enough for the linters, first in PATH. That of Debian 12 is older; then one from the npm registry,
# known by its hash, is put under $target.
need_node() {
  need node "it runs what is written in TypeScript" nodejs
  need npm "it fetches the compiler of TypeScript" npm
  if node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 18) ? 0 : 1)'; then
    return
  fi
  local version=22.20.0 arch hash dir=$target/node
  case $(uname -m) in
    x86_64) arch=x64 hash=CWyKqAkT1fUBr1IDD/JhDAYpUrBraNmSM9ndREbhAp14QmgBqq8CmgWHITSK1YXzJj+hWTEC1+F6gOgVFLIaSg== ;;
    aarch64) arch=arm64 hash=eVexvODYds5ya11f+1D0r33WVf6BGvoSvofyVYQFMFMytblCCwlgJStpOb4IdomSnfVQWLAt0tNgYE5iXxSRuA== ;;
    *)
      echo "Node.js $(node --version) is too old for the linters. Please install 20.18 or newer, then run ./test again." >&2
      exit 1
      ;;
  esac
  if [ "$("$dir/bin/node" --version 2>/dev/null)" != "v$version" ]; then
    echo "Putting Node.js $version from the npm registry under target/, because the linters need one newer than $(node --version)."
    rm -rf "$dir"
    mkdir -p "$dir"
    (
      cd "$dir"
      npm pack --silent --fetch-retries=5 "node-linux-$arch@$version" >/dev/null
      node -e 'process.stdout.write(require("crypto").createHash("sha512").update(require("fs").readFileSync(process.argv[1])).digest("base64"))' \
        "node-linux-$arch-$version.tgz" | grep -qxF -- "$hash"
    ) || {
      rm -rf "$dir"
      echo "It could not be fetched, or is not what it was. Please install Node.js 20.18 or newer, then run ./test again." >&2
      exit 1
    }
    tar -xzf "$dir/node-linux-$arch-$version.tgz" -C "$dir" --strip-components=1
    rm -f "$dir"/*.tgz
  fi
  PATH=$dir/bin:$PATH
  # Made elsewhere, it knows only the authorities that came with it; those of this machine may be others.
  if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
    export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
  fi
  hash -r
}

need_cc() {
  if ! printf '#include <stdlib.h>\nint main(void){return 0;}\n' | cc -x c -o /dev/null - 2>/dev/null; then
    echo "Installing gcc and libc6-dev with apt-get, because cc does not work: it links every program, and builds AWS-LC."
    install_packages gcc libc6-dev
  fi
}

need_cxx() {
  need_cc
  if ! printf '#include <vector>\nint main(){return 0;}\n' | c++ -x c++ -o /dev/null - 2>/dev/null; then
    echo "Installing g++ with apt-get, because c++ does not work: libFuzzer is C++."
    install_packages g++
  fi
}

# need_component NAME SUBCOMMAND : a part of the Rust toolchain.
need_component() {
  cargo "$2" --version >/dev/null 2>&1 && return
  if command -v rustup >/dev/null; then
    echo "Adding the Rust component $1 with rustup."
    rustup -q component add "$1"
  else
    echo "cargo $2 is missing. Please install the Rust component $1, then run ./test again." >&2
    exit 1
  fi
}
