#!/usr/bin/env bash
# nghttp and h2load: HTTP/2, many requests at once, trailers
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_gateway
application "$app"
ports files
mkdir -p "$work/files/files"
head -c 20000 /dev/urandom >"$work/files/files/page"
run_nginx files "$files" "server { listen 127.0.0.1:$files; root $work/files; keepalive_requests 50; }"
to=http://127.0.0.1:$app
configure "$(
  route / protected "$to"
  route /public public "$to"
  route /small public "$to" 'max-body = "64KiB"'
  route /files public "http://127.0.0.1:$files"
)"
serve

# frames [NGHTTP'S OPTIONS...] URL : sets $told to what went back and forth.
frames() {
  SSL_CERT_FILE=$ca timeout 20 nghttp -v "$@" >"$work/frames" 2>&1 || fail "nghttp $*: $(tail -n 5 "$work/frames")"
  told=$(tr -d '\0' <"$work/frames")
}

echo "  -- frames"
frames "$secure/public/echo"
has "ALPN chooses h2" "$told" 'negotiated protocol: h2'
hasnt "the certificate is trusted" "$told" 'verification failed'
has "200" "$told" ':status: 200'
hasnt "nothing is pushed" "$told" PUSH_PROMISE
has "as many streams as are configured" "$told" 'recv SETTINGS.*SETTINGS_MAX_CONCURRENT_STREAMS\(0x03\):128'
frames "$secure/"
has "401 with a challenge" "$told" ':status: 401.*www-authenticate: Mutual version=1'
frames "$plain/public/echo"
has "without TLS, by prior knowledge" "$told" ':status: 200'
head -c 65537 /dev/zero >"$work/large"
frames -d "$work/large" "$secure/small/echo"
has "413, complete, then the rest of the body is not wanted (RFC 9113 §8.1)" "$told" \
  ':status: 413.*END_STREAM.*RST_STREAM.*NO_ERROR'

echo "  -- trailers"
frames "$secure/public/trailers"
has "those of the application come through" "$told" 'x-checksum: abc'
hasnt "what only the gateway may say does not" "$told" forged
echo body >"$work/little"
frames --no-content-length -H 'trailer: x-sum' --trailer 'x-sum: 1' --trailer 'tagai-user: root' --trailer 'tagai_user: root' \
  -d "$work/little" "$secure/public/echo"
has "those of the client reach the application" "$told" '"trailers": \["x-sum: 1"\]'

# load STREAMS H2LOAD'S OPTIONS... : fails unless all are answered with 2xx.
load() {
  local options=("$@") count=$1
  timeout 60 h2load -n "$count" "${options[@]:1}" >"$work/h2load.log" 2>&1 || fail "h2load: $(tail -n 3 "$work/h2load.log")"
  has "h2load -n ${options[*]}" "$(<"$work/h2load.log")" "$count succeeded, 0 failed.*status codes: $count 2xx"
}

echo "  -- many requests"
load 500 -c 4 -m 10 "$secure/files/page"
load 500 -c 4 -m 10 "$plain/files/page"
load 500 -c 10 -t 2 --h1 "$secure/files/page"
load 300 -c 2 -m 10 "$secure/public/echo"
load 300 -c 2 -m 100 "$secure/files/page"
load 100 -c 2 -m 10 -d "$work/large" "$secure/public/echo"
is "every one was counted" "$(curl -s "http://127.0.0.1:$admin/metrics" | awk '/route="\/files",status="2xx"/ { n += $2 } END { print n }')" 1800
is "no error stands in the log" "$(grep -cE ' (ERROR|panicked)' "$work/gateway.log" || true)" 0
