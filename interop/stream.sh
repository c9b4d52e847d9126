#!/usr/bin/env bash
# A gibibyte down and up through the gateway, whose memory stays as it is
# shellcheck source=interop/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

make_gateway
application "$app"
configure "$(
  route / protected "http://127.0.0.1:$app"
  route /public public "http://127.0.0.1:$app" 'max-body = "unlimited"'
)"
serve

gibibyte=$((1 << 30))
# Of a gibibyte of zeros.
sum=49bc20df15e412a64472421e13fe86ff1c5165e18b2afccf160d4dc19fe68a14
memory() { awk '/^VmHWM:/ { print $2 }' "/proc/$gateway_pid/status"; }

ask "$secure/public/echo"
echo "  ----  the most memory so far: $(memory) KiB"

for way in "--http1.1 $plain" "--http1.1 $secure" "--http2 $secure"; do
  option=${way% *} url=${way#* }
  got=$(curl -sS --max-time 60 --cacert "$ca" "$option" "$url/public/down?size=$gibibyte" 2>"$work/curl.log" | sha256sum)
  is "1 GiB down, $option ${url%%:*}" "${got%% *}" "$sum"
  head -c "$gibibyte" /dev/zero | curl -sS --max-time 60 --cacert "$ca" "$option" -T - -o "$work/body" "$url/public/echo" \
    2>"$work/curl.log" || fail "curl -T"
  is "1 GiB up, $option ${url%%:*}" "$(saw 'd["length"]') $(saw 'd["sha256"]')" "$gibibyte $sum"
  at_most "the most memory so far, in KiB" "$(memory)" 40960
done

echo "  -- ends that are slow"
slow=()
for ((i = 0; i < 20; i++)); do
  option=--http1.1
  [ $((i % 2)) = 0 ] || option=--http2
  curl -s --max-time 3 --cacert "$ca" --limit-rate 50K "$option" -o /dev/null "$secure/public/down?size=$gibibyte" &
  slow+=($!)
  head -c "$gibibyte" /dev/zero | curl -s --max-time 3 --cacert "$ca" "$option" -T - -o /dev/null "$secure/public/echo?lazy=1" &
  slow+=($!)
done
for pid in "${slow[@]}"; do wait "$pid" || true; done
at_most "20 slow downloads and 20 slow uploads: the most memory so far, in KiB" "$(memory)" 98304
ask "$secure/public/echo"
is "the gateway goes on" "$status" 200
is "nothing panicked" "$(grep -c panicked "$work/gateway.log" || true)" 0
