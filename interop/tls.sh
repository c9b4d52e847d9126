#!/usr/bin/env bash
# OpenSSL: versions, certificates by name, resumption, and certificates that are replaced while connections are open
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_gateway
application "$app"
make_ca authority
make_certificate one authority one.example
make_certificate two authority two.example '*.two.example'
certificates=$(printf '[[certificate]]\nchain = "%s.pem"\nkey = "%s.key"\n' "$work/one" "$work/one" "$work/two" "$work/two")
origins="\"https://one.example:$https\", \"https://two.example:$https\", \"$plain\""
# A realm of any place: these hosts have no users here.
configure "$(route / public "http://127.0.0.1:$app")" '' "$certificates" "$origins"
serve
ca=$work/authority.pem

# shake [OPENSSL'S OPTIONS...] : a handshake; sets $told. True if there is one.
shake() {
  local status=0
  told=$(timeout 10 openssl s_client -connect "127.0.0.1:$https" -CAfile "$work/authority.pem" "$@" \
    </dev/null 2>&1 | tr -d '\0') || status=$?
  return "$status"
}

# leaf : the subject of the certificate that was shown.
leaf() { openssl x509 -noout -subject -nameopt multiline <<<"$told" 2>/dev/null | sed -n 's/.*commonName *= //p'; }

echo "  -- certificates"
for name in one two; do
  shake -servername "$name.example" -verify_hostname "$name.example" -verify_return_error || fail "no TLS for $name: $told"
  is "the certificate of $name.example" "$(leaf)" "$name"
  has "is verified" "$told" 'Verify return code: 0 \(ok\)'
done
shake -servername any.two.example -verify_hostname any.two.example -verify_return_error || fail "no TLS: $told"
is "a wildcard" "$(leaf)" two
shake -servername TWO.example || fail "no TLS: $told"
is "case does not count" "$(leaf)" two
shake -servername unknown.example || fail "no TLS: $told"
is "an unknown name gets the first" "$(leaf)" one
shake -noservername || fail "no TLS: $told"
is "no name gets the first" "$(leaf)" one
hasnt "no certificate is asked for" "$told" 'Acceptable client certificate CA names|Client Certificate Types'
has "which OpenSSL says itself" "$told" 'No client certificate CA names sent'

echo "  -- versions"
for version in 1_3 1_2; do
  shake "-tls$version" -servername one.example || fail "no TLS $version: $told"
  has "TLS ${version/_/.}" "$told" "New, TLSv${version/_/.}, Cipher is (TLS_AES|TLS_CHACHA|ECDHE)"
done
has "TLS 1.2 has the extended master secret (RFC 7627)" "$told" 'Extended master secret: yes'
has "and no renegotiation without protection" "$told" 'Secure Renegotiation IS supported'
for version in 1_1 1; do
  if shake "-tls$version" -cipher 'DEFAULT@SECLEVEL=0' -servername one.example; then fail "TLS ${version/_/.} is spoken"; fi
  has "TLS ${version/_/.} is refused" "$told" 'alert (protocol version|handshake failure)'
done
if shake -tls1_2 -cipher 'AES128-SHA256:AES256-GCM-SHA384@SECLEVEL=0' -servername one.example; then fail "a cipher without forward secrecy"; fi
has "ciphers without forward secrecy are refused" "$told" 'alert handshake failure'

echo "  -- ALPN"
for offer in h2,http/1.1=h2 http/1.1,h2=h2 http/1.1=http/1.1; do
  shake -alpn "${offer%=*}" -servername one.example || fail "no TLS: $told"
  has "${offer%=*} gives ${offer#*=}" "$told" "ALPN protocol: ${offer#*=}"
done
shake -servername one.example || fail "no TLS: $told"
has "none gives none" "$told" 'No ALPN negotiated'
if shake -alpn spdy/3 -servername one.example; then fail "an unknown protocol was agreed on"; fi
has "an unknown one is refused (RFC 7301 §3.2)" "$told" 'alert no application protocol'

