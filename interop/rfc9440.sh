#!/usr/bin/env bash
# nginx and Apache as applications that read Client-Cert and Client-Cert-Chain (RFC 9440); OpenSSL says what must be in them
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

example=$built/examples/assertion
ports nginx apache
ca=$work/root.pem
make_ca root
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -subj /CN=between -keyout "$work/between.key" \
  -out "$work/between.csr" 2>"$work/openssl.log" || fail "openssl req"
openssl x509 -req -in "$work/between.csr" -CA "$work/root.pem" -CAkey "$work/root.key" -days 2 -set_serial 2 \
  -out "$work/between.pem" -extfile <(printf 'basicConstraints=critical,CA:true\n') 2>"$work/openssl.log" || fail "openssl x509"
# As many names as fit: the longest that a server with its own settings still takes, and a short one.
make_certificate short between device1.example.com
# shellcheck disable=SC2046
make_certificate long between $(printf 'device%d.example.com ' {1..150})

run_nginx app "$nginx" "
  server {
    listen 127.0.0.1:$nginx;
    location / { return 200 \"\$http_client_cert\n\$http_client_cert_chain\n\"; }
  }
"
mkdir "$work/apache"
modules=/usr/lib/apache2/modules
cat >"$work/apache/apache.conf" <<CONF
ServerRoot $work/apache
ServerName localhost
PidFile $work/apache/pid
Listen 127.0.0.1:$apache
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule headers_module $modules/mod_headers.so
LoadModule alias_module $modules/mod_alias.so
ErrorLog $work/apache/error.log
DocumentRoot $work/apache
Header always set Saw-Leaf "expr=%{req:Client-Cert}"
Header always set Saw-Chain "expr=%{req:Client-Cert-Chain}"
CONF
/usr/sbin/apache2 -f "$work/apache/apache.conf" -DFOREGROUND >"$work/apache/out.log" 2>&1 &
keep $!
until_true 10 "Apache starts" listens "$apache"

# What an application does with the fields, by the rules of structured fields; what has to come out of it.
cat >"$work/read.py" <<'PY'
import base64, re, sys
def items(text):
    found = re.fullmatch(r" *(:[A-Za-z0-9+/=]*:)?((?: *, *:[A-Za-z0-9+/=]*:)*) *", text)
    if not found:
        sys.exit("not a list of byte sequences: " + text)
    return [base64.b64decode(item, validate=True) for item in re.findall(r":([^:,]*):", text)]
leaf, chain = [items(line) for line in open(sys.argv[1]).read().split("\n")[:2]]
expected = [open(name, "rb").read() for name in sys.argv[2:]]
if len(leaf) != 1 or leaf + chain != expected:
    sys.exit(f"{len(leaf)} and {len(chain)} certificates, and they are others than OpenSSL's")
PY

# fields CERTIFICATE... : the example stands for the gateway.
fields() { "$example" client-cert "$@" >"$work/fields" || fail "assertion client-cert"; }

# read_back WHAT CERTIFICATE...
read_back() {
  local what=$1 name ders=()
  shift
  for name in "$@"; do
    openssl x509 -in "$work/$name.pem" -outform DER -out "$work/$name.der" 2>"$work/openssl.log" || fail "openssl x509"
    ders+=("$work/$name.der")
  done
  "$python" "$work/read.py" "$work/saw" "${ders[@]}" 2>"$work/client.log" || fail "$what: $(cat "$work/client.log")"
  ok "$what"
}

for leaf in short long; do
  for chain in "$leaf" "$leaf between" "$leaf between root"; do
    read -ra names <<<"$chain"
    files=()
    for name in "${names[@]}"; do files+=("$work/$name.pem"); done
    fields "${files[@]}"
    ask "http://127.0.0.1:$nginx/" -H "@$work/fields"
    cp "$body" "$work/saw"
    read_back "nginx reads $chain" "${names[@]}"
    ask "http://127.0.0.1:$apache/" -H "@$work/fields"
    printf '%s\n%s\n' "$(field Saw-Leaf)" "$(field Saw-Chain)" >"$work/saw"
    read_back "Apache reads $chain" "${names[@]}"
  done
done
