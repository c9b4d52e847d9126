#!/usr/bin/env bash
# PyJWT, from Debian, checks the signed assertions: by the published keys, before and after a rotation, and against forgeries
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

issuer=https://gateway.example.com
example=$built/examples/assertion
ports web
mkdir "$work/web"
# The example stands for the gateway: `publish` for its JWKS, `sign` for what an upstream finds in Tagai-Assertion.
publish() { "$example" jwks "$1" >"$work/web/jwks.json" || fail "assertion jwks"; }
sign() { "$example" sign "$1" "$issuer" app "${2:-0}" || fail "assertion sign"; }
judge() {
  "$python" "$here/assertion.py" "http://127.0.0.1:$web/jwks.json" "$issuer" app "$@" 2>"$work/client.log" ||
    fail "$(tail -n 3 "$work/client.log")"
}

"$python" -m http.server --bind 127.0.0.1 --directory "$work/web" "$web" >"$work/application.log" 2>&1 &
keep $!
until_true 10 "the keys are served" listens "$web"

"$built/tagai" keys assertion new "$work/strangers.pem" >/dev/null 2>&1 || fail "tagai keys assertion new"
stranger=$(sign "$work/strangers.pem")
for kind in p256 ed25519; do
  echo "  -- $kind"
  keys=$work/$kind.pem
  first=$("$built/tagai" keys assertion new "$keys" --kind "$kind" 2>"$work/get.log") || fail "tagai keys assertion new"
  publish "$keys"
  old=$(sign "$keys")
  judge "$old" "$stranger"
  is "kid is the thumbprint that was printed" "$(json "$work/web/jwks.json" 'd["keys"][0]["kid"]')" "$first"
  "$built/tagai" keys assertion rotate "$keys" --drop-after 1h >/dev/null 2>"$work/get.log" || fail "tagai keys assertion rotate"
  publish "$keys"
  judge "$old" "$stranger"
  judge "$(sign "$keys")" "$stranger"
  has "an assertion of a minute ago is over" \
    "$("$python" "$here/assertion.py" "http://127.0.0.1:$web/jwks.json" "$issuer" app "$(sign "$keys" 61)" 2>&1 || true)" \
    'ExpiredSignatureError'
done

echo "  -- keys of OpenSSL's making"
for algorithm in 'EC -pkeyopt ec_paramgen_curve:P-256' ED25519; do
  # shellcheck disable=SC2086
  (umask 077 && openssl genpkey -algorithm $algorithm -out "$work/openssl.pem" 2>"$work/openssl.log") || fail "openssl genpkey"
  publish "$work/openssl.pem"
  judge "$(sign "$work/openssl.pem")" "$stranger"
done
