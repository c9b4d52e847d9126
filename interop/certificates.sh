#!/usr/bin/env bash
# curl, OpenSSL and Python with client certificates: of the right authority and of others, revoked, and on hosts that ask for none
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_gateway
application "$app"
to=http://127.0.0.1:$app
make_ca servers
make_certificate gateway-certificate servers api.example www.example
make_ca partners
make_ca others
make_client device partners 'DNS:device.example.com'
make_client spiffe partners 'DNS:second.example.com,URI:spiffe://example.com/billing'
make_client robot partners 'email:robot@example.com'
make_client lost partners 'DNS:lost.example.com'
make_client twin others 'DNS:device.example.com'
make_client old partners 'DNS:old.example.com' -days 0
make_certificate server partners device.example.com
make_ca stranger
make_client nobody stranger 'DNS:device.example.com'
make_crl partners

# by PATH AUTHORITY [LINE...] : the text of a route that takes certificates.
by() {
  local path=$1 authority=$2
  shift 2
  printf '[[site.route]]\npath = "%s"\naccess = "protected"\nproof = ["x509"]\nclient-ca = ["%s"]\nupstream = "%s"\n' \
    "$path" "$authority" "$to"
  for line in "$@"; do printf '%s\n' "$line"; done
}
routes=$(
  by / partners 'client-cert = "leaf"'
  by /others/ others
  route /public public "$to"
  printf '[[site]]\norigins = ["https://www.example:%s"]\n' "$https"
  route / public "$to"
)
authorities='
[[client-ca]]
id = "partners"
certificates = "../partners.pem"
crls = ["../partners.crl"]
crl-policy = "refuse"

[[client-ca]]
id = "others"
certificates = "../others.pem"
'
certificates=$(printf '[[certificate]]\nchain = "../gateway-certificate.pem"\nkey = "../gateway-certificate.key"\n')
configure "$routes" "$authorities" "$certificates" "\"https://api.example:$https\""
serve
ca=$work/servers.pem
api=https://api.example:$https
www=https://www.example:$https

