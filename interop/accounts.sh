#!/usr/bin/env bash
# People register by invitation and change their passwords, with a client in Python that was written from the RFCs alone
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_gateway
application "$app"
configure "$(route / protected "http://127.0.0.1:$app")"
sed -i 's/^id = "staff"$/&\nregistration = "invitation"/' "$gateway/tagai.toml"
add_user alice 'correct horse'
serve

invite() {
  "$built/tagai" user invite "$@" --config "$gateway/tagai.toml" 2>"$work/user.log" || fail "tagai user invite $*"
}

bob=$(invite bob)
has "a code is printed, and nothing else" "$bob" '^([0-9A-Z]{4}-){4}[0-9A-Z]{4}$'
has "the list shows who is invited, and no code" "$(invite --list)" '^NAME.*bob '
reset=$(invite alice --reset)

timeout 60 "$python" "$here/accounts.py" "$plain" "$secure" "$ca" "$work" "$bob" "$reset" 2>"$work/client.log" ||
  fail "$(tail -n 3 "$work/client.log")"

get "$secure/echo" bob 'battery staple' || fail "tagai get as bob: $(cat "$work/get.log")"
ok "tagai get logs in with the password that was registered"
get "$secure/echo" alice 'only mine' || fail "tagai get as alice: $(cat "$work/get.log")"
ok "and with the one that was changed"
is "no invitation is left" "$(invite --list 2>&1)" ""

audit=$gateway/audit.log
events=$(grep -oE '"event":"(user-registered|password-changed|invitation-made)"' "$audit" | cut -d'"' -f4 | tr '\n' ' ')
is "the audit log has it all" "$events" "invitation-made invitation-made user-registered password-changed password-changed "
is "and no code" "$(grep -cE "$bob|$reset|${bob//-/}|${reset//-/}" "$audit" "$work/gateway.log" | cut -d: -f2 | sort -u)" 0
is "nothing of it came to the application" "$(grep -c account "$work/application.log" || true)" 0
is "nothing panicked" "$(grep -c panicked "$work/gateway.log" || true)" 0
