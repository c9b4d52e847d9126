"""Relays, and servers that know nobody, each against the real browser: nothing that they write is shown as the site's, nothing of use
reaches them, and the state shown is right. All have certificates that the browser trusts, so that only the protocol is left to protect."""

from attackers import MARK, Forger, Relay
from harness import *
from siege import EVIL, STOLEN, mid_session, nothing_shown

# Relays


@scenario("a relay under another name: a realm that is not its own is refused, and no key is sent")
def relay_foreign_scope(b, site):
    relay = Relay(site, EVIL)
    b.load(relay.url("/app/page"))
    blocked(b, "scope")
    nothing_shown(b, relay)
    is_("keys sent", relay.keys(), 0)


@scenario("a relay under another name, while logged in at the real site: not a field of it is sent there")
def relay_while_logged_in(b, site):
    log_in(b, site.url("/app/before"))
    relay = Relay(site, EVIL)
    b.load(relay.url("/app/page"))
    blocked(b, "scope")
    is_("credentials", relay.authorizations(), [])
    nothing_shown(b, relay)
    b.load(site.url("/app/after"))
    is_("the real site is still there", shown(b, "/app/after")[0], "alice")


@scenario("a relay under another name that puts its own into the realm, to a user who believes it: refused, and nothing of use")
def relay_rewritten(b, site):
    relay = Relay(site, EVIL, rewrite=True)
    b.load(relay.url("/app/page"))
    ask(b)
    popup = b.popup()
    has("the popup says who really asks", popup.text("#origin"), EVIL)
    true("and that it is new here", popup.exists("#notices [data-notice=notice_first]"))
    popup.log_in("alice", PASSWORD)
    refused(b)
    is_("the application saw nobody", site.app.users("/app/page"), [])
    true("not proven", b.status() == "asked")
    relay.harmless(STOLEN)


@scenario("a relay as the site itself, with another certificate: the password is right, and the login fails all the same")
def relay_same_name(b, site):
    relay = Relay(site).take_over()
    b.load(site.url("/app/page"))
    ask(b)
    b.popup().log_in("alice", PASSWORD)
    until("it does not work", lambda: b.status() == "impostor" or b.popup_is_open() and b.popup().js("return document.getElementById('message').dataset.failure ?? null"))
    true("not proven", b.status() in ("asked", "impostor"))
    is_("the application saw nobody", site.app.users("/app/page"), [])
    relay.harmless(STOLEN)


@scenario("a certificate that is swapped in mid-session, by a relay")
def swapped(b, site):
    relay = Relay(site)
    log_in(b, site.url("/app/before"))
    relay.take_over()
    b.drop_connections()
    b.load(site.url("/app/attacked"))
    blocked(b, "certificate")
    is_("documents with the attacker's words", b.anywhere(MARK), [])
    # One proof, for the old certificate, is out before the new one is seen: see docs/threat-model.md.
    true("at most one proof", relay.proofs() <= 1)
    site.gateway.secure_front.turn()
    relay.harmless(STOLEN)
    b.drop_connections()
    b.load(site.url("/app/after"))
    is_("the real site is trusted again", shown(b, "/app/after")[0], "alice")


@scenario("the same for a POST of a page: its script gets nothing to read")
def swapped_fetch(b, site):
    log_in(b, site.url("/app/before"))
    relay = Relay(site).take_over()
    b.drop_connections()
    source = "return fetch('/app/data.json', { method: 'POST', body: 'x' }).then(r => r.text(), e => 'failed: ' + e)"
    got = b.m.async_script(source)
    has("the script gets an error", got, "failed")
    site.gateway.secure_front.turn()
    relay.harmless(STOLEN)


# Servers that know nobody


@scenario("says yes to everything, without a proof, on the first visit")
def forger_first(b, site):
    forger = Forger(site, "missing").take_over()
    b.load(site.url("/app/page"))
    ask(b)
    b.popup().log_in("alice", PASSWORD)
    blocked(b, "no-proof")
    is_("it was sent a key and a proof", (forger.keys(), forger.proofs()), (1, 1))
    is_("documents with the page", [url for url in b.anywhere(MARK) if "blocked" not in url], [])
    forger.harmless(STOLEN)


@scenario("says yes to everything, with a made-up proof")
def forger_random(b, site):
    forger = Forger(site, "random").take_over()
    b.load(site.url("/app/page"))
    ask(b)
    b.popup().log_in("alice", PASSWORD)
    text = blocked(b, "wrong-proof")
    nothing_shown(b, forger)
    true("it says what to do, in words", len(text) > 100)
    has("the popup says so too", b.popup().text("#status"), "Not the server you know")


@scenario("says yes to everything, with a proof that is too short or no proof at all in form")
def forger_broken(b, site):
    for proof in ("short", "broken"):
        forger = Forger(site, proof).take_over()
        b.load(site.url("/app/page"))
        ask(b)
        b.popup().log_in("alice", PASSWORD)
        blocked(b, status=None)
        true("not proven", b.status() != "proven")
        nothing_shown(b, forger)
        b.load("about:blank")
        until("an empty tab", lambda: b.url() == "about:blank")


@scenario("says yes to everything, under a name of its own with a realm of its own: the password is worth nothing there")
def forger_own_name(b, site):
    forger = Forger(site, "random", scope=EVIL, host=EVIL)
    b.load(forger.url("/app/page"))
    ask(b)
    has("the popup says who asks", b.popup().text("#origin"), EVIL)
    b.popup().log_in("alice", PASSWORD)
    blocked(b, "wrong-proof")
    nothing_shown(b, forger)


@scenario("takes the site over in mid-session and says yes to everything")
def forger_mid_session(b, site):
    for proof in ("missing", "random"):
        mid_session(b, site, Forger(site, proof))
        site.gateway.secure_front.turn()
        b.drop_connections()
        b.forget_everybody()


@scenario("the same over http, where no certificate can be seen")
def forger_http(b, site):
    log_in(b, site.plain("/app/before"))
    forger = Forger(site, "random", secure=False).take_over()
    b.drop_connections()
    b.load(site.plain("/app/attacked"))
    blocked(b, "wrong-proof")
    nothing_shown(b, forger, unspent=1)


@scenario("parts of a proven page from an attacker: kept back one by one")
def forger_parts(b, site):
    log_in(b, site.url("/app/before"))
    forger = Forger(site, "missing").take_over()
    b.drop_connections()
    b.js("const f = document.createElement('iframe'); f.src = '/app/inner'; f.id = 'inner'; document.body.append(f);"
         "const s = document.createElement('script'); s.src = '/app/script.js'; document.body.append(s);")  # fmt: skip
    until("they were asked for", lambda: forger.proofs() >= 2)
    until("the frame is the extension's", lambda: any("/blocked/" in url for url, _ in b.everything()))
    nothing_shown(b, forger, unspent=2)
