#!/usr/bin/env bash
# The first screen of the README: `tagai demo`, and every line that it prints to be pasted
# RELEASE=1 runs it as the README does, by `cargo run --release`.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
demo=
finish() {
  if [ -n "$demo" ]; then kill -INT "$demo" 2>/dev/null || true; fi
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap finish EXIT
if [ "${RELEASE:-}" = 1 ]; then
  # Without -p, as `cargo run` chooses: with it other features may be on, and much would be compiled again while we wait.
  cargo build --locked --release -q
  command=(cargo run --locked --release -q -- demo)
else
  [ "${BUILT:-}" = 1 ] || cargo build --locked -q -p tagai-cli
  command=("${CARGO_TARGET_DIR:-target}/debug/tagai" demo)
fi
# Free ports, so that a demo that somebody looks at is left alone.
read -r https http app < <(python3 -c 'import socket
s = [socket.socket() for _ in range(3)]
[x.bind(("127.0.0.1", 0)) for x in s]
print(*(x.getsockname()[1] for x in s))')
# What is kept between calls is kept here.
export XDG_STATE_HOME=$dir/state

start() {
  # What the last one said is gone before it is looked at: the next one empties its file a moment later.
  rm -f "$dir/out"
  # Without job control, what is started in the background ignores Ctrl-C; a shell with it does not hand that on.
  (
    set -m
    "${command[@]}" --dir "$dir/demo" --https-port "$https" --http-port "$http" --app-port "$app" >"$dir/out" 2>"$dir/err" &
    echo $! >"$dir/pid"
  )
  demo=$(cat "$dir/pid")
  for _ in $(seq 900); do
    grep -q 'Ctrl-C ends' "$dir/out" 2>/dev/null && return
    sleep 0.1
  done
  cat "$dir/out" "$dir/err" >&2
  echo "the demo did not start" >&2
  exit 1
}
stop() {
  # To the group, as a terminal does: cargo run hands no signal on.
  kill -INT -- "-$demo"
  for _ in $(seq 300); do
    if ! kill -0 "$demo" 2>/dev/null; then
      demo=
      return
    fi
    sleep 0.1
  done
  echo "the demo did not end" >&2
  exit 1
}

paste_all() {
  local line count=0
  while IFS= read -r line; do
    case $line in
      *'user add bob'*) line="$line --generate" ;; # It would ask.
      *'-o download.bin'*) line=${line/download.bin/$dir/download.bin} ;;
    esac
    if ! timeout 60 bash -c "$line" >"$dir/line.out" 2>"$dir/line.err" </dev/null; then
      cat "$dir/line.out" "$dir/line.err" >&2
      echo "this line of the demo failed: $line" >&2
      exit 1
    fi
    count=$((count + 1))
    case $line in
      *' -i '*) grep -q '401' "$dir/line.out" ;;
      *'/app/ --cacert'*) grep -q 'alice' "$dir/line.out" && grep -q 'proven' "$dir/line.err" ;;
      *'/app/events'*) grep -q 'event 10 of 10' "$dir/line.out" ;;
      *'download.bin'*) [ "$(stat -c %s "$dir/download.bin")" = 52428800 ] ;;
    esac || {
      echo "this line of the demo did something else than it should: $line" >&2
      cat "$dir/line.out" "$dir/line.err" >&2
      exit 1
    }
  done < <(sed -n '/^Try, /,/^.* was made/p;/^Try, /,/^.* is used again/p' "$dir/out" | grep -E '^  ' | awk '!seen[$0]++')
  echo "  $count lines of the demo"
  [ "$count" -ge 10 ]
}

start
paste_all
stop
# The second time it finds what is there, and the same user logs in.
start
grep -q 'is used again' "$dir/out"
line=$(grep -m 1 -E '^  .*password-stdin' "$dir/out")
bash -c "$line" 2>/dev/null </dev/null | grep -q alice
stop
echo "  started again from the same directory"
