#!/usr/bin/env bash
# nginx in front of the gateway: whose word on addresses counts
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_gateway
application "$app"
ports trusted stranger fixed modern
forward="proxy_pass http://127.0.0.1:$http; proxy_http_version 1.1; proxy_set_header Host \$http_host;"
added="proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;"
# The gateway sees these come from 127.0.0.4 and 127.0.0.5.
run_nginx front "$trusted" "
  server { listen 127.0.0.1:$trusted; location / { $forward $added proxy_bind 127.0.0.4; } }
  server { listen 127.0.0.1:$stranger; location / { $forward $added proxy_bind 127.0.0.5; } }
  server { listen 127.0.0.1:$fixed; location / { $forward proxy_bind 127.0.0.4; proxy_set_header X-Forwarded-For 203.0.113.7; } }
  server { listen 127.0.0.1:$modern; location / { $forward proxy_bind 127.0.0.4; proxy_set_header Forwarded 'for=203.0.113.8'; } }
"
origins=
for port in "$trusted" "$stranger" "$fixed" "$modern"; do origins+="\"http://localhost:$port\", "; done
# trust [LINE] : writes the configuration, with more in [trust].
trust() {
  configure "$(
    route / protected "http://127.0.0.1:$app"
    route /public public "http://127.0.0.1:$app"
  )" "$(printf '[trust]\nproxies = ["127.0.0.4"]\n%s\n' "${1:-}")" '' "$origins\"$secure\", \"$plain\""
}
trust
add_user alice 'correct horse'
serve

audit=$gateway/audit.log
# last EXPRESSION : of the last line of the audit log.
last() {
  tail -n 1 "$audit" >"$work/line.json"
  json "$work/line.json" "$1"
}

# refused URL [CURL'S OPTIONS...] : a refused login; waits until it is in the audit log.
refused() {
  local url=$1 before
  shift
  before=$(wc -l <"$audit")
  ask "$url" -H 'Authorization: Mutual version=1' "$@"
  is "a login that is refused" "$status" 401
  until_true 5 "the audit log" more_than "$before"
}
more_than() { [ "$(wc -l <"$audit")" -gt "$1" ]; }

echo "  -- a trusted proxy"
refused "http://localhost:$trusted/" --interface 127.0.0.9
is "the address is the one that the proxy saw" "$(last 'd["address"]')" 127.0.0.9
refused "http://localhost:$trusted/" --interface 127.0.0.9 -H 'X-Forwarded-For: 192.0.2.1'
is "what the client says of itself does not count" "$(last 'd["address"]')" 127.0.0.9
refused "http://localhost:$trusted/" --interface 127.0.0.9 -H 'Forwarded: for=192.0.2.1'
is "in a field that nginx lets through neither" "$(last 'd["address"]')" 127.0.0.9
ask "http://localhost:$trusted/public/echo" --interface 127.0.0.9
is "the application sees the whole way" "$(saw '", ".join(v for n, v in d["fields"] if n == "x-forwarded-for")')" "127.0.0.9, 127.0.0.4"
is "and nobody's word beside it" "$(saw '[v for n, v in d["fields"] if n == "forwarded" and "127.0.0.4" not in v]')" "[]"

echo "  -- a proxy that is not trusted"
refused "http://localhost:$stranger/" --interface 127.0.0.9
is "the address is the proxy's" "$(last 'd["address"]')" 127.0.0.5
ask "http://localhost:$stranger/public/echo" --interface 127.0.0.9
is "the application sees nothing else" "$(saw 'dict(d["fields"])["x-forwarded-for"]')" "127.0.0.5"

echo "  -- without a proxy"
refused "$plain/" -H 'X-Forwarded-For: 192.0.2.1' -H 'Forwarded: for=192.0.2.1'
is "the address is the client's" "$(last 'd["address"]')" 127.0.0.1
refused "$plain/" -H 'X-Forwarded-For: 192.0.2.1' --interface 127.0.0.4
is "who comes from the proxy's address is believed" "$(last 'd["address"]')" 192.0.2.1
refused "$plain/" -H 'X-Forwarded-For: 192.0.2.1, nonsense' --interface 127.0.0.4
is "nonsense is not" "$(last 'd["address"]')" 127.0.0.4

echo "  -- a login through nginx"
get "http://localhost:$fixed/echo" alice 'correct horse' || fail "tagai get: $(<"$work/get.log")"
has "is proven" "$(<"$work/get.log")" 'proven'
is "the application is told who it is" "$(saw 'dict(d["fields"])["tagai-user"]')" alice
until_true 5 "the audit log" grep -q '"event":"login"' "$audit"
is "the audit log too, and from where" "$(last '[d["event"], d["user"], d["address"]]')" "['login', 'alice', '203.0.113.7']"

echo "  -- a proxy that speaks RFC 7239"
trust 'field = "Forwarded"'
kill -HUP "$gateway_pid"
until_true 5 "the configuration is reloaded" gateway_said 'the configuration was reloaded'
refused "http://localhost:$modern/" -H 'X-Forwarded-For: 192.0.2.1'
is "its Forwarded counts, and what it lets through does not" "$(last 'd["address"]')" 203.0.113.8
ask "http://localhost:$modern/public/echo" -H 'X-Forwarded-For: 192.0.2.1'
is "nor does it reach the application" "$(saw '[n for n, v in d["fields"] if "192.0.2.1" in v]')" "[]"
