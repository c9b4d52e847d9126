"""Whoever stands between a user who is logged in and the site, and tries to send requests in the user's name, or to get something
unproven between what is proven: each against the real browser."""

import threading
import time

from attackers import MARK, Relay, Script
from harness import *
from marionette import NativePrompt
from scenarios.account import invite, registers
from servers import Response

TERMS = 'Mutual version=1, algorithm=iso-kam3-ec-p256-sha256, validation=tls-server-end-point, auth-scope="auction.test"'


def acts(target, image):
    """A page that sends all that it can to another origin; its form goes last."""
    return f"""<h1>{MARK}</h1><form id=form method=post action='{target}?form'><input name=a value=transfer></form>
      <img src='{image}'><script>
      fetch('{target}?fetch', {{ method: 'POST', mode: 'no-cors', body: 'transfer=1000' }})
        .finally(() => setTimeout(() => document.getElementById('form').submit(), 300))</script>"""


def nobody(site, *paths):
    """The requests were made, and the application saw no user in any of them."""
    for path in paths:
        true(f"users of {path}", set(site.app.users(path)) <= {None})


# Who may act for the user


@scenario("a forged page without TLS under the site's name: its requests to https are nobody's")
def forged_plain_page(b, site):
    log_in(b, site.url("/app/before"))
    target, image = site.url("/optional/posted"), site.url("/optional/image.png")
    Script(site, lambda request: Response.html(acts(target, image)), secure=False).take_over()
    b.load(site.plain("/free"))
    until("its form went out", lambda: site.app.users("posted?form"))
    until("and its fetch", lambda: site.app.users("posted?fetch"))
    nobody(site, "posted?form", "posted?fetch", "image.png")
    true("not proven", b.status() != "proven")


@scenario("a forged page on another port of the site's host: its requests are nobody's")
def forged_port(b, site):
    log_in(b, site.url("/app/before"))
    target, image = site.url("/optional/posted"), site.url("/optional/image.png")
    forged = Script(site, lambda request: Response.html(acts(target, image)))
    b.load(forged.url("/free"))
    until("its form went out", lambda: site.app.users("posted?form"))
    nobody(site, "posted?form", "posted?fetch", "image.png")


@scenario("a forged host within a realm for a whole domain: its requests are nobody's")
def forged_host(b, site):
    log_in(b, site.url("/", "www.tagai.test"), "dora")
    target, image = site.url("/posted", "www.tagai.test"), site.url("/image.png", "www.tagai.test")
    forged = Script(site, lambda request: Response.html(acts(target, image)), host="forged.tagai.test", secure=False)
    b.load(forged.url("/"))
    until("its form is answered", lambda: "/posted" in b.url())
    nobody(site, "posted?form", "posted?fetch", "image.png")


@scenario("a proven page of a realm for a whole domain uses hosts of it that were not visited before, and its forms are the user's")
def honest_hosts(b, site):
    log_in(b, site.url("/", "www.tagai.test"), "dora")
    wiki = lambda path: site.url(path, "wiki.tagai.test")
    source = f"""
      const image = new Image(), frame = document.createElement("iframe"), form = document.createElement("form");
      image.id = "there";
      image.src = {wiki("/image.png")!r};
      frame.src = {wiki("/framed")!r};
      Object.assign(form, {{ id: "across", method: "post", action: {wiki("/posted")!r} }});
      document.body.append(image, frame, form);
      void fetch({wiki("/called")!r}, {{ method: "POST", mode: "no-cors", body: "x" }}).catch(() => {{}});
    """
    b.js(source)
    b.until_js("document.getElementById('there')?.naturalWidth === 7", "the picture")
    for path in ("image.png", "framed", "called"):
        until(f"{path} is asked for", lambda: site.app.users(path))
        is_(path, set(site.app.users(path)), {"dora"})
    b.until_status("proven")
    b.js("document.getElementById('across').submit()")
    is_("the form", shown(b, "/posted")[0], "dora")
    b.until_status("proven")


@scenario("what Firefox remembers of Basic does not keep the proof away: somebody else's answer to a script is not read", firefox="fresh")
def remembered_basic(b, site):
    def respond(request):
        basic = (request.get("authorization") or "").startswith("Basic")
        if "basic" in request.path:
            return Response.html("ok") if basic else Response.html("no", 401, ("WWW-Authenticate", 'Basic realm="x"'))
        if "data.json" in request.path:
            return Response(200, [("Content-Type", "application/json")], MARK.encode())
        return Response.html(
            "<h1>start</h1><script>const x = new XMLHttpRequest(); x.open('GET', '/app/basic', true, 'a', 'b');"
            "x.onload = () => document.body.append('remembered ' + x.status); x.send()</script>"
        )

    forged = Script(site, respond, secure=False).take_over()
    b.load(site.plain("/app/start"))
    b.until_text("remembered 200")
    site.gateway.plain_front.turn()
    b.drop_connections()
    log_in(b, site.plain("/app/first"))
    source = "return fetch('/app/data.json').then(r => r.text(), e => 'failed: ' + e)"
    has("from the site itself", b.m.async_script(source), "alice")
    forged.take_over()
    b.drop_connections()
    got = b.m.async_script(source)
    has("from somebody else", got, "failed")
    true("it went with a proof", forged.proofs() >= 1)
    b.until_status("proven")


