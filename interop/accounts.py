"""Registrations and changes of passwords by mutual.py: what has to work, and what must not. Prints a line per check; used by
accounts.sh."""

import base64
import hashlib
import json
import subprocess
import sys

from mutual import Client, G, R, h, integer, number, octets, point, times, vs

plain, secure, ca, work, bobs, alices = sys.argv[1:]
REGISTER, PASSWORD = "/.well-known/tagai/account/register", "/.well-known/tagai/account/password"


def check(what, got, expected):
    if got != expected:
        sys.exit(f"{what}: expected {expected!r}, got {got!r}")
    print(f"  ok    {what}", flush=True)


def b64(data):
    return base64.b64encode(data).decode()


def verifier(challenge, user, password):
    """OCTETS(J) of RFC 8121 §2.4: J = [pi] * G."""
    names = (challenge["algorithm"], challenge["auth-scope"], challenge["realm"], user)
    pi = integer(hashlib.pbkdf2_hmac("sha256", password.encode(), b"".join(vs(name.encode()) for name in names), 16384, 32))
    return octets(number(times(pi % R, G)))


def curl(url, body, *options):
    """Status and code of a POST by curl, with what must be on every answer."""
    command = ["curl", "-sS", "--max-time", "20", "--cacert", ca, "-D", f"{work}/head", "-w", "\n%{http_code}", *options]
    done = subprocess.run([*command, "--data-binary", "@-", url], input=body, capture_output=True, text=True, check=True)
    text, status = done.stdout.rsplit("\n", 1)
    assert "cache-control: no-store" in open(f"{work}/head").read().lower()
    return int(status), json.loads(text)["error"] if text else ""


def challenge(base):
    """The realm, as a stranger is told."""
    stranger = Client(base, "nobody", "nothing", ca)
    stranger.log_in("/echo")
    return stranger.challenge


def registration(user, code, password, **changes):
    names = {name: realm[name] for name in ("realm", "auth-scope", "algorithm")}
    fields = {**names, "user": user, "invitation": code, "verifier": b64(verifier(realm, user, password)), **changes}
    return json.dumps(fields)


def binding(client, t):
    """b_2 of RFC 8120 §13 for the next request, over t."""
    inner = bytes.fromhex(client.proof(7, client.session["nc"] + 1))
    return h(inner, vs(t))


def change(client, chosen, bound=None, sent=None):
    """A change of password; `bound` and `sent` are what an attacker makes of it."""
    if not client.session:
        client.log_in(PASSWORD, "POST")
    t = b"tagai change of password\0" + chosen if bound is None else bound
    body = json.dumps({"verifier": b64(chosen if sent is None else sent), "binding": b64(binding(client, t))})
    field, owed = client.authorization()
    response, content = client.send("POST", PASSWORD, {"Authorization": field}, body)
    if not client.is_proven(response.getheader("Authentication-Info"), owed):
        sys.exit(f"{response.status}, and the server is not proven")
    return response.status, json.loads(content)["error"] if content else ""


def is_point(n):
    try:
        return bool(point(n))
    except ValueError:
        return False


def logs_in(user, password):
    try:
        return Client(secure, user, password, ca).request("/echo")[0] == 200
    except PermissionError:
        return False


realm = challenge(secure)
print("  -- registration")
good = registration("bob", bobs, "battery staple")
check("not without TLS", curl(plain + REGISTER, good), (403, "insecure"))
check("not for another name", curl(secure + REGISTER, registration("mallory", bobs, "x")), (403, "invitation"))
check("not with a code that was made up", curl(secure + REGISTER, registration("bob", "0" * 20, "x")), (403, "invitation"))
check("nor to find out who is there", curl(secure + REGISTER, registration("alice", bobs, "x")), (403, "invitation"))
beside = octets(next(n for n in range(2, 200, 2) if not is_point(n)))
check("not with what is no point of the curve", curl(secure + REGISTER, registration("bob", bobs, "x", verifier=b64(beside))), (400, "malformed"))
check("not in another realm", curl(secure + REGISTER, registration("bob", bobs, "x", realm="Other")), (404, "not-found"))
check("not with a body that is too large", curl(secure + REGISTER, good + " " * 9000), (413, "too-large"))
check("over HTTP/2, typed in small letters", curl(secure + REGISTER, registration("bob", bobs.lower(), "battery staple"), "--http2"), (204, ""))
check("once", curl(secure + REGISTER, good), (403, "invitation"))
check("the password logs in", logs_in("bob", "battery staple"), True)

print("  -- another password, by invitation")
alice = Client(secure, "alice", "correct horse", ca)
alice.request("/echo")
check("alice chooses another", curl(secure + REGISTER, registration("alice", alices, "battery staple")), (204, ""))
response, _ = alice.send("GET", "/echo", {"Authorization": alice.authorization()[0]})
check("her session is over", response.status, 401)
check("her old password is of no use", (logs_in("alice", "correct horse"), logs_in("alice", "battery staple")), (False, True))

print("  -- another password, by the user")
alice = Client(secure, "alice", "battery staple", ca)
alice.request("/echo")
chosen, other = verifier(realm, "alice", "only mine"), verifier(realm, "alice", "a page's")
check("not for a stranger", curl(secure + PASSWORD, json.dumps({"verifier": b64(other), "binding": b64(bytes(32))}), "-o", f"{work}/page"), (401, ""))
check("a proof alone does not do it", change(alice, other, bound=b""), (403, "binding"))
check("nor a binding of another verifier", change(alice, chosen, sent=other), (403, "binding"))
check("nor a binding for something else", change(alice, chosen, bound=chosen), (403, "binding"))
check("the password is the old one", logs_in("alice", "battery staple"), True)
check("a change", change(alice, chosen), (204, ""))
response, _ = alice.send("GET", "/echo", {"Authorization": alice.authorization()[0]})
check("every session is over", response.status, 401)
check("the new password logs in, and the old one does not", (logs_in("alice", "only mine"), logs_in("alice", "battery staple")), (True, False))
