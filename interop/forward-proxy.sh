#!/usr/bin/env bash
# The forward proxy in front of nginx: tagai get, curl, and a client in Python, through tunnels and in absolute form
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_gateway
application "$app"
ports proxy tls_proxy site secure_site closed
make_ca authority
make_certificate server authority localhost
mkdir -p "$work/pages"
echo 'a page of nginx' >"$work/pages/index.html"
run_nginx site "$site" "
  server { listen 127.0.0.1:$site; root $work/pages; }
  server { listen 127.0.0.1:$secure_site ssl; ssl_certificate $work/server.pem; ssl_certificate_key $work/server.key; root $work/pages; }
"
# Two certificate authorities: the gateway's own, for its proxy with TLS, and that of the site.
cat "$ca" "$work/authority.pem" >"$work/both.pem"
configure "$(route / protected "http://127.0.0.1:$app")" "
[[forward-proxy]]
address = \"127.0.0.1:$proxy\"
name = \"localhost\"
realm = \"staff\"
allow = [\"127.0.0.1:$site\", \"127.0.0.1:$secure_site\", \"127.0.0.1:$https\", \"127.0.0.1:$closed\"]

[[forward-proxy]]
address = \"127.0.0.1:$tls_proxy\"
tls = true
name = \"localhost\"
realm = \"staff\"
allow = [\"127.0.0.1:$site\", \"127.0.0.1:$secure_site\"]

[guessing]
failures-per-address = 1000
failures-per-user = 1000
"
add_user alice 'correct horse'
add_user bob 'battery staple'
serve
printf 'battery staple\n' >"$work/bob"

# through PROXY URL [OPTIONS...] : by `tagai get`, as bob at the proxy; sets $code.
through() {
  local by=$1 url=$2
  shift 2
  code=0
  timeout 30 "$built/tagai" get "$url" --proxy "$by" --proxy-user bob --proxy-password-file "$work/bob" --no-session \
    --cacert "$work/both.pem" "$@" >"$work/body" 2>"$work/get.log" </dev/null || code=$?
}

for by in "http://localhost:$proxy" "https://localhost:$tls_proxy"; do
  echo "  -- tagai get, through ${by%%:*}"
  for url in "http://localhost:$site/" "https://localhost:$secure_site/"; do
    through "$by" "$url"
    is "${url%%:*} is fetched" "$code $(<"$work/body")" "0 a page of nginx"
    has "and the proxy is proven" "$(<"$work/get.log")" "proven: $by knows bob in \"Staff\".*\(as a proxy\)"
  done
done
# nginx logs a request when its answer is on the way already.
logged() { [ "$(grep -c ' 200$' "$work/nginx-site/access.log")" -ge "$1" ]; }
until_true 5 "nginx logs them" logged 4
is "nginx served each once" "$(grep -c ' 200$' "$work/nginx-site/access.log")" 4

echo "  -- two logins in one"
printf 'correct horse\n' >"$work/alice"
code=0
timeout 30 "$built/tagai" get "$secure/echo" --user alice --password-stdin --proxy "http://bob@localhost:$proxy" \
  --proxy-password-file "$work/bob" --session-file "$work/sessions" --cacert "$ca" <"$work/alice" >"$work/body" 2>"$work/get.log" || code=$?
is "alice's site through bob's proxy" "$code $(saw 'dict(d["fields"])["tagai-user"]')" "0 alice"
hasnt "the application is told nothing of the proxy" "$(<"$work/body")" '[Pp]roxy'
timeout 30 "$built/tagai" get "$secure/echo" --user alice --proxy "http://localhost:$proxy" --proxy-user bob \
  --session-file "$work/sessions" --cacert "$ca" </dev/null >"$work/body" 2>"$work/get.log" || fail "tagai get: $(<"$work/get.log")"
is "both sessions are kept, each in its own file" "$(grep -c 'kept session' "$work/get.log")" 2
is "the one of the proxy beside the other" "$(stat -c %a "$work/sessions.proxy")" 600

echo "  -- what is refused"
through "http://localhost:$proxy" "https://localhost:$app/"
is "a place that is not listed" "$code" 5
has "and the proxy itself says so" "$(<"$work/get.log")" 'it answered 403'
hasnt "with proof" "$(<"$work/get.log")" 'not proven'
through "http://localhost:$proxy" "http://169.254.169.254/latest/meta-data/"
is "the addresses of clouds" "$code" 22
through "http://localhost:$proxy" "https://localhost:$closed/"
has "nobody there" "$(<"$work/get.log")" 'it answered 502'
printf 'wrong\n' >"$work/bob.wrong"
code=0
"$built/tagai" get "http://localhost:$site/" --proxy "http://bob@localhost:$proxy" --proxy-password-file "$work/bob.wrong" \
  --no-session >"$work/body" 2>"$work/get.log" </dev/null || code=$?
is "a wrong password" "$code" 3
has "says whose" "$(<"$work/get.log")" 'the proxy .* refused the login of bob'
code=0
http_proxy="http://localhost:$proxy" https_proxy="http://localhost:$proxy" "$built/tagai" get "http://localhost:$site/" --no-session \
  >"$work/body" 2>"$work/get.log" </dev/null || code=$?
is "the environment is not asked" "$code $(<"$work/body")" "0 a page of nginx"

echo "  -- curl, which knows nothing of it"
ask "http://localhost:$site/" -x "http://localhost:$proxy"
is "407 in absolute form" "$status" 407
has "with its challenge" "$(field Proxy-Authenticate)" '^Mutual .*auth-scope="localhost"'
is "and none of a server" "$(field WWW-Authenticate)" ""
has "and a word for people" "$(<"$body")" 'tagai get --proxy'
told=$(curl -sS --max-time 20 -x "http://localhost:$proxy" -o "$work/body" -w '%{http_connect}' "https://localhost:$secure_site/" 2>"$work/curl.log" || true)
is "407 to CONNECT" "$told" 407
has "which curl understands" "$(<"$work/curl.log")" '407'
told=$(curl -sS --max-time 20 -x "http://localhost:$proxy" -U bob:x -o "$work/body" -w '%{http_code}' "http://localhost:$site/" 2>"$work/curl.log")
is "a password in the open is of no use" "$told" 407
ask "http://localhost:$proxy/"
is "a visitor is told what this is" "$status" 400
has "in words" "$(<"$body")" 'This is a proxy'

echo "  -- a client in Python, written from the RFCs alone"
timeout 60 "$python" "$here/forward_proxy.py" "http://localhost:$proxy" "localhost:$site" "localhost:$app" \
  2>"$work/client.log" || fail "$(tail -n 3 "$work/client.log")"

until_true 5 "no tunnel is left" \
  bash -c "curl -s http://127.0.0.1:$admin/metrics | grep -qx 'tagai_forward_proxy_tunnels 0'"
ok "no tunnel is left"
is "nothing panicked" "$(grep -c panicked "$work/gateway.log" || true)" 0
hasnt "no secret in the log" "$(<"$work/gateway.log")" 'battery'
