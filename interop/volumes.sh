#!/usr/bin/env bash
# Authorities, CRLs, policies and keys that are swapped by links, as Kubernetes does it; a broken version is refused, the old one stays
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_gateway
application "$app"
to=http://127.0.0.1:$app
for name in old new stranger; do make_ca "$name"; done
make_client first old DNS:first.example.com
make_client lost old DNS:lost.example.com
make_client second new DNS:second.example.com
make_crl old
make_crl new
make_crl stranger
# An authority of the same name.
mv "$work/old.key" "$work/kept.key"
mv "$work/old.pem" "$work/kept.pem"
make_ca old
mv "$work/old.key" "$work/impostor.key"
mv "$work/old.pem" "$work/impostor.pem"
mv "$work/kept.key" "$work/old.key"
mv "$work/kept.pem" "$work/old.pem"
make_crl impostor
volume=$gateway/volume
mkdir -p "$volume"

# A volume as Kubernetes mounts a ConfigMap: each file is a link to ..data/FILE, and ..data is a link to a directory that nobody writes to.
# A new version is another directory, and ..data is swapped in one step.
version=0
# swap : makes what stands in $work/next the volume's content.
swap() {
  local before=..version$version
  version=$((version + 1))
  cp -r "$work/next" "$volume/..version$version"
  ln -s "..version$version" "$volume/..new"
  mv -T "$volume/..new" "$volume/..data"
  rm -rf "${volume:?}/$before"
  local file
  for file in "$work/next"/*; do
    [ -L "$volume/${file##*/}" ] || ln -s "..data/${file##*/}" "$volume/${file##*/}"
  done
}
everybody='permit (principal is Principal, action, resource);'
mkdir "$work/next"
cp "$work/old.pem" "$work/next/partners.pem"
cp "$work/old.crl" "$work/next/partners.crl"
echo "$everybody" >"$work/next/policy.cedar"
"$built/tagai" keys assertion new "$work/next/assertion.pem" >"$work/key.out" 2>&1 || fail "tagai keys assertion new"
swap

configure "$(
  printf '[[site.route]]\npath = "/"\naccess = "protected"\nproof = ["x509"]\nclient-ca = ["partners"]\naudience = "app"\nupstream = "%s"\n' "$to"
)" '
[[client-ca]]
id = "partners"
certificates = "volume/partners.pem"
crls = ["volume/partners.crl"]
crl-policy = "refuse"

[policy]
file = "volume/policy.cedar"

[assertion]
issuer = "https://localhost"
keys = "volume/assertion.pem"
' '' "\"$secure\""
serve

# answer NAME : the status and the code for who has this certificate.
answer() {
  ask "$secure/echo" --cert "$work/$1.pem" --key "$work/$1.key"
  echo "$status $(refusal)"
}
answers() { [ "$(answer "$1")" = "$2" ]; }
failures() { metric 'tagai_reloads_total{result="failure"}'; }
failed_since() { [ "$(failures)" -gt "$1" ]; }
# log_has REGEX : which may go over more than one line.
log_has() { grep -qE -- "$1" <<<"$(tr '\n' ' ' <"$work/gateway.log")"; }

# refused REGEX [--signal] : the version that was swapped in is refused with this reason, and counted.
refused() {
  local before
  before=$(failures)
  : >"$work/gateway.log"
  swap
  if [ "${2:-}" = --signal ]; then kill -HUP "$gateway_pid"; fi
  until_true 15 "the version is refused" failed_since "$before"
  # It is counted before it is logged; and what was counted may be the version before, which the gateway had come to by itself.
  until_true 5 "the log says that the old one is still in use" gateway_said 'was not reloaded, and the old one is still in use'
  until_true 5 "the log says $1" log_has "$1"
  is "refused, and the log says why" "$(answer first) $(answer second) $(answer lost)" "${expected:?}"
}

is "at first" "$(answer first) $(answer second) $(answer lost)" "200  403 certificate-unknown-ca 200 "

