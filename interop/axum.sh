#!/usr/bin/env bash
# An application of its own that uses the layer, the example of tagai-server: handlers know their users.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$built/examples/axum" 0 >"$work/application.log" 2>&1 &
keep $!
for _ in $(seq 100); do
  grep -q listening "$work/application.log" && break
  sleep 0.05
done
origin=$(sed -n 's/^listening on //p' "$work/application.log")
[ -n "$origin" ] || fail "the example does not start"

is "curl is a guest at the front page" "$(curl -s "$origin/")" "Hello, guest."
has "and is offered a login" "$(curl -si "$origin/")" "optional-www-authenticate: Mutual "
is "a handler that takes a user is not reached without one" "$(curl -s -o /dev/null -w '%{http_code}' "$origin/me")" 401
get() { echo "$1" | XDG_STATE_HOME=$work/state "$built/tagai" get "$origin$2" --user john --password-stdin --no-session 2>>"$work/get.log"; }
is "a user reaches it, proven" "$(get secret /me)" "You are john, and I am who you think."
is "and is known where a login is optional" "$(get secret /)" "Hello, john."
status=0
get wrong /me >"$work/nothing" || status=$?
is "a wrong password is exit code 3" "$status" 3
[ ! -s "$work/nothing" ] || fail "something was printed"