# call NAME [URL [CURL'S OPTIONS...]] : with that certificate.
call() {
  local name=$1 url=${2:-$api/echo}
  shift $(($# < 2 ? 1 : 2))
  ask "$url" --resolve "api.example:$https:127.0.0.1" --resolve "www.example:$https:127.0.0.1" \
    --cert "$work/$name.pem" --key "$work/$name.key" "$@"
}
# bare URL [CURL'S OPTIONS...] : without one.
bare() {
  local url=$1
  shift
  ask "$url" --resolve "api.example:$https:127.0.0.1" --resolve "www.example:$https:127.0.0.1" "$@"
}
# shake [OPENSSL'S OPTIONS...] : a handshake; sets $told. True if there is one.
shake() {
  local status=0
  told=$(timeout 10 openssl s_client -connect "127.0.0.1:$https" -CAfile "$ca" "$@" </dev/null 2>&1 | tr -d '\0') || status=$?
  return "$status"
}
# request [OPENSSL'S OPTIONS...] : asks /echo by s_client; sets $told.
request() {
  told=$( (printf 'GET /echo HTTP/1.1\r\nHost: api.example:%s\r\nConnection: close\r\n\r\n' "$https"; sleep 0.3) |
    timeout 10 openssl s_client -connect "127.0.0.1:$https" -CAfile "$ca" -servername api.example -ign_eof "$@" 2>&1 | tr -d '\0\r') || true
}

echo "  -- curl"
for tls in 1.2 1.3; do
  for http in 1.1 2; do
    how="TLS $tls, HTTP/$http"
    options=(--tls-max "$tls" "--tlsv$tls" "--http$http")
    call device "$api/echo" "${options[@]}"
    is "$how: let in" "$status by HTTP/$version, $(who)" "200 by HTTP/$http, partners/dns:device.example.com by x509"
    bare "$api/echo" "${options[@]}"
    is "$how: nobody without one" "$status $(refusal)" "403 certificate-required"
    call nobody "$api/echo" "${options[@]}"
    is "$how: no stranger" "$status $(refusal)" "403 certificate-unknown-ca"
    call twin "$api/echo" "${options[@]}"
    is "$how: no twin of another authority" "$status $(refusal)" "403 certificate-unknown-ca"
    call twin "$api/others/echo" "${options[@]}"
    is "$how: who is somebody else where it is taken" "$status $(who)" "200 others/dns:device.example.com by x509"
  done
done
# It ends in the second that it was made in, which may not be over yet.
is_over() { ! openssl x509 -checkend 0 -noout -in "$work/$1.pem"; }
until_true 5 "the certificate runs out" is_over old
call old
is "none that is expired" "$status $(refusal)" "403 certificate-expired"
call server
is "no certificate of a server" "$status $(refusal)" "403 certificate-not-for-clients"
call spiffe
is "a SPIFFE id goes before a DNS name" "$(who)" "partners/uri:spiffe://example.com/billing by x509"
call robot
is "an e-mail address will do" "$(who)" "partners/email:robot@example.com by x509"
is "the application gets the certificate" "$(saw 'dict(d["fields"])["client-cert"]')" \
  ":$(openssl x509 -in "$work/robot.pem" -outform der | base64 -w0):"
bare "$api/public/echo"
is "a public route needs none" "$status $(who)" "200 - by -"
call device "$api/public/echo" -H 'Client-Cert: :AAAA:' -H 'Tagai-Principal: root' -H 'Tagai_Principal: root'
is "and says nothing of one" "$status $(saw '[name for name, _ in d["fields"] if "cert" in name or "tagai" in name]')" "200 []"
bare "$www/echo" -H "Host: api.example:$https"
is "on a connection for another host it has to come again" "$status" 421
call device "$www/echo" --http2 -H "Host: api.example:$https"
is "over HTTP/2 as well, with a certificate" "$status" 421

echo "  -- OpenSSL: who is asked"
for tls in 1_2 1_3; do
  shake "-tls$tls" -servername api.example || fail "no TLS: $told"
  names=$(tr '\n' ' ' <<<"$told" | sed -n 's/.*Acceptable client certificate CA names \(.*\) Requested Signature.*/\1/p')
  has "TLS ${tls/_/.}: a host that takes certificates asks for them" "$names" 'CN = (partners|others) CN = (partners|others)'
  [[ $names = *partners* && $names = *others* ]] || fail "the names are $names"
  hasnt "and names nobody else" "$names" 'servers|stranger'
  shake "-tls$tls" -servername www.example || fail "no TLS: $told"
  has "TLS ${tls/_/.}: one that takes none does not" "$told" 'No client certificate CA names sent'
  hasnt "at all" "$told" 'Requested Signature Algorithms|Client Certificate Types'
  shake "-tls$tls" -servername unknown.example || fail "no TLS: $told"
  has "TLS ${tls/_/.}: nor does an unknown one" "$told" 'No client certificate CA names sent'
  request "-tls$tls" -cert "$work/device.pem" -key "$work/device.key"
  has "TLS ${tls/_/.}: let in" "$told" 'HTTP/1.1 200 OK.*partners/dns:device.example.com'
  request "-tls$tls"
  has "TLS ${tls/_/.}: not without one" "$told" 'HTTP/1.1 403.*certificate-required'
  status=0
  request "-tls$tls" -cert "$work/device.pem" -key "$work/device.key" -sigalgs ECDSA+SHA256 -client_sigalgs ECDSA+SHA256
  has "TLS ${tls/_/.}: with the one algorithm" "$told" 'HTTP/1.1 200 OK'
done

echo "  -- post-quantum key exchange"
"$python" - "$https" <<'PY' || fail "X25519MLKEM768 is not taken"
"""Offers X25519MLKEM768 (0x11ec) among others, with no share: the answer says which one the server wants (RFC 8446 §4.1.4)."""
import os, socket, struct, sys

def vector(size, octets):
    return len(octets).to_bytes(size, "big") + octets

def selected(groups):
    def extension(number, octets):
        return struct.pack(">H", number) + vector(2, octets)
    name = b"api.example"
    extensions = b"".join([
        extension(0, vector(2, b"\0" + vector(2, name))),
        extension(10, vector(2, b"".join(struct.pack(">H", group) for group in groups))),
        extension(13, vector(2, bytes.fromhex("040308040403"))),
        extension(43, vector(1, b"\x03\x04")),
        extension(51, vector(2, b"")),
    ])
    hello = b"\x03\x03" + os.urandom(32) + vector(1, os.urandom(32)) + vector(2, b"\x13\x01") + vector(1, b"\0") + vector(2, extensions)
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5) as connection:
        connection.sendall(b"\x16\x03\x01" + vector(2, b"\x01" + vector(3, hello)))
        kind, _, length = struct.unpack(">BHH", connection.recv(5, socket.MSG_WAITALL))
        record = connection.recv(length, socket.MSG_WAITALL)
    assert kind == 22 and record[0] == 2, (kind, record)
    at = 4 + 2 + 32
    at += 1 + record[at] + 2 + 1 + 2
    while at < len(record):
        number, size = struct.unpack(">HH", record[at:at + 4])
        if number == 51:
            return struct.unpack(">H", record[at + 4:at + 6])[0]
        at += 4 + size

assert selected([0x11ec]) == 0x11ec
assert selected([0x11ec, 0x001d]) == 0x11ec, "who wants it first does not get it"
assert selected([0x001d, 0x0017]) == 0x001d
PY
ok "X25519MLKEM768 is taken"
if shake -tls1_3 -groups X25519MLKEM768 -servername api.example; then
  ok "OpenSSL agrees on it"
else
  has "(this OpenSSL does not know it yet)" "$told" 'SSL_CONF_cmd'
fi

echo "  -- Python, and who is revoked on an open connection"
cat >"$work/calls.py" <<PY
"""Two connections, one of TLS 1.2 and one of TLS 1.3; a request on each for every line that comes in."""
import http.client, socket, ssl, sys

def connect(version, name):
    context = ssl.create_default_context(cafile="$ca")
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(f"$work/{name}.pem", f"$work/{name}.key")
    class Connection(http.client.HTTPSConnection):
        def connect(self):
            self.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", $https), 10), server_hostname="api.example")
    return Connection("api.example", $https, timeout=10)

versions = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
connections = [connect(version, name) for version in versions for name in ("lost", "device")]
sockets = None
for _ in sys.stdin:
    told = []
    for connection in connections:
        connection.request("GET", "/echo")
        response = connection.getresponse()
        response.read()
        told.append((response.getheader("Tagai-Refusal") or "200").split(";")[0] if response.status != 200 else "200")
    print(*told, flush=True)
    now = [id(connection.sock) for connection in connections]
    if sockets not in (None, now):
        sys.exit("a connection was closed")
    sockets = now
PY
mkfifo "$work/go"
timeout 60 "$python" "$work/calls.py" <"$work/go" >"$work/calls" 2>"$work/client.log" &
calls=$!
keep $calls
exec 8>"$work/go"
lines=0
python_asks() {
  echo >&8
  lines=$((lines + 1))
  until_true 10 "Python is answered" answered "$lines"
}
answered() { [ "$(grep -c . "$work/calls")" -ge "$1" ]; }
python_asks
is "four connections" "$(tail -n 1 "$work/calls")" "200 200 200 200"
for tls in 1_2 1_3; do
  request "-tls$tls" -cert "$work/lost.pem" -key "$work/lost.key" -sess_out "$work/session$tls"
  has "a session of TLS ${tls/_/.} is kept" "$told" 'HTTP/1.1 200 OK'
  [ -s "$work/session$tls" ] || fail "no session"
  request "-tls$tls" -cert "$work/lost.pem" -key "$work/lost.key" -sess_in "$work/session$tls"
  has "and resumed, with the certificate" "$told" 'Reused, TLS.*HTTP/1.1 200 OK'
done
revoke partners lost
reload
python_asks
is "the one is out on both, the other goes on" "$(tail -n 1 "$work/calls")" "certificate-revoked 200 certificate-revoked 200"
exec 8>&-
wait "$calls" || fail "$(<"$work/client.log")"
ok "and none was closed"
call lost
is "nor on a new one" "$status $(refusal)" "403 certificate-revoked"
for tls in 1_2 1_3; do
  request "-tls$tls" -cert "$work/lost.pem" -key "$work/lost.key" -sess_in "$work/session$tls"
  has "nor by the resumed session of TLS ${tls/_/.}" "$told" 'HTTP/1.1 403.*certificate-revoked'
done
is "the page for the client" "$(tr -d '\n' <"$work/body" | sed 's/mention.*//')" \
  "Forbidden. Your certificate has been revoked. If you report this, please "
id=$(field Tagai-Refusal | sed 's/.*id="//; s/"//')
gateway_said "$id" || fail "the log does not know $id"
ok "the log knows more under its id"

echo "  -- a list that is over"
make_crl partners -crlsec 2
reload
sleep 2.5
call device
is "then nobody is believed" "$status $(refusal)" "403 certificate-status-unknown"
make_crl partners
reload
call device
is "until there is a new one" "$status" 200

echo "  -- registered, and denied"
tagai() { "$built/tagai" "$@" --config "$gateway/tagai.toml" >"$work/tagai.out" 2>&1 || fail "tagai $*: $(<"$work/tagai.out")"; }
told_of() { call device; [ "$status $(who)" = "$1" ]; }
refused_as() { call device; [ "$status $(refusal)" = "$1" ]; }
tagai principal add sensor --kind device --group sensors
tagai principal bind sensor --certificate "$work/device.pem" --client-ca partners
until_true 10 "the principal is known" told_of "200 sensor by x509"
is "it has the name of its principal" "$(saw 'dict(d["fields"])["tagai-groups"]')" sensors
serial=$(openssl x509 -in "$work/device.pem" -noout -serial | sed 's/.*=//')
key=sha256:$(openssl x509 -in "$work/device.pem" -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64)
for target in "serial $serial --client-ca partners" "key $key" "principal sensor"; do
  # shellcheck disable=SC2086
  tagai deny add $target
  until_true 10 "denied: $target" refused_as "403 denied"
  call robot
  is "denied by ${target%% *}, and nobody else" "$status" 200
  # shellcheck disable=SC2086
  tagai deny remove $target
  until_true 10 "denied no more" told_of "200 sensor by x509"
done
# shellcheck disable=SC2086
tagai deny add serial $serial --client-ca others
sleep 1.5
call device
is "a serial number of another authority is another" "$status" 200
curl -s "http://127.0.0.1:$admin/metrics" >"$work/metrics"
"$python" - "$work/metrics" <<'PY' || fail "the metrics are not right"
import sys, time
from prometheus_client.openmetrics.parser import text_string_to_metric_families

samples = [s for family in text_string_to_metric_families(open(sys.argv[1]).read()) for s in family.samples]

def value(name, **labels):
    return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())

assert value("tagai_proven_requests_total", method="x509") > 20, "proven requests"
for code in ("certificate-required", "certificate-unknown-ca", "certificate-revoked", "denied"):
    assert value("tagai_refusals_total", code=code) > 0, code
due = [s.value for s in samples if "crl" in s.name and s.labels.get("client_ca") == "partners"]
assert due and 0 < due[0] - time.time() <= 86400, due
PY
ok "the metrics tell of proofs, refusals, and when the list is over"
is "nothing panicked" "$(grep -c panicked "$work/gateway.log" || true)" 0
