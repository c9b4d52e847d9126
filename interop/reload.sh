#!/usr/bin/env bash
# The gateway's life: reloads, users who are disabled, health and metrics, the audit log, its end
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_gateway
application "$app"
to=http://127.0.0.1:$app
before=$(
  route / protected "$to"
  route /public public "$to"
)
after=$(
  echo "$before"
  route /new public "$to"
)
limits='
[limits]
shutdown-timeout = "20s"
'
configure "$before" "$limits"
add_user alice 'correct horse'
add_user bob 'battery staple'
serve
tagai=$built/tagai
config=$gateway/tagai.toml

code() { curl -s --max-time 5 -o /dev/null -w '%{http_code}' "$@" || true; }
new_is() { [ "$(code "$plain/new/echo")" = "$1" ]; }

# download PIECES NAME : begins one that takes a tenth of a second for each; $download is its process.
download() {
  curl -sSN --max-time 60 -o "$work/$2" "$plain/public/slow?pieces=$1" 2>"$work/curl.log" &
  download=$!
  keep "$download"
  until_true 5 "a download begins" grep -q 'piece 0' "$work/$2"
}
pieces() { grep -c . "$work/$1"; }

echo "  -- reloads"
download 200 during
reloaded=$download
ok "a slow download has begun"
sed -i 's/access = "public"/access = "publik"/' "$config"
kill -HUP "$gateway_pid"
until_true 5 "the refusal is logged" gateway_said 'not reloaded, and the old one is still in use'
line=$(grep -n publik "$config" | cut -d: -f1)
gateway_said "tagai.toml:$line:" || fail "the log does not name line $line"
ok "a configuration that is wrong is not taken, and its line is named"
gateway_said 'did you mean "public"' || fail "the log does not say what may be meant"
ok "what may be meant is said"
is "the old one goes on" "$(code "$plain/public/echo") $(code "$plain/")" "200 401"
failures() { metric 'tagai_reloads_total{result="failure"}'; }
failed_since() { [ "$(failures)" -gt "$1" ]; }
failed=$(failures)
: >"$config"
kill -HUP "$gateway_pid"
until_true 5 "an empty file is refused" failed_since "$failed"
is "an empty file neither" "$(code "$plain/public/echo") $(code "$plain/")" "200 401"
new_is 401 || fail "the new route is there already"
configure "$after" "$limits"
kill -HUP "$gateway_pid"
until_true 5 "the new route" new_is 200
ok "a new route is taken over"
kill -0 "$reloaded" || fail "the download is over"
configure "$before" "$limits"
until_true 15 "the change of the file is seen" new_is 401
ok "a change of the file is seen without a signal"
configure "$after" '
[limits]
connections = 5000
shutdown-timeout = "20s"
'
until_true 15 "the change is seen" gateway_said '\[limits\] was changed: this takes a restart'
ok "what takes a restart is said"
wait "$reloaded" || fail "the download ended with $?"
is "the download was not disturbed" "$(pieces during)" 200

echo "  -- a user who is disabled"
cat >"$work/session.py" <<PY
import sys, time
sys.path.insert(0, "$here")
from mutual import Client

alice, bob = (Client("$secure", *login, "$ca") for login in [("alice", "correct horse"), ("bob", "battery staple")])
print(alice.request("/echo")[0], bob.request("/echo")[0], flush=True)
sys.stdin.readline()
disabled = time.monotonic()
while time.monotonic() < disabled + 10:
    field, owed = alice.authorization()
    response, _ = alice.send("GET", "/echo", {"Authorization": field})
    if response.status == 401:
        # Until here: the next login, which Python computes slowly, is no part of it.
        out = "in time" if time.monotonic() < disabled + 2 else "too late"
        alice.session = None
        try:
            alice.request("/echo")
        except PermissionError as reason:
            print(reason, out)
        break
    assert alice.is_proven(response.getheader("Authentication-Info"), owed), response.status
    time.sleep(0.05)
print(bob.request("/echo")[0], bob.key_exchanges)
PY
mkfifo "$work/go"
timeout 30 "$python" "$work/session.py" <"$work/go" >"$work/sessions" 2>&1 &
sessions=$!
keep $sessions
exec 8>"$work/go"
until_true 10 "two sessions" grep -q '^200 200$' "$work/sessions"
ok "two users have sessions"
"$tagai" user disable alice --config "$config" >"$work/disable.out" 2>&1 || fail "tagai user disable"
echo >&8
wait "$sessions" || fail "$(<"$work/sessions")"
gateway_said 'sessions ended: the user was changed realm="staff" user="alice"' || fail "the log does not say whose sessions ended"
is "the one is out within two seconds, the other goes on" "$(tail -n +2 "$work/sessions")" "auth-failed in time
200 1"
exec 8>&-
"$tagai" user enable alice --config "$config" >"$work/enable.out" 2>&1 || fail "tagai user enable"
get "$secure/echo" alice 'correct horse' || fail "enabled, and refused"
is "enabled again, she is in again" "$(saw 'dict(d["fields"])["tagai-user"]')" alice
for user in alice mallory; do
  status=0
  get "$secure/echo" "$user" 'wrong horse' || status=$?
  is "$user with a wrong password is refused" "$status" 3
done

