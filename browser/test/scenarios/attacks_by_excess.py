"""Attackers that say too much: old answers, redirects with a proof in hand, two challenges, questions without end, broken fields."""

from attackers import MARK, Forger, Relay, Script
from harness import *
from servers import Response
from siege import EVIL, STOLEN, nothing_shown


@scenario("answers in mid-session with what the real site said before")
def replay(b, site):
    recorder = Relay(site, secure=False).take_over()
    log_in(b, site.plain("/app/page"))
    proven = [answer for answer in recorder.answers if any(name.lower() == "authentication-info" for name, _ in answer.fields)]
    true("there is something to replay", proven)
    replayer = Script(site, lambda request: proven[-1], secure=False).take_over()
    b.drop_connections()
    b.load(site.plain("/app/page2"))
    blocked(b, "wrong-proof")
    nothing_shown(b)
    is_("it was asked", [r.path for r in replayer.requests], ["/app/page2"])


@scenario("answers a proof with a redirect to somewhere else: not followed, and nothing goes there")
def redirect_with_proof(b, site):
    collector = Script(site, lambda request: Response.html(MARK), host=EVIL)
    for status in (301, 302, 303, 307, 308):
        log_in(b, site.plain("/app/before"))
        thief = Script(site, lambda request: Response(status, [("Location", collector.url("/collect"))]), secure=False).take_over()
        b.drop_connections()
        b.load(site.plain("/app/attacked"))
        blocked(b, "no-proof")
        is_("requests that got there", [r.target for r in collector.requests if r.path == "/collect"], [])
        nothing_shown(b, thief, unspent=1)
        site.gateway.plain_front.turn()
        b.drop_connections()
        b.forget_everybody()


@scenario("a site of one's own that redirects into an attacker: the proof stays behind")
def open_redirect(b, site):
    log_in(b, site.url("/app/before"))
    collector = Script(site, lambda request: Response.html(f"<h1>page {request.path}</h1>{MARK}"), host=EVIL)
    b.load(site.url("/app/redirect?to=" + collector.url("/collect")))
    b.until_text("page /collect")
    b.until_status("none")
    is_("credentials", collector.authorizations(), [])


@scenario("two challenges of ours in one header: neither counts, and nothing is shown")
def two_challenges(b, site):
    class Two(Forger):
        def respond(self, request):
            other = Forger.challenge(self)[1].replace('"Staff"', '"Other"')
            fields = [("WWW-Authenticate", f"{self.challenge()[1]}, {other}")]
            if "lines" in request.path:
                fields = [self.challenge(), ("WWW-Authenticate", other)]
            return Response.html(MARK, 401, *fields)

    two = Two(site).take_over()
    for path in ("/app/one", "/app/lines"):
        b.load(site.url(path))
        blocked(b, "protocol", status=None)
        true("not proven, not asked", b.status() in ("none", "impostor"))
        nothing_shown(b, two)
        b.load("about:blank")
        until("an empty tab", lambda: b.url() == "about:blank")


@scenario("asks without end: the login comes to an end")
def endless(b, site):
    for reason in ("initial", "stale-session", "reauth-needed", "auth-failed"):
        endless = Script(site, lambda request: Response.html("again", 401, forger.challenge(reason)))
        forger = Forger(site)
        endless.take_over()
        b.load(site.url("/app/page"))
        ask_or_blocked(b)
        if b.status() == "asked" and b.popup().visible("#password"):
            b.popup().log_in("alice", PASSWORD)
            until("it ends", lambda: b.status() == "impostor" or not busy(b))
        true(f"{reason}: not proven", b.status() != "proven")
        true(f"{reason}: {len(endless.requests)} requests", len(endless.requests) <= 12)
        endless.harmless(STOLEN)
        b.close_popup()
        b.close_others()


def busy(b):
    return b.popup_is_open() and b.popup().js("return document.getElementById('status').dataset.busy") == "true"


def ask_or_blocked(b):
    until("an answer", lambda: b.status() == "asked" or "/blocked/" in b.url())


@scenario("redirects in a circle while somebody is logged in: it ends, with nothing shown")
def circle(b, site):
    log_in(b, site.url("/app/before"))
    b.load(site.url("/app/circle"))
    until("it ends", lambda: "neterror" in b.url() or "/blocked/" in b.url())
    true("not proven", b.status() != "proven")
    true("after some rounds", len(site.app.users("/app/circle")) <= 25)
    b.load(site.url("/app/after"))
    is_("all is well", shown(b, "/app/after")[0], "alice")


@scenario("broken fields of every kind to a proof: the page is kept back, and nothing throws")
def broken_fields(b, site):
    log_in(b, site.plain("/app/before"))
    values = ["", "Mutual", "\xff\xfe", "x" * 40000, "version=2, sid=00, vks=00", "version=1, sid=00", '"', "version=1, sid=zz, vks=qq", ", ,,"]
    for number, value in enumerate(values):
        attacker = Script(site, lambda request: Response.html(MARK, 200, ("Authentication-Info", value)), secure=False).take_over()
        b.drop_connections()
        b.load(site.plain(f"/app/attacked{number}"))
        blocked(b, status=None)
        true("not proven", b.status() != "proven")
        nothing_shown(b, attacker, unspent=1)
        b.load("about:blank")
        until("an empty tab", lambda: b.url() == "about:blank")