echo "  -- resumption"
for version in 1_3 1_2; do
  rm -f "$work/session"
  # A session ticket of TLS 1.3 comes after the handshake, so something is asked.
  (printf 'GET / HTTP/1.1\r\nHost: one.example:%s\r\nConnection: close\r\n\r\n' "$https"; sleep 0.3) |
    timeout 10 openssl s_client -connect "127.0.0.1:$https" "-tls$version" -servername one.example -sess_out "$work/session" \
      -quiet >"$work/s_client.log" 2>&1 || true
  [ -s "$work/session" ] || fail "TLS ${version/_/.}: no session"
  shake "-tls$version" -servername one.example -sess_in "$work/session" || fail "no TLS: $told"
  has "TLS ${version/_/.}" "$told" "Reused, TLSv${version/_/.}"
  shake "-tls$version" -servername two.example -sess_in "$work/session" || fail "no TLS: $told"
  has "TLS ${version/_/.}: not with another certificate" "$told" "New, TLSv${version/_/.}"
  is "whose own is shown" "$(leaf)" two
done
has "nothing is sent before the handshake is over" "$told" '(Early data was not sent|TLSv1.2)'

echo "  -- certificates that are replaced"
# An old connection, kept by two pipes.
mkfifo "$work/to"
timeout 60 openssl s_client -connect "127.0.0.1:$https" -servername one.example -quiet <"$work/to" >"$work/old" 2>"$work/s_client.log" &
keep $!
exec 7>"$work/to"
old_asks() {
  : >"$work/old"
  printf 'GET /echo HTTP/1.1\r\nHost: one.example:%s\r\n\r\n' "$https" >&7
  until_true 10 "the old connection answers" grep -q sha256 "$work/old"
}
serial() {
  shake -servername one.example || fail "no TLS: $told"
  openssl x509 -noout -serial <<<"$told"
}
replace() {
  make_certificate next authority one.example
  mv "$work/next.key" "$work/one.key"
  mv "$work/next.pem" "$work/one.pem"
}
shown() { [ "$(serial)" = "$(openssl x509 -noout -serial -in "$work/one.pem")" ]; }

old_asks
before=$(serial)
ok "an old connection is open"
replace
kill -HUP "$gateway_pid"
until_true 5 "SIGHUP: new connections see the new certificate" shown
ok "SIGHUP: new connections see the new certificate"
[ "$(serial)" != "$before" ] || fail "it is the old one"
old_asks
ok "the old one goes on"
shake -tls1_3 -servername one.example -sess_in "$work/session" || true
# Until the watcher has seen what was reloaded just now, a second change would be a part of it.
replace
until_true 15 "a change is seen without a signal" shown
ok "a change is seen without a signal"
old_asks
ok "the old one goes on"
cp "$work/one.pem" "$work/kept.pem"
serial=$(serial)
echo garbage >"$work/one.pem"
kill -HUP "$gateway_pid"
until_true 5 "a broken certificate is reported" gateway_said 'not reloaded.*one.pem'
is "a broken one is not taken" "$(serial)" "$serial"
cp "$work/two.key" "$work/one.key"
cp "$work/kept.pem" "$work/one.pem"
kill -HUP "$gateway_pid"
until_true 5 "a key of another certificate is reported" gateway_said 'one.key: this key does not belong'
is "nor one with another's key" "$(serial)" "$serial"
exec 7>&-

echo "  -- what is not TLS"
status=$(curl -s --max-time 10 -o "$work/body" -w '%{http_code}' "http://127.0.0.1:$https/" || true)
has "http to the port of https is not answered with a page" "$status" '^(000|400)$'
printf 'garbage\r\n\r\n' | timeout 5 openssl s_client -connect "127.0.0.1:$http" >"$work/s_client.log" 2>&1 && fail "TLS on the port of http"
has "TLS to the port of http gets no session" "$(<"$work/s_client.log")" 'no peer certificate available'
for number in {1..50}; do head -c "$((number * 20))" /dev/urandom >"/dev/tcp/127.0.0.1/$https" 2>/dev/null || true; done
shake -servername one.example || fail "no TLS after garbage: $told"
ok "garbage does no harm"
is "nothing panicked" "$(grep -c panicked "$work/gateway.log" || true)" 0
