#!/usr/bin/env bash
# PyJWT, from Debian, checks the assertions that an application gets: of each method of proof, across rotations, against forgeries
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_gateway
application "$app"
to=http://127.0.0.1:$app
config=$gateway/tagai.toml
make_ca partners
make_client device partners DNS:device.example.com
# by PATH METHOD [LINE...] : the text of a route whose application gets assertions.
by() {
  local path=$1 method=$2
  shift 2
  printf '[[site.route]]\npath = "%s"\naccess = "protected"\nproof = ["%s"]\naudience = "app"\nupstream = "%s"\n' "$path" "$method" "$to"
  for line in "$@"; do printf '%s\n' "$line"; done
}
routes=$(
  by / mutual 'realm = "staff"'
  by /password/ password-tls 'realm = "staff"'
  by /certificate/ x509 'client-ca = ["partners"]'
  by /key/ raw-key
  route /public public "$to"
)
# life TIME : configures how long assertions live.
life() {
  configure "$routes" "
[[client-ca]]
id = \"partners\"
certificates = \"../partners.pem\"

[[raw-key]]
key = \"keys/gateway.key\"

[assertion]
issuer = \"$secure\"
keys = \"keys/assertion.pem\"
life = \"$1\"
" '' "\"$secure\""
}
for name in device gateway; do
  "$built/tagai" key gen "$gateway/keys/$name.key" >"$work/key.out" 2>&1 || fail "tagai key gen"
done
keys=$gateway/keys/assertion.pem
# assertion_keys COMMAND FILE [OPTION...] : prints the name of the key that signs.
assertion_keys() { "$built/tagai" keys assertion "$@" 2>"$work/get.log" || fail "tagai keys assertion $*"; }
# use FILE : the gateway signs with these.
use() {
  cp "$1" "$keys.new"
  mv "$keys.new" "$keys"
  reload
}
assertion_keys new "$work/strangers.pem" >/dev/null
cp "$work/strangers.pem" "$keys"
life 60s
add_user alice 'correct horse'
"$built/tagai" principal add alice --group ops --group staff --config "$config" >"$work/tagai.out" 2>&1 || fail "tagai principal add"
"$built/tagai" principal add sensor-7 --kind device --config "$config" >"$work/tagai.out" 2>&1 || fail "tagai principal add"
bind() { "$built/tagai" principal bind "$@" --config "$config" >"$work/tagai.out" 2>&1 || fail "$(<"$work/tagai.out")"; }
bind alice user:staff/alice
bind sensor-7 --key "$gateway/keys/device.key"
serve

# assertion METHOD : what the application got.
assertion() {
  case $1 in
    mutual) get "$secure/echo" alice 'correct horse' || fail "tagai get" ;;
    password-tls) ask "$secure/password/echo" -u 'alice:correct horse' ;;
    x509) ask "$secure/certificate/echo" --cert "$work/device.pem" --key "$work/device.key" ;;
    raw-key)
      "$built/tagai" get "$secure/key/echo" --raw-key "$gateway/keys/device.key" --pin "$("$built/tagai" key pin "$gateway/keys/gateway.key")" \
        --no-session >"$work/body" 2>"$work/get.log" || fail "tagai get --raw-key"
      ;;
  esac
  saw 'dict(d["fields"])["tagai-assertion"]'
}
# judge TOKEN [FOREIGN] : what an application does with it. It fetches the keys from the gateway.
judge() {
  SSL_CERT_FILE=$ca "$python" "$here/assertion.py" "$secure/.well-known/tagai/jwks.json" "$secure" app "$@" 2>"$work/client.log" ||
    fail "$(tail -n 3 "$work/client.log")"
}
kids() {
  ask "$secure/.well-known/tagai/jwks.json"
  cp "$body" "$work/jwks.json"
  json "$work/jwks.json" '" ".join(key["kid"] for key in d["keys"])'
}

stranger=$(assertion mutual)
for kind in p256 ed25519; do
  echo "  -- $kind"
  first=$(assertion_keys new "$work/$kind.pem" --kind "$kind")
  use "$work/$kind.pem"
  is "kid is the thumbprint that was printed" "$(kids)" "$first"
  for method in mutual password-tls x509 raw-key; do
    old=$(assertion "$method")
    judge "$old" "$stranger"
  done
  second=$(assertion_keys rotate "$work/$kind.pem" --drop-after 1h)
  use "$work/$kind.pem"
  is "after a rotation, both are published" "$(kids)" "$second $first"
  judge "$old" "$stranger"
  judge "$(assertion x509)" "$stranger"
done

echo "  -- keys of OpenSSL's making"
for algorithm in 'EC -pkeyopt ec_paramgen_curve:P-256' ED25519; do
  # shellcheck disable=SC2086
  (umask 077 && openssl genpkey -algorithm $algorithm -out "$work/openssl.pem" 2>"$work/openssl.log") || fail "openssl genpkey"
  use "$work/openssl.pem"
  judge "$(assertion password-tls)" "$stranger"
done

echo "  -- what applications are not given"
ask "$secure/public/echo" -H 'Tagai-Assertion: forged' -H 'TAGAI_ASSERTION: forged' -H 'tagai.assertion: forged'
is "a client's own" "$(saw '[name for name, _ in d["fields"] if "assertion" in name]')" "[]"
ask "$secure/password/echo" -u 'alice:correct horse' -H 'Tagai-Assertion: forged' -H 'Tagai_Assertion: forged'
is "nor beside the gateway's" "$(saw 'sum("assertion" in name for name, _ in d["fields"])')" 1
life 1s
reload
old=$(assertion mutual)
sleep 2.1
has "one that is over" \
  "$(SSL_CERT_FILE=$ca "$python" "$here/assertion.py" "$secure/.well-known/tagai/jwks.json" "$secure" app "$old" 2>&1 || true)" \
  'ExpiredSignatureError'
is "nothing panicked" "$(grep -c panicked "$work/gateway.log" || true)" 0
