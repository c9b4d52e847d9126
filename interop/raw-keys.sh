#!/usr/bin/env bash
# GnuTLS with bare keys (RFC 7250): who is registered is let in, nobody else, and the gateway shows the key that is pinned
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_gateway
application "$app"
to=http://127.0.0.1:$app
config=$gateway/tagai.toml
make_ca partners
make_client certified partners DNS:device.example.com
"$built/tagai" key gen "$gateway/keys/gateway.key" >"$work/key.out" 2>&1 || fail "tagai key gen"
# Keys of OpenSSL's making, and one of tagai's.
for algorithm in ed25519 P-256; do
  kind=(-algorithm ed25519)
  [ "$algorithm" = ed25519 ] || kind=(-algorithm EC -pkeyopt "ec_paramgen_curve:$algorithm")
  (umask 077 && openssl genpkey "${kind[@]}" -out "$work/$algorithm.key" 2>"$work/openssl.log") || fail "openssl genpkey"
done
for name in own stranger; do "$built/tagai" key gen "$work/$name.key" >"$work/key.out" 2>&1 || fail "tagai key gen"; done
for name in ed25519 P-256 own stranger; do openssl pkey -in "$work/$name.key" -pubout -out "$work/$name.pub"; done

routes=$(
  printf '[[site.route]]\npath = "/"\naccess = "protected"\nproof = ["raw-key"]\nupstream = "%s"\n' "$to"
  printf '[[site.route]]\npath = "/either/"\naccess = "protected"\nproof = ["raw-key", "x509"]\nclient-ca = ["partners"]\nupstream = "%s"\n' "$to"
  printf '[[site]]\norigins = ["https://www.example:%s"]\n' "$https"
  route / public "$to"
)
more='
[[raw-key]]
key = "keys/gateway.key"

[[client-ca]]
id = "partners"
certificates = "../partners.pem"
'
configure "$routes" "$more" "" "\"https://localhost:$https\""
tagai() { "$built/tagai" "$@" --config "$config" >"$work/tagai.out" 2>&1 || fail "tagai $*: $(<"$work/tagai.out")"; }
for name in ed25519 P-256 own; do
  tagai principal add "sensor-$name" --kind device --group sensors
  tagai principal bind "sensor-$name" --key "$work/$name.pub"
done
serve

bare=NORMAL:-CTYPE-ALL:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK
# gnutls HOST PATH [OPTIONS...] : a request by gnutls-cli; sets $told.
gnutls() {
  local host=$1 path=$2
  shift 2
  told=$( (printf 'GET %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n' "$path" "$host" "$https"; sleep 0.4) |
    timeout 10 gnutls-cli 127.0.0.1 -p "$https" --sni-hostname "$host" --verify-hostname "$host" --no-ca-verification "$@" 2>&1 |
    tr -d '\0\r') || true
}
key() { echo "--rawpkkeyfile=$work/$1.key --rawpkfile=$work/$1.pub"; }
pin() { openssl pkey "$@" -outform der 2>/dev/null | openssl dgst -sha256 -binary | base64; }

echo "  -- registered keys"
for name in ed25519 P-256 own; do
  # shellcheck disable=SC2046
  gnutls localhost /echo --priority "$bare" --print-cert $(key "$name")
  has "$name: both ends show bare keys" "$told" 'Successfully sent 1 certificate.*Got 1 Raw public-key.*\(TLS1.3-Raw Public Key\)'
  has "and it is let in" "$told" "HTTP/1.1 200 OK.*\"tagai-principal\", \"sensor-$name\".*\"tagai-method\", \"raw-key\""
done
shown=$(sed -n '/BEGIN PUBLIC KEY/,/END PUBLIC KEY/p' <<<"$told" | pin -pubin)
is "the gateway's key is the one of its pin" "sha256:$shown" "$("$built/tagai" key pin "$gateway/keys/gateway.key")"
is "and of its file, by OpenSSL" "$shown" "$(pin -in "$gateway/keys/gateway.key" -pubout)"