@scenario("an address that is too long to be looked at is not loaded")
def long_address(b, site):
    log_in(b, site.url("/app/before"))
    forged = Script(site, lambda request: Response.html(MARK)).take_over()
    b.drop_connections()
    source = "return fetch('/app/x?' + 'a'.repeat(100100)).then(r => r.text(), e => 'failed: ' + e)"
    has("a script gets nothing", b.m.async_script(source), "failed")
    is_("it was not sent", [request for request in forged.requests if "/app/x" in request.path], [])
    is_("what the attacker wrote is shown", b.anywhere(MARK), [])


@scenario("a logout while a registration is under way: the new user is registered, and not logged in", firefox="fresh")
def registration_and_logout(b, site):
    done = threading.Event()

    class Slow(Relay):
        def change(self, request, response):
            if request.path.endswith("/register"):
                done.wait(20)
            return response

    code = invite(site, "erika")
    log_in(b, site.url("/", "www.tagai.test"), "dora")
    first = b.m.handle()
    relay = Slow(site).take_over()
    b.open()
    registers(b, site, "erika", code, path="/app/page")
    until("the registration is under way", lambda: [request for request in relay.requests if request.path.endswith("/register")])
    b.close_popup()
    b.switch(first)
    log_out(b)
    done.set()
    until("the user is there", lambda: "erika" in site.gateway.command("user", "list", "--realm", "staff"))
    site.gateway.secure_front.turn()
    b.drop_connections()
    b.load(site.url("/optional/page"))
    is_("nobody is logged in", shown(b, "/optional/page")[0], "None")


# What is said


@scenario("a login that is proven without TLS: the panel says that the page is not protected, and over TLS it does not")
def said_of_plain(b, site):
    log_in(b, site.plain("/app/page"))
    b.popup().until_visible("#proven-open")
    b.close_popup()
    b.load(site.url("/app/secured"))
    shown(b, "/app/secured")
    b.until_status("proven")
    popup = b.popup()
    popup.until_visible("#proven")
    true("it does not", popup.js("return document.getElementById('proven-open').hidden"))


@scenario("the buttons of an error page rest until the second click of two is over, and then try again")
def buttons_rest(b, site):
    log_in(b, site.url("/app/before"))
    Script(site, lambda request: Response.html(MARK)).take_over()
    b.drop_connections()
    b.load(site.url("/app/attacked"))
    blocked(b, "no-proof")
    site.gateway.secure_front.turn()
    b.drop_connections()
    b.until_js("!document.getElementById('retry').disabled", "the button")
    b.js("document.getElementById('retry').click()")
    is_("the page", shown(b, "/app/attacked")[0], "alice")
    b.until_status("proven")


# Challenges that Firefox reads in another way


def no_prompt(b, site, path, expected, *challenges):
    """Somebody in the site's place answers with these challenges: the tab gets to this state, if one is named, and Firefox asks for nothing itself."""
    forged = Script(site, lambda request: Response.html(MARK, 401, *[("WWW-Authenticate", value) for value in challenges]))
    forged.take_over()
    b.drop_connections()
    try:
        b.load(site.url(path))
        if expected:
            b.until_status(expected)
        # A window of Firefox opens with the page, or not at all.
        for _ in range(4):
            time.sleep(0.2)
            # The page may be replaced just now.
            b.look("return 1")
    except NativePrompt as prompt:
        raise Failed(f"a window of Firefox opened for {challenges}: {prompt}") from None


@scenario("Basic that is hidden from whoever reads challenges by the book: no window of Firefox opens at a site that was proven")
def hidden_basic(b, site):
    log_in(b, site.url("/app/before"))
    log_out(b)
    for number, value in enumerate(['Foo a="\\", Basic realm="x"', '"Basic realm=x', "Foo\t, Basic\trealm=x"]):
        no_prompt(b, site, f"/app/attacked{number}", "impostor", value)
        is_("what the attacker wrote is shown", b.anywhere(MARK), [])


@scenario("Basic that is hidden in a challenge of ours: no window of Firefox opens beside ours")
def basic_in_mutual(b, site):
    for number, value in enumerate([
        TERMS + ', realm="St\\", Basic realm=", reason=initial',
        TERMS + ', realm="Staff", reason=initial, q="\\", Basic realm="x"',
    ]):  # fmt: skip
        no_prompt(b, site, f"/app/attacked{number}", "asked", value)


@scenario("Basic beside a Mutual that cannot be used: a site that was proven does not fall back")
def basic_beside_broken(b, site):
    log_in(b, site.url("/app/before"))
    log_out(b)
    other = TERMS.replace("iso-kam3-ec-p256-sha256", "another") + ', realm="Staff", reason=initial'
    for number, value in enumerate(["Mutual version=99", other]):
        no_prompt(b, site, f"/app/attacked{number}", None, 'Basic realm="x"', value)
        blocked(b, status=None)
    is_("what the attacker wrote is shown", b.anywhere(MARK), [])
