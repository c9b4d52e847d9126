#!/usr/bin/env bash
# OpenSSL, NSS, nginx and curl: certificates, keys and CRLs of `tagai ca`, and bare keys of `tagai key`
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tagai=$built/tagai
cd "$work"
(umask 077 && echo 'correct horse battery' >secret && echo 'a browser password' >p12-secret)

# authority [ARGUMENT...] : tagai ca, with the passphrase.
authority() { "$tagai" ca "$@" --passphrase-file secret >ca.out 2>user.log || fail "tagai ca $*"; }

authority init --name 'Interop' --permit-dns example.com --permit-ip 127.0.0.0/8 --crl-url http://crl.example.com/ca
authority issue www.example.com '*.example.com' 127.0.0.1 --server
authority issue alice@example.com --client --p12 --p12-password-file p12-secret
authority issue spiffe://example.com/sensor --client --algorithm ed25519

# verified PURPOSE FILE [OPTION...] : what OpenSSL says of a chain, strictly, with the CRLs of both levels.
verified() {
  local purpose=$1 file=$2
  shift 2
  openssl verify -x509_strict -purpose "$purpose" -CAfile ca/root.pem -untrusted "$file" -crl_check_all -CRLfile ca/crl.pem "$@" \
    "$file" 2>&1 || true
}
text() { openssl x509 -in "$1" -noout -text; }

echo "  -- OpenSSL: chains"
is "a server" "$(verified sslserver www.example.com.pem -verify_hostname www.example.com)" "www.example.com.pem: OK"
is "its wildcard" "$(verified sslserver www.example.com.pem -verify_hostname other.example.com)" "www.example.com.pem: OK"
is "its address" "$(verified sslserver www.example.com.pem -verify_ip 127.0.0.1)" "www.example.com.pem: OK"
is "a client" "$(verified sslclient alice@example.com.pem -verify_email alice@example.com)" "alice@example.com.pem: OK"
is "a client with Ed25519 and a SPIFFE id" "$(verified sslclient example.com_sensor.pem)" "example.com_sensor.pem: OK"
has "a server is no client" "$(verified sslclient www.example.com.pem)" 'unsuitable certificate purpose|unsupported certificate purpose'
has "a client is no server" "$(verified sslserver alice@example.com.pem)" 'unsuitable certificate purpose|unsupported certificate purpose'
has "another name is another" "$(verified sslserver www.example.com.pem -verify_hostname example.org)" 'hostname mismatch'
has "what may be signed stands in the intermediate" "$(text ca/intermediate-1.pem)" \
  'Name Constraints: critical.*Permitted:.*DNS:example.com.*IP:127.0.0.0/255.0.0.0.*Excluded:.*IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0'
has "so does that it signs no other CA" "$(text ca/intermediate-1.pem)" 'CA:TRUE, pathlen:0'
has "where the CRL is" "$(text www.example.com.pem)" 'URI:http://crl.example.com/ca/intermediate-1.crl'
has "the SPIFFE id" "$(text example.com_sensor.pem)" 'URI:spiffe://example.com/sensor'

echo "  -- OpenSSL: keys"
for key in ca/root.key ca/intermediate-1.key; do
  has "$key opens with the passphrase" "$(openssl pkey -in "$key" -passin file:secret -noout -check 2>&1)" 'Key is valid'
  if openssl pkey -in "$key" -passin pass:wrong -noout 2>/dev/null; then fail "$key opens with another"; fi
done
ok "with no other"
for name in www.example.com alice@example.com example.com_sensor; do
  is "the key of $name is that of its certificate" "$(openssl pkey -in "$name.key" -pubout)" \
    "$(openssl x509 -in "$name.pem" -noout -pubkey)"
done
is "nobody else reads it" "$(stat -c %a alice@example.com.key)" 600

echo "  -- OpenSSL: CRLs"
is "DER and PEM are the same" "$(openssl crl -inform DER -in ca/root.crl; openssl crl -inform DER -in ca/intermediate-1.crl)" \
  "$(<ca/crl.pem)"
has "the root's is its own" "$(openssl crl -inform DER -in ca/root.crl -CAfile ca/root.pem -noout 2>&1)" 'verify OK'
has "the intermediate's too" \
  "$(openssl crl -inform DER -in ca/intermediate-1.crl -CAfile <(cat ca/root.pem ca/intermediate-1.pem) -noout 2>&1)" 'verify OK'
has "it is over in time" "$(verified sslclient alice@example.com.pem -attime $(($(date +%s) + 6 * 86400 + 86000)))" 'OK'
authority issue bob@example.com --client --days 20
has "then nobody is believed" "$(verified sslclient bob@example.com.pem -attime $(($(date +%s) + 8 * 86400)))" 'CRL has expired'

