#!/usr/bin/env bash
# WebSocket through the gateway: both ends are Python's websockets
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_gateway
"$python" "$here/ws.py" serve "$app" >"$work/application.log" 2>&1 &
keep $!
until_true 10 "the application listens" listens "$app"
to=http://127.0.0.1:$app
configure "$(
  route / protected "$to"
  route /public public "$to"
  route /optional optional "$to"
)" '
[limits]
shutdown-timeout = "1s"
body-timeout = "1s"
'
serve

# talk URL [CA]
talk() { told=$(timeout 40 "$python" "$here/ws.py" ask "$@" 2>"$work/client.log") || fail "talking to $1: $(tail -n 2 "$work/client.log")"; }

expected="user nobody chat
4000 as you wish"
for path in public optional; do
  talk "ws://localhost:$http/$path"
  is "the $path route" "$told" "$expected"
  talk "wss://localhost:$https/$path" "$ca"
  is "the $path route, over TLS" "$told" "$expected"
done

QUIET=1.5 talk "ws://localhost:$http/public"
is "a tunnel may be quiet for longer than a body" "$told" "$expected"

if told=$(timeout 40 "$python" "$here/ws.py" ask "ws://localhost:$http/" 2>&1); then
  fail "a protected route let a stranger in"
fi
has "a protected route refuses strangers" "$told" 401

# A handshake by hand: what the fields look like on both sides.
key=$(head -c 16 /dev/zero | base64)
upgrade=(--http1.1 -H 'Connection: keep-alive, Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H "Sec-WebSocket-Key: $key")
curl -s --max-time 5 -D "$work/head" -o "$work/frames" "${upgrade[@]}" -H 'Tagai-User: root' "$plain/public" || true
head=$(tr -d '\r' <"$work/head")
has "curl sees 101 and the right key" "$head" '^HTTP/1.1 101 .*[Ss]ec-[Ww]eb[Ss]ocket-[Aa]ccept: '
has "and nobody's name, though it sent one" "$(tr -d '\0' <"$work/frames")" 'user nobody'
ask "$plain/optional" "${upgrade[@]}" -H 'Sec-WebSocket-Version: 7'
has "a handshake that the application refuses" "$status" '^4'
ask "$plain/optional" --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: h2c' -H 'HTTP2-Settings: AAMAAABk'
has "h2c is no tunnel through the gateway" "$status" '^(400|426)$'

echo "  -- a tunnel at the gateway's end"
"$python" - "$http" >"$work/tunnel" 2>&1 <<'PY' &
import asyncio, sys, websockets

async def main():
    async with websockets.connect(f"ws://localhost:{sys.argv[1]}/public") as socket:
        await socket.recv()
        print("open", flush=True)
        try:
            await socket.recv()
        except websockets.ConnectionClosed:
            print("closed", flush=True)

asyncio.run(asyncio.wait_for(main(), 20))
PY
client=$!
keep $client
until_true 10 "the tunnel is open" grep -q open "$work/tunnel"
kill -TERM "$gateway_pid"
wait "$gateway_pid" || fail "the gateway ended with $?"
wait "$client" || true
has "is cut when the time to end is over" "$(<"$work/tunnel")" 'open.*closed'
