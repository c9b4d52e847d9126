#!/usr/bin/env bash
# nginx and Apache as applications that read Client-Cert and Client-Cert-Chain (RFC 9440); OpenSSL says what must be in them
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_gateway
ports nginx apache
make_ca root
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -subj /CN=between -keyout "$work/between.key" \
  -out "$work/between.csr" 2>"$work/openssl.log" || fail "openssl req"
openssl x509 -req -in "$work/between.csr" -CA "$work/root.pem" -CAkey "$work/root.key" -days 2 -set_serial 2 \
  -out "$work/between.pem" -extfile <(printf 'basicConstraints=critical,CA:true\n') 2>"$work/openssl.log" || fail "openssl x509"
# As many names as fit: the longest that a server with its own settings still takes, and a short one.
make_client short between DNS:device1.example.com
make_client long between "$(printf 'DNS:device%d.example.com,' {1..150})DNS:last.example.com"
# What a client sends: with the intermediate, or without it, since the gateway has that too.
for name in short long; do
  cp "$work/$name.pem" "$work/$name-alone.pem"
  cat "$work/$name.pem" "$work/between.pem" >"$work/$name-chain.pem"
done

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
Redirect 204 /apache/
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

# by PATH UPSTREAM FIELDS : the text of a route.
by() {
  printf '[[site.route]]\npath = "%s"\naccess = "protected"\nproof = ["x509"]\nclient-ca = ["root"]\nclient-cert = "%s"\nupstream = "%s"\n' \
    "$1" "$3" "$2"
}
configure "$(
  by /nginx/ "http://127.0.0.1:$nginx" chain
  by /apache/ "http://127.0.0.1:$apache" chain
  by /nginx/leaf/ "http://127.0.0.1:$nginx" leaf
  by /nginx/none/ "http://127.0.0.1:$nginx" none
  route /nginx/public/ public "http://127.0.0.1:$nginx"
)" '
[[client-ca]]
id = "root"
certificates = "../root.pem"
intermediates = "../between.pem"
' '' "\"$secure\""
serve

# see APPLICATION PATH [CURL'S OPTIONS...] : what the application saw, in $work/saw.
see() {
  local application=$1 path=$2
  shift 2
  ask "$secure/$application/$path" "$@"
  [[ $status = 20[04] ]] || fail "$application answered $status: $(<"$body")"
  if [ "$application" = nginx ]; then cp "$body" "$work/saw"; else
    printf '%s\n%s\n' "$(field Saw-Leaf)" "$(field Saw-Chain)" >"$work/saw"
  fi
}
forged=(-H 'Client-Cert: :AAAA:' -H 'client_cert: :AAAA:' -H 'Client-Cert-Chain: :AAAA:' -H 'CLIENT-CERT-CHAIN: :AAAA:, :BBBB:')

for leaf in short long; do
  for sent in alone chain; do
    with=(--cert "$work/$leaf-$sent.pem" --key "$work/$leaf.key")
    for application in nginx apache; do
      for http in 1.1 2; do
        see "$application" '' "${with[@]}" "${forged[@]}" "--http$http"
        read_back "$application reads $leaf, which was sent $sent, HTTP/$http" "$leaf" between
      done
    done
    see nginx leaf/ "${with[@]}" "${forged[@]}"
    read_back "nginx reads the leaf alone, if that is what is wanted" "$leaf"
    see nginx none/ "${with[@]}" "${forged[@]}"
    is "and nothing, if that is" "$(tr -d '\n' <"$work/saw")" ""
    see nginx public/ "${with[@]}" "${forged[@]}"
    is "nor on a public route" "$(tr -d '\n' <"$work/saw")" ""
  done
done
is "nothing panicked" "$(grep -c panicked "$work/gateway.log" || true)" 0