echo "  -- a request of OpenSSL's"
openssl req -new -newkey rsa:2048 -nodes -keyout request.key -subj /CN=ignored -addext 'subjectAltName=DNS:device.example.com' \
  -addext 'basicConstraints=critical,CA:TRUE' -out request.csr 2>openssl.log
authority issue --client --csr request.csr
has "that it wants to be a CA is said" "$(<user.log)" 'to be a CA'
is "and not granted" "$(verified sslclient device.example.com.pem)" "device.example.com.pem: OK"
has "its name is" "$(text device.example.com.pem)" 'DNS:device.example.com'
hasnt "and no CA" "$(text device.example.com.pem)" 'CA:TRUE'
is "for its own key" "$(openssl x509 -in device.example.com.pem -noout -pubkey)" "$(openssl pkey -in request.key -pubout)"

echo "  -- .p12"
p12=$(openssl pkcs12 -in alice@example.com.p12 -passin file:p12-secret -info -nodes 2>&1)
has "OpenSSL opens it" "$p12" 'MAC: sha256, Iteration 100000.*PBES2, PBKDF2, AES-256-CBC.*hmacWithSHA256'
is "the key is in it" "$(openssl pkey <<<"$p12")" "$(openssl pkey -in alice@example.com.key)"
is "and two certificates" "$(grep -c 'BEGIN CERTIFICATE' <<<"$p12")" 2
if openssl pkcs12 -in alice@example.com.p12 -passin pass:wrong -noout 2>/dev/null; then fail "it opens with another password"; fi
ok "not with another password"
nss=sql:$work/nss
mkdir nss
certutil -N -d "$nss" --empty-password
has "NSS imports it, as Firefox does" "$(pk12util -i alice@example.com.p12 -d "$nss" -w p12-secret 2>&1)" 'IMPORT SUCCESSFUL'
nick=$(certutil -L -d "$nss" | sed -n 's/  *u,u,u *$//p')
has "with its key" "$(certutil -K -d "$nss" 2>&1)" 'ec .*alice@example.com'
certutil -A -d "$nss" -n root -t 'CT,,' -i ca/root.pem
is "NSS believes the client" "$(certutil -V -d "$nss" -n "$nick" -u C -e 2>&1)" "certutil: certificate is valid"
certutil -A -d "$nss" -n server -t ',,' -i www.example.com.pem
is "and the server" "$(certutil -V -d "$nss" -n server -u V -e 2>&1)" "certutil: certificate is valid"

echo "  -- nginx and curl"
ports site
# With a master and a worker, as it is run where it matters, and in a group of its own that ends with the script.
mkdir nginx-mutual
cat >nginx-mutual/nginx.conf <<CONF
daemon off;
worker_processes 1;
pid $work/nginx-mutual/nginx.pid;
error_log $work/nginx-mutual/error.log warn;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path $work/nginx-mutual/body;
  proxy_temp_path $work/nginx-mutual/proxy;
  fastcgi_temp_path $work/nginx-mutual/fastcgi;
  uwsgi_temp_path $work/nginx-mutual/uwsgi;
  scgi_temp_path $work/nginx-mutual/scgi;
  server {
    listen 127.0.0.1:$site ssl;
    server_name www.example.com;
    ssl_certificate $work/www.example.com.pem;
    ssl_certificate_key $work/www.example.com.key;
    ssl_client_certificate $work/ca/root.pem;
    ssl_crl $work/ca/crl.pem;
    ssl_verify_client on;
    ssl_verify_depth 2;
    location / { return 200 '\$ssl_client_verify \$ssl_client_s_dn\n'; }
  }
}
CONF
setsid /usr/sbin/nginx -e "$work/nginx-mutual/error.log" -c "$work/nginx-mutual/nginx.conf" >nginx-mutual/out.log 2>&1 &
nginx_pid=$!
keep "-$nginx_pid"
until_true 10 "nginx starts" listens "$site"

# fetch [CURL'S OPTIONS...] : the body and the status, or curl's exit code.
fetch() {
  curl -sS --max-time 10 --cacert ca/root.pem --resolve "www.example.com:$site:127.0.0.1" -w '%{http_code}' "$@" \
    "https://www.example.com:$site/" 2>>curl.log || echo "curl $?"
}
# shown : the certificate that nginx shows is the one of the file.
shown() {
  local seen
  seen=$(openssl s_client -connect "127.0.0.1:$site" -servername www.example.com </dev/null 2>/dev/null | openssl x509) || return 1
  [ "$seen" = "$(openssl x509 -in www.example.com.pem)" ]
}
# reload_nginx : until the workers of before are gone. They take connections for a moment after the new ones do.
workers() { grep -lsE "^PPid:[[:space:]]$nginx_pid\$" /proc/[0-9]*/status || true; }
reload_nginx() {
  before=$(workers)
  kill -HUP "$nginx_pid"
  until_true 20 "nginx reloads" reloaded_nginx
}
reloaded_nginx() {
  local now worker
  now=$(workers)
  [ -n "$now" ] || return 1
  for worker in $before; do
    if [[ $now = *"$worker"* ]]; then return 1; fi
  done
}
for tls in 1.2 1.3; do
  is "alice is let in, TLS $tls" "$(fetch --tls-max "$tls" --cert alice@example.com.pem --key alice@example.com.key)" \
    "SUCCESS CN=alice@example.com