echo "  -- health and metrics"
for path in healthz readyz metrics; do is "/$path" "$(code "http://127.0.0.1:$admin/$path")" 200; done
is "nothing else" "$(code "http://127.0.0.1:$admin/") $(code -X POST "http://127.0.0.1:$admin/healthz")" "404 404"
has "their type" "$(curl -sI "http://127.0.0.1:$admin/metrics")" 'application/openmetrics-text; version=1.0.0'
curl -s "http://127.0.0.1:$admin/metrics" >"$work/metrics"
"$python" - "$work/metrics" <<'PY' || fail "Prometheus' parser does not take the metrics"
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families

families = {family.name: family for family in text_string_to_metric_families(open(sys.argv[1]).read())}

def value(name, **labels):
    return sum(s.value for s in families[name].samples if labels.items() <= s.labels.items())

assert value("tagai_reloads", result="failure") >= 2, "failed reloads"
assert value("tagai_reloads", result="success") >= 2, "reloads"
assert value("tagai_login_events", realm="staff", event="logged-in") == 3, "logins"
assert value("tagai_login_events", realm="staff", event="refused-unknown-user") == 2, "strangers"
assert value("tagai_sessions", state="established") >= 1, "sessions"
assert value("tagai_requests", route="/public", status="2xx") >= 3, "requests"
assert all(family.documentation for family in families.values()), "documentation"
PY
ok "Prometheus' parser takes the metrics, and they are right"

echo "  -- the audit log"
"$python" - "$gateway/audit.log" <<'PY' || fail "the audit log is not right"
import datetime, ipaddress, json, sys

lines = [json.loads(line) for line in open(sys.argv[1])]
known = {"time", "event", "realm", "user", "principal", "method", "origin", "address", "sid_hash", "reason", "by"}
for line in lines:
    assert line.keys() <= known, line
    assert line["time"].endswith("Z") and datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00"))
    assert line["realm"] == "staff", line
    by_operator = line["event"].startswith(("user-", "password-"))
    assert ("by" in line) == by_operator and ("address" in line) != by_operator, line
    if not by_operator:
        assert line["event"] not in ("login", "refused") or line["method"] == "mutual", line
        assert ipaddress.ip_address(line["address"]) and line["origin"].startswith(("http://", "https://")), line
seen = [(line["event"], line.get("user")) for line in lines]
logins = [("user-added", "alice"), ("user-added", "bob"), ("login", "alice"), ("login", "bob"), ("user-disabled", "alice")]
assert seen[:5] == logins, seen
assert ("user-enabled", "alice") in seen and ("refused", "alice") in seen and ("refused", "mallory") in seen, seen
PY
ok "is JSON, a line for each event"
for secret in 'correct horse' 'battery staple' 'wrong horse' 'vkc=' 'kc1='; do
  if grep -qF "$secret" "$gateway/audit.log" "$work/gateway.log" "$work/gateway.out" "$work/metrics"; then fail "\"$secret\" is in a log"; fi
done
ok "no secret is in it, nor in the log or the metrics"
is "only its owner reads it" "$(stat -c %a "$gateway/audit.log")" 600

echo "  -- a second gateway"
status=0
"$tagai" serve --config "$config" </dev/null >"$work/second" 2>&1 || status=$?
is "does not start" "$status" 1
has "says what to do" "$(<"$work/second")" "cannot listen on 127.0.0.1:($https|$http).*another program listens there: stop it, or choose another port"
hasnt "and nothing that would not help" "$(<"$work/second")" 'tagai check'
healthy || fail "the first one is gone"

echo "  -- the end"
download 60 end
kill -TERM "$gateway_pid"
until_true 5 "the end is logged" gateway_said 'ending: no new connections'
# The line is written just before.
not_ready() { [ "$(code "http://127.0.0.1:$admin/readyz")" = 503 ]; }
closed() { ! listens "$https" && ! listens "$http"; }
until_true 5 "/readyz says so" not_ready
until_true 5 "nobody listens" closed
is "/readyz says so to those who ask" "$(code "http://127.0.0.1:$admin/readyz")" 503
is "new connections are refused" "$(code "$plain/public/echo") $(code -k "$secure/public/echo")" "000 000"
wait "$download" || fail "the download was cut: $?"
is "a running download finishes" "$(pieces end)" 60
status=0
wait "$gateway_pid" || status=$?
is "then the gateway ends well" "$status" 0

serve
download 100 cut
# The log has the end of the first one too. Two signals that come before the gateway sees one are one.
ends() { [ "$(grep -c 'ending: no new connections' "$work/gateway.log")" = "$1" ]; }
kill -TERM "$gateway_pid"
until_true 5 "the end is logged" ends 2
sleep 0.3
is "a second time, it waits" "$(kill -0 "$gateway_pid" && echo waits)" waits
kill -TERM "$gateway_pid"
status=0
wait "$gateway_pid" || status=$?
status2=0
wait "$download" || status2=$?
is "a second signal cuts the download" "$status2" 18
at_most "which got pieces" "$(pieces cut)" 60
is "and ends the gateway at once" "$status" 0
gateway_said 'ended at once' || fail "the log does not say that something was cut"
is "nothing panicked" "$(grep -c panicked "$work/gateway.log" || true)" 0
