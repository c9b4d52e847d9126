"""Redirects. Firefox follows 20 of them, and then takes no notice of an extension that wants one more."""

import time

import servers
from attackers import MARK, Script
from harness import *
from scenarios.attacks import EVIL
from servers import Response


def chain(site, end):
    """A site that redirects as often as its path says, and then to an address."""

    def hop(request):
        left = int(request.path.split("/")[1])
        place = end if left <= 1 else f"/{left - 1}/{request.path.split('/')[2]}"
        return Response(302, [("Location", place)])

    return Script(site, hop, host=EVIL)


@scenario("a long way of redirects to somebody in the site's place: not shown, however long it is")
def long_way(b, site):
    log_in(b, site.url("/app/before"))
    attacker = Script(site, lambda request: Response.html(f"<h1>{MARK}</h1>", 200, ("Set-Cookie", "evil=1; Path=/"))).take_over()
    b.drop_connections()
    way = chain(site, site.url("/app/x"))
    for length in (1, 6, 12, 15, 16, 17, 18, 19, 20):
        b.load(way.url(f"/{length}/{length}"))
        until(f"{length}: the site is asked", lambda: len([r for r in attacker.requests if r.path == "/app/x"]) > 0)
        blocked(b, "no-proof")
        is_(f"{length}: documents with the attacker's words", b.anywhere(MARK), [])
        attacker.requests.clear()
        b.load("about:blank")
        until("an empty tab", lambda: b.url() == "about:blank")
    cookies = b.chrome("return Services.cookies.cookies.map(c => c.name)")
    is_("the attacker's cookies", [name for name in cookies if name == "evil"], [])


@scenario("the same in frames of a proven page")
def long_way_of_frames(b, site):
    log_in(b, site.url("/app/before"))
    page = f"<h1>{MARK}</h1><script>try {{ parent.document.body.innerHTML = 'rewritten' }} catch (error) {{}}</script>"
    attacker = Script(site, lambda request: Response.html(page)).take_over()
    b.drop_connections()
    way = chain(site, site.url("/app/x"))
    for length in (1, 12, 16, 18, 19, 20):
        attacker.requests.clear()
        b.js("const f = document.createElement('iframe'); f.src = arguments[0]; document.body.append(f)", way.url(f"/{length}/{length}"))
        until(f"{length}: the site is asked", lambda: [r for r in attacker.requests if r.path == "/app/x"])
        time.sleep(0.5)
        has(f"{length}: the page", b.text(), "page /app/before")
        is_(f"{length}: documents with the attacker's words", b.anywhere(MARK), [])
    is_("state", b.status(), "proven")


@scenario("a long way to the site itself is gone to its end, proven, for as long as the session is there")
def long_way_home(b, site):
    log_in(b, site.url("/app/before"))
    way = chain(site, site.url("/app/after"))
    for length in (1, 10, 15, 20):
        b.load(way.url(f"/{length}/{length}"))
        is_("the page", shown(b, "/app/after")[0], "alice")
        b.until_status("proven")
        b.load("about:blank")
        until("an empty tab", lambda: b.url() == "about:blank")


@scenario("a cookie of an answer that is kept back is kept back, too: of a page, a frame, and a script's request")
def cookies(b, site):
    log_in(b, site.url("/app/before"))
    attacker = Script(site, lambda request: Response.html(MARK, 200, ("Set-Cookie", "evil=1; Path=/"))).take_over()
    b.drop_connections()
    b.js("fetch('/app/data').catch(() => {}); const f = document.createElement('iframe'); f.src = '/app/frame'; document.body.append(f)")
    until("both were asked for", lambda: {"/app/data", "/app/frame"} <= {r.path for r in attacker.requests})
    time.sleep(0.5)
    b.load(site.url("/app/page"))
    blocked(b, "no-proof")
    cookies = b.chrome("return Services.cookies.cookies.map(c => c.name)")
    is_("the attacker's cookies", [name for name in cookies if name == "evil"], [])


@scenario("Back from an error page leads to the page before it, and what is kept back again leaves no second one")
def back(b, site):
    log_in(b, site.url("/app/before"))
    Script(site, lambda request: Response.html(MARK)).take_over()
    b.drop_connections()
    b.js("location.href = '/app/attacked'")
    blocked(b, "no-proof")
    length, place = b.js("return history.length"), b.url()
    b.until_js("!document.querySelector('#retry').disabled", "the button's rest is over")
    b.m.click(b.m.find("#retry"))
    # Each time it has another address.
    until("it is kept back again", lambda: "/blocked/" in b.url() and b.url() != place)
    time.sleep(1)
    blocked(b, "no-proof")
    is_("entries of the tab's history", b.js("return history.length"), length)
    site.gateway.secure_front.turn()
    b.drop_connections()
    b.until_js("!document.querySelector('#back').disabled", "the button's rest is over")
    b.m.click(b.m.find("#back"))
    is_("the page before", shown(b, "/app/before")[0], "alice")
    b.until_status("proven")


@scenario("an address that is too long to be looked at: no answer from it is shown")
def long_address(b, site):
    log_in(b, site.url("/app/before"))
    Script(site, lambda request: Response.html(MARK)).take_over()
    b.drop_connections()
    largest, servers.Buffer.until.__defaults__ = servers.Buffer.until.__defaults__, (1 << 20,)
    try:
        b.js("location.href = '/app/x?' + 'a'.repeat(100100)")
        time.sleep(3)
    finally:
        servers.Buffer.until.__defaults__ = largest
    is_("documents with the attacker's words", b.anywhere(MARK), [])
