#!/usr/bin/env bash
# A client in Python, written from the RFCs alone: logins, tunnels, uploads, and attacks that must fail
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_gateway
application "$app"
ports tunnel
"$python" "$here/ws.py" serve "$tunnel" >"$work/tunnel.log" 2>&1 &
keep $!
until_true 10 "the application listens" listens "$tunnel"
to=http://127.0.0.1:$app
configure "$(
  route / protected "$to"
  route /public public "$to"
  route /optional optional "$to"
  route /tunnel protected "http://127.0.0.1:$tunnel"
)" '
[guessing]
failures-per-address = 1000
failures-per-user = 1000
'
add_user alice 'correct horse'
serve

timeout 60 "$python" "$here/login.py" "$plain" "$secure" "$ca" "$work" "ws://localhost:$http/tunnel" \
  2>"$work/client.log" || fail "$(tail -n 3 "$work/client.log")"
is "nothing panicked" "$(grep -c panicked "$work/gateway.log" || true)" 0
