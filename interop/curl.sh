#!/usr/bin/env bash
# curl: what a client that knows nothing of RFC 8120 sees, over HTTP/1.1 and HTTP/2
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_gateway
application "$app"
to=http://127.0.0.1:$app
configure "$(
  route / protected "$to"
  route /public public "$to"
  route /optional optional "$to"
  route /read public "$to" 'methods = ["GET", "HEAD"]'
  route /small public "$to" 'max-body = "64KiB"'
  route /hang public "$to" 'timeout = "1s"'
  route /down public "http://127.0.0.1:1"
  route /control protected "$to" '[site.route.control]' 'auth-style = "modal"'
)"
add_user alice 'correct horse'
serve

# challenge FIELD : its scheme, and its parameters, sorted, a line each. More than one line of the field would show.
challenge() {
  local value
  value=$(field "$1")
  echo "${value%% *}"
  sed 's/, */\n/g' <<<"${value#* }" | sort
}

# initial VALIDATION : the challenge of RFC 8120 §4.1.
initial() {
  printf '%s\n' Mutual 'algorithm=iso-kam3-ec-p256-sha256' 'auth-scope="localhost"' 'realm="Staff"' 'reason=initial' \
    "validation=$1" 'version=1'
}

echo "  -- a protected page"
ask "$plain/"
is "401 over http" "$status" 401
is "its challenge, of an initial 401 (RFC 8120 §4.1)" "$(challenge WWW-Authenticate)" "$(initial host)"
is "no Authentication-Info before there is a proof" "$(field Authentication-Info)" ""
is "not to be stored" "$(field Cache-Control)" no-store
for http in 1.1 2; do
  ask "$secure/" "--http$http"
  is "401 over https, HTTP/$http" "$status $version" "401 $http"
  is "its challenge" "$(challenge WWW-Authenticate)" "$(initial tls-server-end-point)"
done
has "a text says what to do" "$(<"$body")" "never leaves your machine"
ask "$secure/" -H 'Accept: text/html,*/*;q=0.8'
has "a page for browsers" "$(field Content-Type) $(<"$body")" "^text/html.*<h1>Please log in</h1>"
ask "$secure/" -I
is "HEAD is answered alike, without a body" "$status $size" "401 0"
is "the challenge too" "$(challenge WWW-Authenticate)" "$(initial tls-server-end-point)"
ask "$secure/control/"
has "wishes for how the client behaves (RFC 8053 §4)" "$(field Authentication-Control)" '^Mutual .*auth-style=modal'
ask "$secure/" -u alice:'correct horse'
is "a password by Basic is not even looked at" "$status" 401

echo "  -- what is no login"
for wrong in 'Mutual' 'Mutual version=1' 'Mutual version=1, kc1=x' 'Mutual sid=0, nc=1, vkc=0' \
  'Mutual version=1, algorithm=none, realm="Staff"' "Mutual $(printf 'a%.0s' {1..5000})=1" 'Mutual ,,,=,' ; do
  ask "$secure/" -H "Authorization: $wrong"
  has "\"${wrong:0:40}\" is refused" "$status" '^40[01]$'
done
nobody=$(printf '0%.0s' {1..64})
ask "$secure/" -H "Authorization: Mutual version=1, algorithm=iso-kam3-ec-p256-sha256, validation=tls-server-end-point, \
auth-scope=\"localhost\", realm=\"Staff\", sid=${nobody:32}, nc=1, vkc=$nobody"
is "a session that nobody has" "$status" 401
has "is stale (RFC 8120 §4.1)" "$(field WWW-Authenticate)" 'reason=stale-session'

echo "  -- public pages"
for http in 1.1 2; do
  ask "$secure/public/echo?a=1&b=%20" "--http$http"
  is "200 over https, HTTP/$http" "$status $version" "200 $http"
  is "path and query as they were sent" "$(saw 'd["path"]')" "/public/echo?a=1&b=%20"
  is "no challenge" "$(field WWW-Authenticate)$(field Optional-WWW-Authenticate)" ""