echo "  -- without a signal"
# An open connection, which has to go on.
cat >"$work/open.py" <<PY
import http.client, ssl, sys
context = ssl.create_default_context(cafile="$ca")
context.load_cert_chain("$work/first.pem", "$work/first.key")
connection = http.client.HTTPSConnection("localhost", $https, timeout=10, context=context)
connection.connect()
first = connection.sock
for _ in sys.stdin:
    connection.request("GET", "/echo")
    response = connection.getresponse()
    response.read()
    print(response.status, "the same" if connection.sock is first else "another", flush=True)
PY
mkfifo "$work/go"
timeout 100 "$python" "$work/open.py" <"$work/go" >"$work/open" 2>"$work/client.log" &
keep $!
exec 8>"$work/go"
cat "$work/old.pem" "$work/new.pem" >"$work/next/partners.pem"
cat "$work/old.crl" "$work/new.crl" >"$work/next/partners.crl"
swap
until_true 15 "the new authority is taken" answers second "200 "
is "a new authority beside the old one" "$(answer first) $(answer second)" "200  200 "
expected="200  200  200 "
echo garbage >"$work/next/partners.pem"
refused 'volume/partners.pem'
cat "$work/old.pem" "$work/new.pem" >"$work/next/partners.pem"
revoke old lost
cat "$work/old.crl" "$work/new.crl" >"$work/next/partners.crl"
swap
until_true 15 "the new list is taken" answers lost "403 certificate-revoked"
ok "a new list"
expected="200  200  403 certificate-revoked"

echo "  -- each kind of file, broken"
good() {
  cat "$work/old.pem" "$work/new.pem" >"$work/next/partners.pem"
  cat "$work/old.crl" "$work/new.crl" >"$work/next/partners.crl"
  echo "$everybody" >"$work/next/policy.cedar"
}
echo garbage >"$work/next/partners.crl"
refused 'volume/partners.crl' --signal
good
cp "$work/impostor.crl" "$work/next/partners.crl"
refused 'volume/partners.crl.*did not sign it' --signal
good
rm "$work/next/partners.pem"
refused 'volume/partners.pem.*cannot be read' --signal
good
printf '%s\nforbid (principal is Principal, action, resource) when { context.methd == "GET" };\n' "$everybody" >"$work/next/policy.cedar"
refused 'volume/policy.cedar:2:.*methd' --signal
printf 'permit (principal' >"$work/next/policy.cedar"
refused 'volume/policy.cedar:1:' --signal
good
mv "$work/next/assertion.pem" "$work/assertion.pem"
echo garbage >"$work/next/assertion.pem"
refused 'volume/assertion.pem' --signal
cp "$work/assertion.pem" "$work/next/assertion.pem"
chmod 600 "$work/next/assertion.pem"

echo "  -- what is no error"
cat "$work/stranger.crl" >>"$work/next/partners.crl"
: >"$work/gateway.log"
swap
reload
is "a list of somebody else" "$(answer first) $(answer second) $(answer lost)" "$expected"
until_true 5 "the log says that it does not count" gateway_said 'the CRL of "CN=stranger" counts only if'
ok "of which the log warns"
make_crl new -crlsec 1
good
sleep 1.5
: >"$work/gateway.log"
swap
reload
is "a list that is over, of one authority" "$(answer first) $(answer second)" "200  403 certificate-status-unknown"
until_true 5 "the log says that the list is over" gateway_said 'the CRL of "CN=new" is over'
ok "of which the log warns"
make_crl new

echo "  -- the end of an authority"
cp "$work/new.pem" "$work/next/partners.pem"
cp "$work/new.crl" "$work/next/partners.crl"
printf 'permit (principal == Principal::"partners/dns:second.example.com", action, resource);\n' >"$work/next/policy.cedar"
echo >&8
until_true 5 "the open connection is answered" grep -q . "$work/open"
is "the open connection goes on" "$(<"$work/open")" "200 the same"
swap
reload
is "at the end, the old authority is gone, and the policy is another" "$(answer first) $(answer second)" \
  "403 certificate-unknown-ca 200 "
echo >&8
until_true 5 "the open connection is answered" grep -q 403 "$work/open"
is "on the open connection as well" "$(tail -n 1 "$work/open")" "403 the same"
exec 8>&-
is "nothing panicked" "$(grep -c panicked "$work/gateway.log" || true)" 0