echo "  -- all others"
# shellcheck disable=SC2046
gnutls localhost /echo --priority "$bare" $(key stranger)
has "a key of nobody is refused" "$told" 'HTTP/1.1 403 Forbidden.*tagai-refusal: not-registered'
gnutls localhost /echo --priority NORMAL:-CTYPE-ALL:+CTYPE-CLI-X509:+CTYPE-SRV-RAWPK
has "so is none" "$told" 'HTTP/1.1 403 Forbidden.*tagai-refusal: key-required'
# shellcheck disable=SC2046
gnutls localhost /echo --priority "$bare" "--rawpkkeyfile=$work/stranger.key" "--rawpkfile=$work/own.pub"
hasnt "somebody's public key with another private one" "$told" 'HTTP/1.1 200'
# shellcheck disable=SC2046
gnutls localhost /echo --priority NORMAL:-VERS-ALL:+VERS-TLS1.2:-CTYPE-ALL:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK $(key own)
has "bare keys are for TLS 1.3" "$told" 'TLS fatal alert'

echo "  -- a mixture"
# shellcheck disable=SC2046
gnutls localhost /echo --priority NORMAL:+CTYPE-CLI-RAWPK $(key own)
has "the gateway by its certificate, the client by its key" "$told" \
  '\(TLS1.3-Raw Public Key-X.509\).*HTTP/1.1 200 OK.*"tagai-principal", "sensor-own"'
gnutls localhost /either/echo --priority NORMAL "--x509certfile=$work/certified.pem" "--x509keyfile=$work/certified.key"
has "a certificate where both are taken" "$told" 'HTTP/1.1 200 OK.*"partners/dns:device.example.com".*"x509"'
# shellcheck disable=SC2046
gnutls localhost /either/echo --priority "$bare" $(key own)
has "a key there" "$told" 'HTTP/1.1 200 OK.*"sensor-own".*"raw-key"'
gnutls localhost /echo --priority NORMAL "--x509certfile=$work/certified.pem" "--x509keyfile=$work/certified.key"
has "no certificate where keys alone are taken" "$told" 'HTTP/1.1 403 Forbidden.*tagai-refusal: key-required'
# shellcheck disable=SC2046
gnutls www.example /echo --priority NORMAL:+CTYPE-CLI-RAWPK $(key own)
hasnt "a host without such routes asks for no key" "$told" 'Server has requested a certificate'
has "and needs none" "$told" 'HTTP/1.1 200 OK'

echo "  -- tagai get, with keys of OpenSSL's making"
get_by() {
  timeout 30 "$built/tagai" get "https://localhost:$https/echo" --raw-key "$work/$1.key" --pin "$2" --no-session >"$work/body" 2>"$work/get.log"
}
for name in ed25519 P-256; do
  get_by "$name" "sha256:$shown" || fail "tagai get"
  is "$name" "$(who)" "sensor-$name by raw-key"
done
status=0
get_by own "sha256:$(pin -in "$work/own.key" -pubout)" || status=$?
is "a gateway with another key is a false one" "$status" 5

echo "  -- a key is taken away"
unbound() { gnutls localhost /echo --priority "$bare" "--rawpkkeyfile=$work/own.key" "--rawpkfile=$work/own.pub" && [[ $told = *not-registered* ]]; }
denied() { gnutls localhost /echo --priority "$bare" "--rawpkkeyfile=$work/P-256.key" "--rawpkfile=$work/P-256.pub" && [[ $told = *'refusal: denied'* ]]; }
tagai principal unbind sensor-own --key "$work/own.pub"
until_true 5 "it is out" unbound
ok "unbound, it is out"
tagai deny add key "$work/P-256.pub"
until_true 5 "it is out" denied
ok "denied, it is out"
"$built/tagai" key gen "$work/next.key" >"$work/key.out" 2>&1 || fail "tagai key gen"
mv "$work/next.key" "$gateway/keys/gateway.key"
reload
status=0
get_by ed25519 "sha256:$shown" || status=$?
is "the gateway's next key is another" "$status" 5
get_by ed25519 "$("$built/tagai" key pin "$gateway/keys/gateway.key")" || fail "$(<"$work/get.log")"
ok "and is shown from then on"
is "nothing panicked" "$(grep -c panicked "$work/gateway.log" || true)" 0
