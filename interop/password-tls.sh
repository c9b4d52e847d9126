#!/usr/bin/env bash
# curl -u: passwords inside of TLS, only where a route takes them, marked as what they are, slowed down, and never over http
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_gateway
application "$app"
to=http://127.0.0.1:$app
# by PATH METHODS [LINE...] : the text of a route of the realm.
by() {
  local path=$1 methods=$2
  shift 2
  printf '[[site.route]]\npath = "%s"\naccess = "protected"\nrealm = "staff"\nproof = [%s]\nupstream = "%s"\n' "$path" "$methods" "$to"
  for line in "$@"; do printf '%s\n' "$line"; done
}
routes=$(
  by / '"mutual"'
  by /password/ '"password-tls"'
  by /both/ '"password-tls", "mutual"'
  by /stronger/ '"password-tls", "mutual"' 'allow = ["proof:mutual"]'
  route /public public "$to"
  printf '[[site]]\norigins = ["%s"]\n' "$plain"
  route / protected "$to"
  route /public public "$to"
)
configure "$routes" '
[guessing]
failures-per-address = 5
recovery = "1h"
' '' "\"$secure\""
add_user alice 'correct horse'
add_user 'Ärzte' 'groß & klein'
serve

echo "  -- where it is taken"
for http in 1.1 2; do
  ask "$secure/password/echo" "--http$http" -u 'alice:correct horse'
  is "alice is let in, HTTP/$http" "$status $version $(who)" "200 $http staff/alice by password-tls"
done
is "the application is not told her password" "$(saw '[name for name, _ in d["fields"] if name == "authorization"]')" "[]"
is "but who she is" "$(saw '[dict(d["fields"]).get(name) for name in ("tagai-user", "tagai-realm")]')" "['alice', 'Staff']"
ask "$secure/password/echo" -u 'Ärzte:groß & klein'
is "names and passwords are UTF-8 (RFC 7617 §2.1)" "$status $(who)" "200 staff/%C3%84rzte by password-tls"
ask "$secure/password/echo"
is "nobody without a password" "$status" 401
is "who is asked by Basic" "$(field WWW-Authenticate)" 'Basic realm="Staff", charset="UTF-8"'
ask "$secure/both/echo"
has "where both are taken, Mutual is asked for first" "$(field WWW-Authenticate)" '^Mutual .*Basic realm="Staff"'
ask "$secure/both/echo" -u 'alice:correct horse'
is "and either will do" "$status $(who)" "200 staff/alice by password-tls"
get "$secure/both/echo" alice 'correct horse' || fail "tagai get"
is "the stronger one too" "$(who)" "staff/alice by mutual"
ask "$secure/both/echo" -u 'alice:correct horse' -H 'Tagai-Method: mutual' -H 'tagai_method: mutual'
is "nobody makes it look stronger" "$(saw '[value for name, value in d["fields"] if "method" in name]')" "['password-tls']"
ask "$secure/stronger/echo" -u 'alice:correct horse'
is "a rule can insist on the stronger one" "$status $(refusal)" "403 not-permitted"
get "$secure/stronger/echo" alice 'correct horse' || fail "tagai get"
ok "which then is let in"

echo "  -- where it is not"
ask "$secure/echo" -u 'alice:correct horse'
is "a route without it does not look at it" "$status" 401
has "and asks for Mutual alone" "$(field WWW-Authenticate)" '^Mutual [^B]*$'
hasnt "Basic is not there" "$(field WWW-Authenticate)" 'Basic'
ask "$plain/password/echo" -u 'alice:correct horse'
is "nor is it taken over http" "$status" 401
hasnt "nor asked for" "$(field WWW-Authenticate)" 'Basic'
configure "$(by /password/ '"password-tls"')"
status=0
"$built/tagai" check --config "$gateway/tagai.toml" >"$work/check.out" 2>&1 || status=$?
is "a site with http cannot have such a route" "$status" 2
has "and is told what to do" "$(<"$work/check.out")" 'served without TLS as well.*put the http:// origin into a \[\[site\]\] of its own'
kill -HUP "$gateway_pid"
until_true 5 "it is refused" gateway_said 'not reloaded'
ok "nor does a running gateway take it"

echo "  -- guessing"
for attempt in {1..5}; do
  ask "$secure/password/echo" -u "mallory:wrong $attempt"
  [ "$status" = 401 ] || fail "a wrong password is answered $status"
done
ok "wrong passwords are refused"
ask "$secure/password/echo" -u 'bob:wrong'
is "then the address has to wait" "$status" 429
has "for so long" "$(field Retry-After)" '^[0-9]+$'
ask "$secure/password/echo" -u 'alice:correct horse'
is "whoever has been here before is not hindered" "$status" 200
until_true 5 "the audit log has it" grep -q 'password-tls' "$gateway/audit.log"
ok "the audit log says how"
for secret in 'correct horse' 'Y29ycmVjdCBob3JzZQ' 'YWxpY2U6Y29ycmVjdCBob3JzZQ' 'wrong 1'; do
  if grep -qF "$secret" "$gateway/audit.log" "$work/gateway.log"; then fail "\"$secret\" is in a log"; fi
done
ok "no password is in a log"
is "nothing panicked" "$(grep -c panicked "$work/gateway.log" || true)" 0
