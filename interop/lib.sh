# shellcheck shell=bash
# Sourced by every script here: a directory of its own, ports, programs that end with the script, checks that say what they
# checked, and a gateway in front of a small application.
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
built=${CARGO_TARGET_DIR:-$root/target}/debug
# Debian's own: its modules are found by it alone.
python=/usr/bin/python3
work=$(mktemp -d "${TMPDIR:-/tmp}/tagai-interop.XXXXXX")
# What a proxy of this machine would answer is of no interest.
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy SSL_CERT_FILE SSL_CERT_DIR SSLKEYLOGFILE
export NO_COLOR=1 PYTHONDONTWRITEBYTECODE=1

pids=()
cleanup() {
  local pid
  trap - EXIT
  for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP
trap 'fail "line ${BASH_LINENO[0]:-$LINENO} of ${BASH_SOURCE[1]:-$0} ended with $?"' ERR

# keep PID : it ends with the script.
keep() { pids+=("$1"); }

ok() { printf '  ok    %s\n' "$1"; }

# fail MESSAGE : says so, shows the logs, and ends the script.
fail() {
  trap - ERR
  printf '  FAILED  %s\n' "$1" >&2
  local log
  for log in "$work"/{application,curl,client,get,openssl,user,gateway}.log "$work"/nginx*/*.log "$work"/gateway/audit.log; do
    [ -s "$log" ] || continue
    printf -- '---- the end of %s\n' "${log#"$work"/}" >&2
    tail -n 20 "$log" >&2
  done
  exit 1
}

# is WHAT GOT EXPECTED
is() {
  [ "$2" = "$3" ] || fail "$1: expected \"$3\", got \"$2\""
  ok "$1"
}

# has WHAT GOT REGEX
has() {
  [[ $2 =~ $3 ]] || fail "$1: \"$2\" does not match \"$3\""
  ok "$1"
}

# hasnt WHAT GOT REGEX
hasnt() {
  [[ ! $2 =~ $3 ]] || fail "$1: \"$2\" matches \"$3\""
  ok "$1"
}

# at_most WHAT NUMBER LIMIT
at_most() {
  [ "$2" -le "$3" ] || fail "$1: $2 is more than $3"
  ok "$1 ($2 of at most $3)"
}

# until_true SECONDS WHAT COMMAND... : tries again and again; fails if it does not come true.
until_true() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || fail "$what: not in time"
    sleep 0.05
  done
}

# ports NAME... : sets each to a free port, outside of the range that outgoing connections take, and to none that it gave before:
# what that is for may not listen yet.
given=()
ports() {
  local numbers name
  numbers=$("$python" - $# "${given[@]}" <<'PY'
import random, socket, sys
count, *given = map(int, sys.argv[1:])
found = []
while len(found) < count:
    port = random.randrange(20000, 32000)
    with socket.socket() as s4, socket.socket() as taken:
        try:
            s4.bind(("127.0.0.1", port))
        except OSError:
            continue
        if port not in found + given and taken.connect_ex(("127.0.0.1", port)) != 0:
            found.append(port)
print(*found)
PY
  )
  for name in "$@"; do
    printf -v "$name" '%s' "${numbers%% *}"
    given+=("${numbers%% *}")
    numbers=${numbers#* }
  done
}

# listens PORT
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# application PORT : upstream.py.
application() {
  "$python" "$here/upstream.py" "$1" >"$work/application.log" 2>&1 &
  keep $!
  until_true 10 "the application listens" listens "$1"
}

# run_nginx NAME PORT CONFIGURATION : nginx with that inside of http { }. It writes to $work/nginx-NAME.
run_nginx() {
  local dir=$work/nginx-$1
  mkdir -p "$dir"
  # One process, so that nothing outlives it.
  cat >"$dir/nginx.conf" <<CONF
daemon off;
master_process off;
pid $dir/nginx.pid;
error_log $dir/error.log warn;
events { worker_connections 512; }
http {
  client_body_temp_path $dir/body;
  proxy_temp_path $dir/proxy;
  fastcgi_temp_path $dir/fastcgi;
  uwsgi_temp_path $dir/uwsgi;
  scgi_temp_path $dir/scgi;
  log_format interop '\$connection \$connection_requests \$server_protocol \$request_method \$request_uri \$status';
  access_log $dir/access.log interop;
  types { text/plain txt; text/html html; }
  $3
}
CONF
  /usr/sbin/nginx -e "$dir/error.log" -p "$dir" -c "$dir/nginx.conf" >"$dir/out.log" 2>&1 &
  keep $!
  until_true 10 "nginx starts" listens "$2"
}

# make_gateway : what `tagai init` makes, with ports of its own, in $gateway.
make_gateway() {
  gateway=$work/gateway
  ports https http admin app
  "$built/tagai" init "$gateway" --https-port "$https" --http-port "$http" --upstream "http://127.0.0.1:$app" \
    >"$work/init.log" 2>&1 || fail "tagai init"
  ca=$gateway/ca.pem
  secure=https://localhost:$https
  plain=http://localhost:$http
}

# route PATH ACCESS UPSTREAM [LINE...] : the text of a route.
route() {
  local path=$1 access=$2 upstream=$3 line
  shift 3
  printf '[[site.route]]\npath = "%s"\naccess = "%s"\nupstream = "%s"\n' "$path" "$access" "$upstream"
  [ "$access" = public ] || echo 'realm = "staff"'
  for line in "$@"; do printf '%s\n' "$line"; done
}

# configure ROUTES [MORE [CERTIFICATES [ORIGINS]]] : writes tagai.toml.
configure() {
  local certificates=${3:-} origins=${4:-}
  [ -n "$certificates" ] || certificates=$(printf '[[certificate]]\nchain = "keys/localhost.pem"\nkey = "keys/localhost.key"\n')
  [ -n "$origins" ] || origins="\"$secure\", \"$plain\""
  cat >"$gateway/new.toml" <<TOML
[store]
database = "tagai.db"
keys = "keys/store.keys"

[[listen]]
address = "127.0.0.1:$https"
tls = true

[[listen]]
address = "127.0.0.1:$http"

$certificates

[[realm]]
id = "staff"
name = "Staff"
scope = "localhost"

[[site]]
origins = [$origins]

$1

[admin]
address = "127.0.0.1:$admin"

[log]
audit = "audit.log"

${2:-}
TOML
  mv "$gateway/new.toml" "$gateway/tagai.toml"
}

healthy() { [ "$(curl -s --max-time 2 "http://127.0.0.1:$admin/healthz")" = ok ]; }

# serve [NAME=VALUE...] : runs the gateway, with these in its environment, until the script ends.
serve() {
  env "$@" "$built/tagai" serve --config "$gateway/tagai.toml" </dev/null >"$work/gateway.out" 2>>"$work/gateway.log" &
  gateway_pid=$!
  keep "$gateway_pid"
  until_true 20 "the gateway starts" healthy
}

# gateway_said REGEX : in its log.
gateway_said() { grep -qE -- "$1" "$work/gateway.log"; }

# add_user NAME PASSWORD
add_user() {
  printf '%s\n' "$2" | "$built/tagai" user add "$1" --password-stdin --config "$gateway/tagai.toml" 2>"$work/user.log" ||
    fail "tagai user add $1"
}

# get URL USER PASSWORD : by `tagai get`; what it says goes to $work/get.log, the body to $work/body.
get() {
  printf '%s\n' "$3" | timeout 30 "$built/tagai" get "$1" --user "$2" --password-stdin --no-session --cacert "$ca" \
    >"$work/body" 2>"$work/get.log"
}

# ask URL [CURL'S OPTIONS...] : sets $status, $version (1.1 or 2), $size (octets of the body), $head (the fields of the final
# response) and the file $body.
ask() {
  local url=$1 told
  shift
  body=$work/body
  : >"$body"
  told=$(curl -sS --max-time 30 --cacert "$ca" -D "$work/head" -o "$body" -w '%{http_code} %{http_version} %{size_download}' \
    "$@" "$url" 2>"$work/curl.log") || fail "curl $* $url"
  read -r status version size <<<"$told"
  head=$(tr -d '\r' <"$work/head" | awk '/^HTTP\// { text = "" } { text = text $0 "\n" } END { printf "%s", text }')
}

# field NAME : its values in the last response, a line each.
field() { sed -nE "s/^$1: *//Ip" <<<"$head"; }

# json FILE EXPRESSION : of Python, over the value `d`.
json() { "$python" -c 'import json, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }

# saw EXPRESSION : of what /echo told about the last request.
saw() { json "$work/body" "$1"; }

# make_ca NAME, make_certificate NAME CA HOST... and make_client NAME CA SUBJECT-ALT-NAMES [OPENSSL'S OPTIONS...] : by OpenSSL, as
# $work/NAME.pem and .key.
make_ca() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
    -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$work/$1.key" -out "$work/$1.pem" 2>"$work/openssl.log" ||
    fail "openssl req"
}

make_certificate() {
  local name=$1 issuer=$2 names
  shift 2
  names=$(printf ',DNS:%s' "$@")
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$work/$name.key" \
    -out "$work/$name.csr" 2>"$work/openssl.log" || fail "openssl req"
  openssl x509 -req -in "$work/$name.csr" -CA "$work/$issuer.pem" -CAkey "$work/$issuer.key" -days 2 \
    -set_serial "0x$(openssl rand -hex 8)" -out "$work/$name.pem" -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "${names#,}") \
    2>"$work/openssl.log" || fail "openssl x509"
}

make_client() {
  local name=$1 issuer=$2 names=$3
  shift 3
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$work/$name.key" \
    -out "$work/$name.csr" 2>"$work/openssl.log" || fail "openssl req"
  openssl x509 -req -in "$work/$name.csr" -CA "$work/$issuer.pem" -CAkey "$work/$issuer.key" -days 2 \
    -set_serial "0x$(openssl rand -hex 8)" -out "$work/$name.pem" -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=clientAuth\n' "$names") \
    "$@" 2>"$work/openssl.log" || fail "openssl x509"
}

# make_crl CA [OPENSSL'S OPTIONS...] : its list of what was revoked, as $work/CA.crl (PEM), good for a day if nothing else is said.
# revoke CA NAME : puts a certificate on the list, and makes that anew.
openssl_ca() {
  local name=$1
  shift
  if [ ! -d "$work/$name.ca" ]; then
    mkdir "$work/$name.ca"
    : >"$work/$name.ca/index"
    echo 01 >"$work/$name.ca/number"
    cat >"$work/$name.ca/conf" <<CONF
[ca]
default_ca = this
[this]
database = $work/$name.ca/index
crlnumber = $work/$name.ca/number
default_md = sha256
crl_extensions = list
[list]
authorityKeyIdentifier = keyid
CONF
  fi
  openssl ca -config "$work/$name.ca/conf" -cert "$work/$name.pem" -keyfile "$work/$name.key" "$@" 2>"$work/openssl.log" ||
    fail "openssl ca $*"
}
make_crl() {
  local name=$1
  shift
  if [ $# = 0 ]; then set -- -crldays 1; fi
  openssl_ca "$name" -gencrl "$@" -out "$work/$name.crl.new"
  mv "$work/$name.crl.new" "$work/$name.crl"
}
revoke() {
  openssl_ca "$1" -revoke "$work/$2.pem"
  make_crl "$1"
}

# who : the principal and the method that the application was told of, in what /echo told.
who() { saw '" by ".join(dict(d["fields"]).get(name, "-") for name in ("tagai-principal", "tagai-method"))'; }

# refusal : the code in Tagai-Refusal of the last response.
refusal() { field Tagai-Refusal | sed 's/;.*//'; }

# metric NAME : a value of the gateway's metrics, 0 if it is not there.
metric() {
  curl -s --max-time 5 "http://127.0.0.1:$admin/metrics" | awk -v name="$1" '$1 == name { n = $2 } END { print n + 0 }'
}

# reload : by the signal, until the gateway has taken over what there is. Twice: the first that ends may be one that the gateway had
# begun by itself, before the last change.
reload() {
  local before turn
  for turn in 1 2; do
    before=$(metric 'tagai_reloads_total{result="success"}')
    kill -HUP "$gateway_pid"
    until_true 10 "reload $turn of the gateway" reloaded_since "$before"
  done
}
reloaded_since() { [ "$(metric 'tagai_reloads_total{result="success"}')" -gt "$1" ]; }