done
ask "$plain/public/echo" --http1.0
is "HTTP/1.0" "$status" 200
ask "$plain/public/echo" --http2-prior-knowledge
is "HTTP/2 without TLS, by prior knowledge" "$status $version" "200 2"
ask "$plain/public/echo" --http2
is "an upgrade to h2c is not taken, and the page comes" "$status $version" "200 1.1"
ask "$plain/public/forged"
is "an application cannot speak in the gateway's name" "$(field Authentication-Info)$(field WWW-Authenticate)" ""
ask "$plain/public/denied"
is "its own 401 is its own" "$status $(field WWW-Authenticate)" '401 Basic realm="app"'

echo "  -- an optional page"
for http in 1.1 2; do
  ask "$secure/optional/echo" "--http$http"
  is "200, HTTP/$http" "$status" 200
  is "with how to log in (RFC 8053 §3)" "$(challenge Optional-WWW-Authenticate)" "$(initial tls-server-end-point)"
done
is "no WWW-Authenticate beside it" "$(field WWW-Authenticate)" ""
is "the application is told nobody's name" "$(saw '[n for n, _ in d["fields"] if "tagai-" in n]')" "[]"

echo "  -- nobody else speaks for users"
forged=(Tagai-User tagai_user TAGAI-USER TAGAI_USER Tagai_User tAGAI-uSER Tagai-Realm tagai_realm TAGAI-METHOD Tagai_Method)
for url in "$plain/public/echo" "$secure/optional/echo"; do
  for http in 1.1 2; do
    options=("--http$http")
    for name in "${forged[@]}"; do options+=(-H "$name: root"); done
    ask "$url" "${options[@]}"
    is "${#forged[@]} spellings of identity fields are removed, HTTP/$http" \
      "$(saw '[n for n, v in d["fields"] if n.replace("_", "-").startswith("tagai-") or v == "root"]')" "[]"
  done
done
ask "$plain/public/echo" -H 'Connection: Tagai-User, close' -H 'Tagai-User: root'
is "named by Connection too" "$(saw '[n for n, v in d["fields"] if v == "root"]')" "[]"
ask "$plain/public/echo" -H 'X-Forwarded-For: 192.0.2.1' -H 'X_Forwarded_For: 192.0.2.1' -H 'X-Real-IP: 192.0.2.1' \
  -H 'Forwarded: for=192.0.2.1'
is "nobody's word on addresses is passed on" "$(saw '[n for n, v in d["fields"] if "192.0.2.1" in v]')" "[]"
is "the real one is" "$(saw 'dict(d["fields"])["x-forwarded-for"]')" "127.0.0.1"

echo "  -- refusals"
ask "$plain/" -H 'Host: unknown.example'
is "421 for a host that is not configured" "$status" 421
has "with what may help" "$(<"$body")" "origins of its configuration"
ask "https://other.example:$https/" -k --resolve "other.example:$https:127.0.0.1"
is "421 over https, HTTP/$version" "$status" 421
ask "$plain/" -H "Host: localhost:$https"
is "421 for the origin of the other listener" "$status" 421
ask "$plain/read/echo" -X DELETE
is "405 for a method that the route does not let through" "$status $(field Allow)" "405 GET, HEAD"
ask "$plain/.well-known/tagai/logout"
is "405 for a logout by GET" "$status $(field Allow)" "405 POST"
ask "$plain/public/%2e%2e/echo" --path-as-is
has "a path that hides another is refused" "$status" '^40[01]$'
ask "$plain/public/../echo" --path-as-is
has "a path that leaves its route is not public" "$status" '^40[01]$'
head -c 65537 /dev/zero >"$work/large"
# Over HTTP/1.1 alone: over HTTP/2 the response is followed by RST_STREAM with NO_ERROR (RFC 9113 §8.1), with which curl 7.88 does
# not get along. h2.sh asks nghttp.
ask "$secure/small/echo" --http1.1 --data-binary "@$work/large" -H 'Expect:'
is "413 for a body that says it is too large" "$status" 413
ask "$plain/small/echo" --data-binary "@$work/large" -H 'Expect:' -H 'Transfer-Encoding: chunked'
is "413 for one that turns out to be" "$status" 413
head -c 65536 /dev/zero >"$work/large"
ask "$plain/small/echo" --data-binary "@$work/large"
is "the largest that may be is let through" "$status $(saw 'd["length"]')" "200 65536"
ask "$plain/public/echo" -H "X-Long: $(printf 'a%.0s' {1..40000})"
is "431 for a header that is too large" "$status" 431