200"
done
is "by the .p12 file too" "$(fetch --cert-type P12 --cert "alice@example.com.p12:$(<p12-secret)")" "SUCCESS CN=alice@example.com
200"
is "an address is as good as a name" \
  "$(curl -sS --cacert ca/root.pem --cert bob@example.com.pem --key bob@example.com.key "https://127.0.0.1:$site/")" \
  "SUCCESS CN=bob@example.com"
is "curl asks the CRLs as well" "$(fetch --crlfile ca/crl.pem --cert bob@example.com.pem --key bob@example.com.key)" \
  "SUCCESS CN=bob@example.com
200"
has "the request's key is as good" "$(fetch --cert device.example.com.pem --key request.key)" '^SUCCESS'
has "nobody without a certificate" "$(fetch)" 'No required SSL certificate.*400$'
has "no server as a client" "$(fetch --cert www.example.com.pem --key www.example.com.key)" 'SSL certificate error.*400$'

echo "  -- revoked"
authority revoke alice@example.com --reason keyCompromise
has "OpenSSL says so at once" "$(verified sslclient alice@example.com.pem)" 'certificate revoked'
is "of nobody else" "$(verified sslclient bob@example.com.pem)" "bob@example.com.pem: OK"
has "and why" "$(openssl crl -inform DER -in ca/intermediate-1.crl -noout -text)" 'CRL Number:.*2.*Key Compromise'
has "nginx knows nothing yet" "$(fetch --cert alice@example.com.pem --key alice@example.com.key)" '200$'
reload_nginx
has "after a reload it refuses alice" "$(fetch --cert alice@example.com.pem --key alice@example.com.key)" 'SSL certificate error.*400$'
has "and bob is let in" "$(fetch --cert bob@example.com.pem --key bob@example.com.key)" '200$'
crlutil -I -d "$nss" -i ca/root.crl -t 1 >>openssl.log 2>&1 || fail "NSS does not take the root's CRL"
crlutil -I -d "$nss" -i ca/intermediate-1.crl -t 1 >>openssl.log 2>&1 || fail "NSS does not take the CRL"
has "NSS refuses alice" "$(certutil -V -d "$nss" -n "$nick" -u C -e 2>&1)" 'revoked'
authority renew www.example.com --replace --revoke
reload_nginx
shown || fail "the new certificate is shown"
is "curl believes a renewed server" "$(fetch --crlfile ca/crl.pem --cert bob@example.com.pem --key bob@example.com.key)" "SUCCESS CN=bob@example.com
200"

echo "  -- another intermediate, and the root's key elsewhere"
mv ca/root.key away.key
"$tagai" ca renew --intermediate --passphrase-file secret >ca.out 2>&1 && fail "a new intermediate without the root's key"
has "without the root's key there is none" "$(<ca.out)" 'ca/root.key is not there.*bring it back'
mv away.key ca/root.key
authority renew --intermediate
mv ca/root.key away.key
authority issue carol@example.com --client
is "the new one signs" "$(verified sslclient carol@example.com.pem)" "carol@example.com.pem: OK"
is "the old one's are good" "$(verified sslclient bob@example.com.pem)" "bob@example.com.pem: OK"
reload_nginx
for name in bob carol; do
  has "nginx lets $name in" "$(fetch --cert "$name@example.com.pem" --key "$name@example.com.key")" '^SUCCESS.*200$'
done

echo "  -- bare keys"
for algorithm in ed25519 p256; do
  "$tagai" key gen "$algorithm.pem" --algorithm "$algorithm" >"$algorithm.out" 2>user.log || fail "tagai key gen"
  pin=sha256:$(openssl pkey -in "$algorithm.pem" -pubout -outform DER | openssl dgst -sha256 -binary | base64)
  is "OpenSSL reads $algorithm and has the same pin" "$("$tagai" key pin "$algorithm.pem")" "$pin"
  openssl req -x509 -key "$algorithm.pem" -subj /CN=own -out own.pem 2>>openssl.log
  is "so has a certificate with the key" "$("$tagai" key pin own.pem)" "$pin"
  is "and it stands in what was shown" "$(sed -n 's/^pin *//p' "$algorithm.out")" "$pin"
  is "with the public key" "$(sed -n '/BEGIN PUBLIC/,$p' "$algorithm.out")" "$(openssl pkey -in "$algorithm.pem" -pubout)"
done

kill -TERM "$nginx_pid"
wait "$nginx_pid" || true
