"""A user of the forward proxy by mutual.py (RFC 8120 §14). Prints a line per check; used by forward-proxy.sh."""

import sys

from mutual import Proxy

base, allowed, forbidden = sys.argv[1:]


def check(what, got, expected):
    if got != expected:
        sys.exit(f"{what}: expected {expected!r}, got {got!r}")
    print(f"  ok    {what}", flush=True)


bob = Proxy(base, "bob", "battery staple")
check("a request in absolute form, and the proxy is proven", bob.request(f"http://{allowed}/"), (200, b"a page of nginx\n"))
check("again, in the same session", bob.request(f"http://{allowed}/")[0], 200)
check("one key exchange for both", bob.key_exchanges, 1)
check("a refusal is proven too", bob.request(f"http://{forbidden}/")[0], 403)

status, send, read = bob.tunnel(allowed)
check("a tunnel, and the proof is on the answer to CONNECT", status, 200)
send(b"GET / HTTP/1.0\r\n\r\n")
check("which carries what it is given", b"a page of nginx" in read(), True)

field, _ = bob.authorization()
relayed = Proxy(base, "bob", "battery staple")
relayed.name = base.replace("localhost", "relay.example")
try:
    relayed.request(f"http://{allowed}/")
    check("a proof for a proxy of another name", "accepted", "refused")
except PermissionError as reason:
    check("a proof for a proxy of another name", str(reason), "auth-failed")