echo "  -- bodies"
form='name=Zo%C3%AB+%26+co&more=1'
sum=$(printf '%s' "$form" | sha256sum)
ask "$secure/public/echo" -d "$form"
is "a form" "$status $(saw 'd["method"]') $(saw 'dict(d["fields"])["content-type"]') $(saw 'd["sha256"]')" \
  "200 POST application/x-www-form-urlencoded ${sum%% *}"
head -c 3000000 /dev/urandom >"$work/file"
sum=$(sha256sum <"$work/file")
for http in 1.1 2; do
  ask "$secure/public/echo" "--http$http" -T "$work/file" -H 'Expect: 100-continue'
  is "an upload that waits for 100 Continue, HTTP/$http" "$status $(saw 'd["method"]') $(saw 'd["sha256"]')" "200 PUT ${sum%% *}"
done
ask "$plain/public/echo" -T "$work/file" -H 'Expect: 100-continue'
has "the 100 comes through" "$(tr -d '\r' <"$work/head")" '^HTTP/1.1 100 Continue'
ask "$secure/" -T "$work/file" -H 'Expect: 100-continue' --expect100-timeout 20 --http1.1
is "a stranger's upload is refused before it is sent" "$status $(grep -c ' 100 ' "$work/head" || true)" "401 0"
ask "$secure/public/echo" --http1.1 -X POST -H 'Transfer-Encoding: chunked' --data-binary "@$work/file"
is "an upload in chunks" "$(saw 'd["sha256"]')" "${sum%% *}"
ask "$secure/public/echo" -F "file=@$work/file" -F a=b
has "a form with a file" "$(saw 'dict(d["fields"])["content-type"]') $(saw 'd["length"] > 3000000')" '^multipart/form-data.* True$'
for http in 1.1 2; do
  ask "$secure/public/echo" "--http$http" -I
  is "HEAD: length, and no body, HTTP/$http" "$status $size $([ "$(field Content-Length)" -gt 100 ] && echo told)" "200 0 told"
  ask "$secure/public/range" "--http$http" -r 100-299
  is "a range, HTTP/$http" "$status $(field Content-Range) $(wc -c <"$body")" "206 bytes 100-299/1024 200"
  ask "$secure/public/gzip" "--http$http" -H 'Accept-Encoding: gzip'
  is "what is compressed is not touched, HTTP/$http" \
    "$(field Content-Encoding) $(field ETag) $(field Content-Length) $(gunzip <"$body" | wc -c)" "gzip \"z\" $(wc -c <"$body") 1024"
done

is "no error stands in the log" "$(grep -cE ' (ERROR|panicked)' "$work/gateway.log" || true)" 0

echo "  -- applications that fail"
ask "$secure/down"
is "502 if nothing listens there" "$status" 502
has "a text with what to mention" "$(<"$body")" 'mention ([0-9a-f]{16})'
is "the log knows more about that" "$(grep -c "ERROR.*${BASH_REMATCH[1]}.*127.0.0.1:1.*refused" "$work/gateway.log")" 1
hasnt "the page does not tell where the application is" "$(<"$body")" '127\.0\.0\.1'
ask "$secure/hang"
is "504 if it takes too long" "$status" 504
