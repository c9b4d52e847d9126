"""Logins by mutual.py: what has to work, and what must not. Prints a line per check; used by login.sh."""

import asyncio
import re
import subprocess
import sys

import websockets
from mutual import Client, G, P, number, parameters, point, times

plain, secure, ca, work, websocket = sys.argv[1:]
PASSWORD = "correct horse"


def check(what, got, expected):
    if got != expected:
        sys.exit(f"{what}: expected {expected!r}, got {got!r}")
    print(f"  ok    {what}", flush=True)


def refusal(action):
    try:
        action()
    except PermissionError as reason:
        return str(reason)
    return "accepted"


def is_point(n):
    try:
        return bool(point(n))
    except ValueError:
        return False


def curl(*options):
    """Status, all header lines and the body, by curl."""
    command = ["curl", "-sS", "--max-time", "20", "--cacert", ca, "-D", f"{work}/head", "-o", f"{work}/body", *options]
    done = subprocess.run([*command, "-w", "%{http_code}"], capture_output=True, text=True)
    head = open(f"{work}/head").read().replace("\r", "")
    return done.stdout, head, open(f"{work}/body", "rb").read()


def infos(head):
    return re.findall(r"(?im)^authentication-info: *(.*)$", head)


for base in [plain, secure]:
    scheme = base.split(":")[0]
    print(f"  -- over {scheme}")
    alice = Client(base, "alice", PASSWORD, ca)
    check("a login, and the server is proven", alice.request("/echo")[0], 200)
    check("the application is told who it is", b'["tagai-user", "alice"], ["tagai-realm", "Staff"]' in alice.request("/echo")[1], True)
    check("a body is sent with credentials", alice.request("/echo", "PUT", b"x" * 100_000)[0], 200)
    check("forged names are not passed on", b"root" in alice.request("/echo", fields={"Tagai-User": "root", "Tagai_User": "root"})[1], False)
    check("a public page is proven too", alice.request("/public/echo")[0], 200)
    check("an optional page knows the user", b'["tagai-user", "alice"]' in alice.request("/optional/echo")[1], True)
    check("an error of the application is proven", alice.request("/denied")[0], 403)
    check("one key exchange for all of it", alice.key_exchanges, 1)
    alice.connection.close()
    check("and for another connection", (alice.request("/echo")[0], alice.key_exchanges), (200, 1))
    late = Client(base, "alice", PASSWORD, ca)
    check("a login that begins on an optional page", b'["tagai-user", "alice"]' in late.request("/optional/echo")[1], True)

    # Ten requests, prepared in order and sent in another.
    prepared = [alice.authorization() for _ in range(10)]
    for field, owed in reversed(prepared):
        response, _ = alice.send("GET", "/echo", {"Authorization": field})
        if response.status != 200 or not alice.is_proven(response.getheader("Authentication-Info"), owed):
            sys.exit(f"out of order: {response.status}")
    check("ten requests out of order", alice.key_exchanges, 1)

    status, head, body = curl("--http1.1", "-H", f"Authorization: {alice.authorization()[0]}", f"{base}/echo")
    check("credentials from here work in curl, HTTP/1.1", (status, len(infos(head))), ("200", 1))
    field, owed = alice.authorization()
    status, head, body = curl("--http2" if scheme == "https" else "--http2-prior-knowledge", "-H", f"Authorization: {field}", f"{base}/echo")
    check("and in curl, HTTP/2", (status, alice.is_proven(infos(head)[0], owed)), ("200", True))
    open(f"{work}/upload", "wb").write(b"u" * 200_000)
    field, owed = alice.authorization()
    status, head, body = curl(
        "--http1.1", "-H", f"Authorization: {field}", "-H", "Expect: 100-continue", "-T", f"{work}/upload", f"{base}/echo"
    )
    interim, final = head.split("\n\n")[:2]
    check("an upload with Expect: the proof is in the interim response (RFC 8120 §4.5)", interim.split(" ")[1], "100")
    check("and only there", ([alice.is_proven(info, owed) for info in infos(interim)], infos(final)), ([True], []))
    check("and the body has come", (status, b'"length": 200000' in body), ("200", True))

    print(f"  -- what must not work, over {scheme}")
    field, _ = alice.authorization()
    wrong = re.sub(r"vkc=..", "vkc=00" if "vkc=00" not in field else "vkc=01", field)
    response, _ = alice.send("GET", "/echo", {"Authorization": wrong})
    check("a wrong proof", (response.status, response.getheader("Authentication-Info")), (401, None))
    alice = Client(base, "alice", PASSWORD, ca)
    alice.request("/echo")
    field, _ = alice.authorization()
    check("a request", alice.send("GET", "/echo", {"Authorization": field})[0].status, 200)
    response, _ = alice.send("GET", "/echo", {"Authorization": field})
    check("replayed", (response.status, parameters(response.getheader("WWW-Authenticate"))["reason"]), (401, "stale-session"))
    response, _ = alice.send("GET", "/echo", {"Authorization": alice.authorization()[0]})
    check("ends the session", response.status, 401)
    relayed = Client(base, "alice", PASSWORD, ca)
    relayed.vh = lambda validation: b"http://phishing.example:80"
    check("a relay: the place is another one", refusal(lambda: relayed.request("/echo")), "auth-failed")
    check("a wrong password", refusal(lambda: Client(base, "alice", "wrong horse", ca).request("/echo")), "auth-failed")

    # Somebody who is known, with a wrong password, and somebody who is not.
    def exchange(user):
        client = Client(base, user, "wrong horse", ca)
        client.log_in("/echo")
        response, body = client.send("GET", "/echo", {"Authorization": client.authorization()[0]})
        reply = client.send("GET", "/echo", {"Authorization": f'{client.common()}, user="{user}", kc1={number(times(7, G)):066x}'})[0]
        shape = sorted((name, len(value)) for name, value in parameters(reply.getheader("WWW-Authenticate")).items())
        return response.status, body, parameters(response.getheader("WWW-Authenticate")), shape, sorted(reply.headers.keys())

    check("a stranger sees what a user with a wrong password sees", exchange("mallory"), exchange("alice"))
    mallory = Client(base, "mallory", PASSWORD, ca)
    mallory.challenge = alice.challenge
    beside = next(n for n in range(2, 100) if not is_point(n))
    for kc1 in [f"{beside:066x}", f"{2**257 - 1:066x}", f"{2 * P:066x}", "zz" * 33, "00", ""]:
        response, _ = mallory.send("GET", "/echo", {"Authorization": f'{mallory.common()}, user="alice", kc1={kc1}'})
        challenge = parameters(response.getheader("WWW-Authenticate"))
        if response.status != 401 or "ks1" in challenge:
            sys.exit(f"kc1={kc1}: {response.status} {challenge}")
    check("values that are no point of the curve", True, True)

    print(f"  -- logout, over {scheme}")
    alice = Client(base, "alice", PASSWORD, ca)
    alice.request("/echo")
    status, body = alice.request("/.well-known/tagai/logout", "POST")
    check("by POST, proven", (status, alice.key_exchanges), (200, 1))
    response, _ = alice.send("GET", "/echo", {"Authorization": alice.authorization()[0]})
    check("the session is over", parameters(response.getheader("WWW-Authenticate"))["reason"], "stale-session")

print("  -- a tunnel of a user")
alice = Client(plain, "alice", PASSWORD)
alice.request("/echo")
field, owed = alice.authorization()


async def tunnel():
    async with websockets.connect(websocket, extra_headers={"Authorization": field}) as socket:
        check("the 101 is proven", alice.is_proven(socket.response_headers.get("Authentication-Info"), owed), True)
        check("the application is told who it is", await socket.recv(), "user alice")
        await socket.send("hello")
        check("and answers", await socket.recv(), "hello")


asyncio.run(asyncio.wait_for(tunnel(), 20))
