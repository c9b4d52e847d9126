"""Attackers that take away what the protocol says, or offer the old ways in its place."""

from attackers import BASIC, MARK, Relay, Script, Stripper
from harness import *
from marionette import NativePrompt
from servers import Response
from siege import STOLEN, mid_session, nothing_shown

# Challenges and proofs that are taken away


@scenario("strips the challenge on the first visit: the page is an ordinary one, nothing is proven, nothing is sent")
def strip_first(b, site):
    stripper = Stripper(site, "www-authenticate").take_over()
    b.load(site.url("/app/page"))
    b.until_text(MARK)
    until("an ordinary page", lambda: b.status() == "none")
    hasnt("the popup does not call it proven", b.popup().text("#status"), "Proven")
    true("no password field", not b.popup().visible("#password"))
    stripper.harmless(STOLEN)


@scenario("strips the proof in mid-session")
def strip_mid_session(b, site):
    mid_session(b, site, Stripper(site, "authentication-info"))


@scenario("strips challenge and proof in mid-session")
def strip_both(b, site):
    mid_session(b, site, Stripper(site, "authentication-info", "www-authenticate"))


@scenario("strips the proof over http")
def strip_http(b, site):
    log_in(b, site.plain("/app/before"))
    stripper = Stripper(site, "authentication-info", secure=False).take_over()
    b.drop_connections()
    b.load(site.plain("/app/attacked"))
    blocked(b, "no-proof")
    is_("documents with the attacker's words", b.anywhere(MARK), [])
    is_("proofs that are out", [r.target for r in stripper.requests], ["/app/attacked"])


@scenario("strips the proof of the very login")
def strip_login(b, site):
    Stripper(site, "authentication-info", secure=False).take_over()
    b.load(site.plain("/app/page"))
    ask(b)
    b.popup().log_in("alice", PASSWORD)
    blocked(b, "no-proof")
    nothing_shown(b)


@scenario("a public page without a proof while somebody is logged in is kept back")
def strip_public(b, site):
    log_in(b, site.plain("/app/before"))
    Stripper(site, "authentication-info", secure=False).take_over()
    b.drop_connections()
    b.load(site.plain("/public"))
    blocked(b, "no-proof")
    nothing_shown(b)


# The old way


@scenario("offers Basic in place of Mutual where somebody has logged in before: no prompt, and the page is kept back")
def basic_known(b, site):
    log_in(b, site.url("/app/before"))
    log_out(b)
    basic = Script(site, lambda request: Response.html(MARK, 401, BASIC)).take_over()
    b.drop_connections()
    b.load(site.url("/app/attacked"))
    blocked(b, "downgrade")
    nothing_shown(b, basic)


@scenario("offers Basic in mid-session")
def basic_mid_session(b, site):
    mid_session(b, site, Script(site, lambda request: Response.html(MARK, 401, BASIC)))


@scenario("offers Digest, NTLM and Negotiate in mid-session")
def others_mid_session(b, site):
    offers = [("WWW-Authenticate", 'Digest realm="Staff", nonce="abc", qop="auth"'), ("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", "NTLM")]
    mid_session(b, site, Script(site, lambda request: Response.html(MARK, 401, *offers)))


@scenario("offers Basic beside Mutual: no prompt of Firefox opens, and only Mutual is asked for")
def basic_beside(b, site):
    class Beside(Relay):
        form = None

        def change(self, request, response):
            if response.status != 401:
                return response
            rest = [(name, value) for name, value in response.fields if name.lower() != "www-authenticate"]
            [mutual] = [value for name, value in response.fields if name.lower() == "www-authenticate"]
            forms = {
                "before": [("WWW-Authenticate", BASIC[1]), ("WWW-Authenticate", mutual)],
                "after": [("WWW-Authenticate", mutual), ("WWW-Authenticate", BASIC[1])],
                "one line": [("WWW-Authenticate", f"{BASIC[1]}, {mutual}")],
                "one line after": [("WWW-Authenticate", f"{mutual}, {BASIC[1]}")],
            }
            return Response(401, rest + forms[self.form], response.body)

    beside = Beside(site, secure=False).take_over()
    for beside.form in ("before", "after", "one line", "one line after"):
        b.load(site.plain("/app/page"))
        ask(b)
        b.popup().log_in("alice", PASSWORD)
        is_(f"{beside.form}: the page", shown(b, "/app/page")[0], "alice")
        b.until_status("proven")
        b.close_popup()
        log_out(b)
        b.load("about:blank")
        until("an empty tab", lambda: b.url() == "about:blank")
    hasnt("Basic was sent", b"".join(beside.received).lower(), b"authorization: basic")


@scenario("Basic at a site that never proved itself is Firefox's own business, as ever")
def basic_elsewhere(b, site):
    other = Script(site, lambda request: Response.html("an ordinary 401", 401, BASIC), host="old.test")
    # Marionette says so with the first command after it, and then closes it.
    def asks():
        try:
            b.look("return 1")
        except NativePrompt as prompt:
            return "promptUserAndPass" in str(prompt)

    try:
        b.load(other.url("/"))
        until("Firefox asks, as ever", asks)
    except NativePrompt as prompt:
        has("it asks for a password", str(prompt), "promptUserAndPass")
    is_("asked once", len([r for r in other.requests if r.path == "/"]), 1)
