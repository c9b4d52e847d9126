#!/usr/bin/env bash
# nginx behind the gateway: static files over http, https and h2c
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_gateway
ports app_tls app_stranger app_h2c app_short
make_ca authority
make_certificate application authority localhost
make_ca stranger
make_certificate unknown stranger localhost

files=$work/files
mkdir -p "$files/docs/folder"
head -c 1048576 /dev/urandom >"$files/docs/mebibyte"
for number in {1..3000}; do echo "line $number of a text"; done >"$files/docs/text.txt"
: >"$files/docs/empty"
echo '<h1>folder</h1>' >"$files/docs/folder/index.html"
for name in plain tls h2c short stranger; do ln -s docs "$files/$name"; done
site="
    root $files;
    absolute_redirect off;
    location ~ ^/[a-z0-9]+/text { gzip on; gzip_proxied any; gzip_types *; gzip_min_length 1; }
"
run_nginx app "$app" "
  server { listen 127.0.0.1:$app; $site }
  server { listen 127.0.0.1:$app_h2c http2; $site }
  server { listen 127.0.0.1:$app_short; keepalive_requests 3; keepalive_timeout 1s; $site }
  server { listen 127.0.0.1:$app_tls ssl; ssl_certificate $work/application.pem; ssl_certificate_key $work/application.key; $site }
  server { listen 127.0.0.1:$app_stranger ssl; ssl_certificate $work/unknown.pem; ssl_certificate_key $work/unknown.key; $site }
"
configure "$(
  route / protected "http://127.0.0.1:$app"
  route /plain public "http://127.0.0.1:$app"
  route /tls public "https://localhost:$app_tls"
  route /stranger public "https://localhost:$app_stranger"
  route /h2c public "h2c://127.0.0.1:$app_h2c"
  route /short public "http://127.0.0.1:$app_short"
)"
# The configuration names no authority for upstreams: those of the system count, and this is how OpenSSL's heirs are told of them.
serve SSL_CERT_FILE="$work/authority.pem"

sum=$(sha256sum <"$files/docs/mebibyte")
for name in plain tls h2c; do
  echo "  -- over $name"
  for http in 1.1 2; do
    ask "$secure/$name/mebibyte" "--http$http"
    is "1 MiB, HTTP/$http" "$status $version $(field Content-Length) $(sha256sum <"$body")" "200 $http 1048576 $sum"
  done
  etag=$(field ETag) modified=$(field Last-Modified)
  ask "$secure/$name/mebibyte" -H "If-None-Match: $etag"
  is "304 by ETag" "$status $size $(field ETag)" "304 0 $etag"
  ask "$plain/$name/mebibyte" -H "If-Modified-Since: $modified"
  is "304 by Last-Modified" "$status $size" "304 0"
  ask "$secure/$name/mebibyte" -r 1000-1999
  is "206, a range" "$status $(field Content-Range) $(sha256sum <"$body")" \
    "206 bytes 1000-1999/1048576 $(tail -c +1001 "$files/docs/mebibyte" | head -c 1000 | sha256sum)"
  ask "$secure/$name/mebibyte" -r 0-9,100-109
  has "206, two ranges" "$status $(field Content-Type)" '^206 multipart/byteranges'
  ask "$secure/$name/mebibyte" -r 9999999-
  is "416" "$status $(field Content-Range)" "416 bytes */1048576"
  ask "$secure/$name/mebibyte" -I
  is "HEAD" "$status $size $(field Content-Length)" "200 0 1048576"
  ask "$secure/$name/text.txt" --compressed
  is "a text that nginx compresses: no length, and all of it" \
    "$status $(field Content-Encoding) $(field Content-Length) $(sha256sum <"$body")" "200 gzip  $(sha256sum <"$files/docs/text.txt")"
  ask "$plain/$name/text.txt" -H 'Accept-Encoding: gzip'
  is "in chunks over HTTP/1.1" "$(field Transfer-Encoding)" chunked
  ask "$secure/$name/empty"
  is "an empty file" "$status $size $(field Content-Length)" "200 0 0"
  ask "$secure/$name/folder" -L --max-redirs 1
  is "a redirect to a folder" "$status $(<"$body")" "200 <h1>folder</h1>"
  ask "$secure/$name/nothing"
  is "its own 404" "$status" 404
done

echo "  -- connections"
log=$work/nginx-app/access.log
# nginx logs a request when its answer is on the way already: the last line of before must not come after those that count.
logged() { [ "$(grep -c -- "$2" "$log")" = "$1" ]; }
until_true 5 "nginx logs the last request" logged 1 '/h2c/nothing 404$'
: >"$log"
for ((i = 0; i < 20; i++)); do echo "url = $plain/plain/empty"; done >"$work/urls"
curl -sS --max-time 20 -K "$work/urls" -w '%{http_code}\n' >"$work/statuses" || fail "curl -K"
until_true 5 "nginx logs 20 requests" logged 20 ' 200$'
is "20 requests" "$(sort "$work/statuses" | uniq -c | xargs)" "20 200"
at_most "nginx saw few connections" "$(awk '{ print $1 }' "$log" | sort -u | wc -l)" 2
is "over HTTP/1.1" "$(awk '{ print $3 }' "$log" | sort -u)" HTTP/1.1
: >"$log"
sed -i 's|/plain/|/h2c/|' "$work/urls"
curl -sS --max-time 20 -K "$work/urls" -w '%{http_code}\n' >"$work/statuses" || fail "curl -K"
until_true 5 "nginx logs 20 requests" logged 20 ' 200$'
is "20 requests over h2c" "$(sort "$work/statuses" | uniq -c | xargs)" "20 200"
is "on one connection of HTTP/2" "$(awk '{ print $1, $3 }' "$log" | sort -u | wc -l) $(awk '{ print $3 }' "$log" | sort -u)" "1 HTTP/2.0"
sed -i 's|/h2c/|/short/|' "$work/urls"
curl -sS --max-time 20 -K "$work/urls" -w '%{http_code}\n' >"$work/statuses" || fail "curl -K"
is "an upstream that closes after three requests" "$(sort "$work/statuses" | uniq -c | xargs)" "20 200"
sleep 1.5
ask "$plain/short/empty"
is "one that has closed an idle connection" "$status" 200

echo "  -- authorities"
ask "$secure/stranger/empty"
is "502 if the upstream's certificate is from nobody known" "$status" 502
gateway_said 'ERROR.*certificate' || fail "the log does not say why"
ok "the log says why"
is "and nothing of the request was sent" "$(grep -c /stranger/ "$log" || true)" 0
