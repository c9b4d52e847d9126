#!/usr/bin/env bash
# The pages of docs/operating tell a story each, which runs from top to bottom, as somebody would who pastes it
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
target=${CARGO_TARGET_DIR:-$root/target}
[ "${BUILT:-}" = 1 ] || cargo build --locked -q -p tagai-cli

for page in README.md docs/operating/*.md; do
  dir=$(mktemp -d)
  # Job control, as in a terminal: %2 is the second thing that was started in the background.
  {
    echo 'set -m'
    # The README takes an application for granted.
    if [ "$page" = README.md ]; then echo 'python3 -m http.server 3000 --bind 127.0.0.1 --directory . &'; fi
    # Other first lines than `tagai` and the like are for tools/doc-commands.
    awk '/^```sh$/ { on = 1; next } /^```/ { if (on) print "settle"; on = 0 } on && !/^(cargo|\.\/test)/' "$page"
  } >"$dir/story"
  status=0
  (
    cd "$dir"
    export PATH=$target/debug:$PATH HOME=$dir XDG_STATE_HOME=$dir/state
    # What was started in the background needs a moment, as it has while somebody types; a busy machine needs more of them.
    listening() {
      local port tries
      for port in $(jobs -r | sed -n 's/.*http\.server 3000 .*/3000/p; s/.*python3 api\.py.*/3000/p; s/.*tagai serve .*/8443/p'); do
        for ((tries = 0; tries < 200; tries++)); do
          if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
          command sleep 0.1
        done
      done
    }
    settle() {
      command sleep 0.5
      listening
    }
    sleep() {
      command sleep "$((2 * $1))"
      listening
    }
    # A line of the audit log is written beside the answer, and nobody types as fast as this does.
    tail() {
      command sleep 0.5
      command tail "$@"
    }
    export -f listening settle sleep tail
    timeout 120 bash -eEuo pipefail -c 'trap "kill \$(jobs -p) 2>/dev/null; wait 2>/dev/null" EXIT
      trap "echo \"line \$LINENO of the story failed: \$BASH_COMMAND\" >&2" ERR
      . ./story'
  ) >"$dir/output" 2>&1 </dev/null || status=$?
  if [ "$status" != 0 ]; then
    tail -n 40 "$dir/output" >&2
    echo "$page: its story failed" >&2
    rm -rf "$dir"
    exit 1
  fi
  echo "  $page: $(grep -c . "$dir/story") lines"
  rm -rf "$dir"
done
