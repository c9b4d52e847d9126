"""Somebody in the site's place who does not break the proof, but goes around it: with documents of the site's origin that nobody has proven.
Such a document could use the user's proofs by its scripts, and write into pages that are proven."""

import threading
import time

from application import picture
from attackers import MARK, Relay, Script
from harness import *
from scenarios.attacks import EVIL
from servers import Response

SCHEME = "Mutual version=1, algorithm=iso-kam3-ec-p256-sha256, validation=tls-server-end-point"
# Long enough for whatever a page of an attacker is to do.
WHILE = 2.5

# Asks for what is Alice's, again and again, and shows it.
THIEF = f"""<h1>{MARK}</h1><pre id=loot></pre><script>
const take = () => fetch('/app/secret').then(r => r.text(), String).then(t => {{ document.getElementById('loot').textContent = t; }});
setInterval(take, 300);
</script>"""
VANDAL = f"<h1>{MARK}</h1><script>try {{ parent.document.body.innerHTML = 'rewritten' }} catch (error) {{}}</script>"


def challenge(realm="Other", reason="initial", name="WWW-Authenticate"):
    return (name, f'{SCHEME}, auth-scope="auction.test", realm="{realm}", reason={reason}')


def put(b, name, **attributes):
    """Adds an element to the page."""
    b.js("const e = document.createElement(arguments[0]); Object.assign(e, arguments[1]); document.body.append(e)", name, attributes)


def taken(b, site):
    """The attacker's page can do what it wants for a while, with the real site: nothing comes of it."""
    site.gateway.secure_front.turn()
    b.drop_connections()
    time.sleep(WHILE)
    hasnt("what it got", b.text(), "user alice")
    is_("what the site saw of it with the user's name", [user for user in site.app.users("/app/secret") if user], [])
    true("not proven", b.status() != "proven")


@scenario("parts of a proven page that ask for another login: a script does not run, a picture is not shown, fetch gets nothing")
def asking_parts(b, site):
    optional = challenge(name="Optional-WWW-Authenticate")

    def respond(request):
        if request.path.endswith(".js"):
            return Response(200, [("Content-Type", "text/javascript"), optional], b"document.body.innerHTML = 'rewritten'")
        if request.path.endswith(".png"):
            return Response(401, [("Content-Type", "image/png"), challenge()], picture())
        return Response.html(MARK, 200, optional)

    log_in(b, site.url("/app/before"))
    attacker = Script(site, respond).take_over()
    b.drop_connections()
    put(b, "script", src="/app/script.js")
    put(b, "img", src="/app/other.png", id="picture")
    got = b.m.async_script("return fetch('/app/other').then(r => r.text(), e => 'failed')")
    is_("fetch", got, "failed")
    until("all were asked for", lambda: {"/app/script.js", "/app/other.png"} <= {r.path for r in attacker.requests})
    time.sleep(1)
    is_("the picture's width", b.js("return document.getElementById('picture').naturalWidth"), 0)
    has("the page is as it was", b.text(), "page /app/before")
    is_("state", b.status(), "proven")


@scenario("frames of a proven page that ask for a login, whichever and why ever, or offer one: not shown, and nothing written into the page")
def asking_frames(b, site):
    for realm, reason, status in (("Other", "initial", 401), ("Staff", "auth-failed", 401), ("Staff", "initial", 401), ("Other", "initial", 200)):
        log_in(b, site.url("/app/before"))
        name = "WWW-Authenticate" if status == 401 else "Optional-WWW-Authenticate"
        attacker = Script(site, lambda request: Response.html(VANDAL, status, challenge(realm, reason, name))).take_over()
        b.drop_connections()
        put(b, "iframe", src="/app/frame")
        put(b, "object", data="/app/object")
        until("both were asked for", lambda: {"/app/frame", "/app/object"} <= {r.path for r in attacker.requests})
        time.sleep(1)
        has("the page is as it was", b.text(), "page /app/before")
        is_("documents with the attacker's words", b.anywhere(MARK), [])
        is_("state", b.status(), "proven")
        site.gateway.secure_front.turn()
        b.drop_connections()
        b.forget_everybody()


@scenario("a page that asks for another login, or offers one, while somebody is logged in: it is of no origin, and gets nothing")
def asking_page(b, site):
    for fields in ((401, challenge()), (200, challenge(name="Optional-WWW-Authenticate"))):
        log_in(b, site.url("/app/before"))
        Script(site, lambda request: Response.html(THIEF, *fields)).take_over()
        b.drop_connections()
        b.load(site.url("/app/page"))
        b.until_text(MARK)
        ask(b)
        site.app.forget()
        taken(b, site)
        b.forget_everybody()


@scenario("a page that asks on the first visit: it is of no origin, so that it is nobody when its user has logged in elsewhere")
def asking_guest(b, site):
    Script(site, lambda request: Response.html(THIEF, 401, challenge("Staff"))).take_over()
    b.load(site.url("/app/page"))
    b.until_text(MARK)
    # The popup opens by itself, and would be about this tab.
    b.popup()
    b.close_popup()
    first = b.m.handle()
    site.gateway.secure_front.turn()
    b.drop_connections()
    b.open()
    log_in(b, site.url("/app/before"))
    b.switch(first)
    taken(b, site)
    b.close_others()


@scenario("the answer to a form that another site has sent: a page of no origin, which gets nothing")
def strange_form(b, site):
    log_in(b, site.url("/app/before"))
    Script(site, lambda request: Response.html(THIEF, 200, ("Content-Security-Policy", "sandbox allow-scripts allow-same-origin"))).take_over()
    b.drop_connections()
    form = f"<form id=f method=post action='{site.url('/app/x')}'></form><script>setTimeout(() => f.submit(), 300)</script>"
    b.load(Script(site, lambda request: Response.html(form), host=EVIL).url("/"))
    b.until_text(MARK)
    is_("the address", b.url(), site.url("/app/x"))
    taken(b, site)


@scenario("frames and objects of the site in a page of another: of no origin, and they get nothing")
def strange_frame(b, site):
    log_in(b, site.url("/app/before"))
    attacker = Script(site, lambda request: Response.html(THIEF)).take_over()
    b.drop_connections()
    frames = "".join(f"<{tag} {attribute}='{site.url('/app/' + tag)}'></{tag}>" for tag, attribute in (("iframe", "src"), ("object", "data"), ("embed", "src")))
    b.load(Script(site, lambda request: Response.html(frames), host=EVIL).url("/"))
    until("they were asked for", lambda: {"/app/iframe", "/app/object", "/app/embed"} <= {r.path for r in attacker.requests})
    taken(b, site)
    is_("documents with what is Alice's", b.anywhere("user alice"), [])


@scenario("an honest page of the site in a frame of another one is shown, as to a stranger")
def strange_honest(b, site):
    log_in(b, site.url("/app/before"))
    frame = f"<iframe src='{site.url('/public')}'></iframe>"
    b.load(Script(site, lambda request: Response.html(frame), host=EVIL).url("/"))
    until("the frame's words", lambda: b.anywhere("page /public"))


@scenario("a form that another site has sent, at whose answer the user logs in: it is not carried out in the user's name")
def strange_login(b, site):
    form = f"<form id=f method=post action='{site.url('/app/posted')}'><input name=note value=transfer></form><script>setTimeout(() => f.submit(), 300)</script>"
    b.load(Script(site, lambda request: Response.html(form), host=EVIL).url("/"))
    ask(b)
    b.popup().log_in("alice", PASSWORD)
    shown(b, "/app/posted")
    b.until_status("proven")
    is_("what was carried out", [target.split()[0] for target, user in site.app.seen if "posted" in target and user], ["GET"])


# What is left from before a login


@scenario("a page from before the login that has opened the window of the login: it is loaded again, and cannot write into the proven page")
def opener(b, site):
    page = f"""<h1>{MARK}</h1><script>
      let w;
      // By then it is the honest server that answers.
      setTimeout(() => {{ w = window.open('/app/secret'); }}, 1500);
      setInterval(() => {{ try {{ if (w?.document.querySelector('#who')) w.document.body.innerHTML = 'rewritten'; }} catch (error) {{}} }}, 200);
    </script>"""

    def respond(request):
        threading.Timer(0.7, site.gateway.secure_front.turn).start()
        return Response.html(page)

    Script(site, respond).take_over()
    before = set(b.m.handles())
    b.load(site.url("/start"))
    b.switch(until("a window", lambda: set(b.m.handles()) - before).pop())
    try:
        until("it asks", lambda: b.status() == "asked", patience=10)
    except Failed:
        # It was still the attacker who answered.
        b.load(site.url("/app/secret"))
    ask(b)
    b.popup().log_in("alice", PASSWORD)
    b.until_status("proven")
    time.sleep(WHILE)
    has("the page", b.text(), "page /app/secret")
    is_("documents with the attacker's words", b.anywhere(MARK), [])
    is_("state", b.status(), "proven")
    b.close_popup()
    b.close_others()


@scenario("a page from before the login in another tab is loaded again; a page of another site there stays as it is")
def elder_tabs(b, site):
    Script(site, lambda request: Response.html(THIEF)).take_over()
    b.load(site.url("/start"))
    b.until_text(MARK)
    first = b.m.handle()
    other = b.open(site.plain("/x", "outside.test"))
    shown(b, "/x")
    b.js("document.body.append('typed here')")
    site.gateway.secure_front.turn()
    b.drop_connections()
    b.open()
    log_in(b, site.url("/app/before"))
    b.switch(first)
    b.until_text("page /start")
    is_("what the old page got", [user for user in site.app.users("/app/secret") if user], [])
    b.switch(other)
    has("the page of another site", b.text(), "typed here")
    b.close_others()


@scenario("an empty window that a page from before the login has opened, and that has its origin: emptied")
def elder_window(b, site):
    page = f"""<h1>{MARK}</h1><script>
      const w = window.open('about:blank'); w.document.title = 'made';
      w.eval("setInterval(() => fetch('{site.url('/app/secret')}').catch(() => {{}}), 200)");
    </script>"""
    attacker = Script(site, lambda request: Response.html(page)).take_over()
    b.load(site.url("/start"))
    until("the window's requests", lambda: len([r for r in attacker.requests if r.path == "/app/secret"]) > 2)
    b.m.switch(b.first)
    b.load("about:blank")
    site.gateway.secure_front.turn()
    b.drop_connections()
    log_in(b, site.url("/app/before"))
    time.sleep(WHILE)
    is_("what the window got", [user for user in site.app.users("/app/secret") if user], [])
    b.close_others()


@scenario("Back to a page from before the login: it is loaded again, and got nothing")
def back_to_elder(b, site):
    old = Script(site, lambda request: Response.html(f"<h1>{MARK}</h1>"), secure=False).take_over()
    b.load(site.plain("/start"))
    b.until_text(MARK)
    is_("it was asked", [r.path for r in old.requests if r.path == "/start"], ["/start"])
    site.gateway.plain_front.turn()
    b.drop_connections()
    log_in(b, site.plain("/app/before"))
    b.back()
    b.until_text("page /start")
    b.until_status("proven")
    is_("documents with the attacker's words", b.anywhere(MARK), [])


@scenario("a service worker from before the login is gone")
def worker(b, site):
    made = "new Response(\"document.body.innerHTML = 'rewritten'\", { headers: { 'Content-Type': 'text/javascript' } })"
    script = (
        "self.addEventListener('install', e => self.skipWaiting()); self.addEventListener('activate', e => e.waitUntil(clients.claim()));"
        f"self.addEventListener('fetch', e => {{ if (e.request.url.endsWith('script.js')) e.respondWith({made}); }});"
    )
    page = "<h1>start</h1><script>navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready).then(() => document.body.append('ready'))</script>"

    def respond(request):
        if request.path == "/sw.js":
            return Response(200, [("Content-Type", "text/javascript")], script.encode())
        return Response.html(page)

    Script(site, respond).take_over()
    b.load(site.url("/start"))
    b.until_text("ready")
    site.gateway.secure_front.turn()
    b.drop_connections()
    log_in(b, site.url("/app/first"))
    for path in ("/app/first", "/app/second"):
        if path not in b.url():
            b.load(site.url(path))
            shown(b, path)
        put(b, "script", src="/app/script.js")
        until("the script of the site", lambda: b.js("return document.defaultView.wrappedJSObject.scripted") == "alice")
        has("the page", b.text(), f"page {path}")


@scenario("poisoned copies at the second host of a realm are not a part of its proven page")
def second_host(b, site):
    host, keep = "wiki.tagai.test", ("Cache-Control", "public, max-age=86400")

    def respond(request):
        last = request.path.rsplit("/", 1)[-1]
        if last == "style.css":
            return Response(200, [("Content-Type", "text/css"), keep], b"h1 { color: rgb(9, 9, 9); }")
        if last == "script.js":
            return Response(200, [("Content-Type", "text/javascript"), keep], b"window.scripted = 'rewritten';")
        if last == "image.png":
            return Response(200, [("Content-Type", "image/svg+xml"), keep], b"<svg xmlns='http://www.w3.org/2000/svg' width='99' height='99'/>")
        return Response.html("<link rel=stylesheet href=style.css><h1>start</h1><script src=script.js></script><img src=image.png>")

    Script(site, respond, host=host).take_over()
    b.load(site.url("/start", host))
    b.until_text("start")
    time.sleep(1)
    site.gateway.secure_front.turn()
    b.drop_connections()
    first = b.m.handle()
    b.open()
    log_in(b, site.url("/", "www.tagai.test"), "dora")
    b.switch(first)
    b.until_text("page /start")
    b.load(site.url("/rich", host))
    b.until_text("rich")
    b.until_status("proven")
    b.until_js("(document.getElementById('results') ?? { textContent: '' }).textContent.includes('image')")
    text = b.js("return document.getElementById('results').textContent")
    has("the site's script", text, '"script":"dora"')
    has("the site's picture", text, '"image":7')
    has("the site's style", text, '"style":"rgb(1, 2, 3)"')
    b.close_others()


@scenario("a download that is proven, and then Back to an older page of its address: that one is not proven")
def download_and_back(b, site):
    Script(site, lambda request: Response.html(f"<h1>{MARK}</h1>"), secure=False).take_over()
    b.load(site.plain("/app/download"))
    b.until_text(MARK)
    site.gateway.plain_front.turn()
    b.drop_connections()
    log_in(b, site.plain("/app/first"))
    b.js("location.href = '/app/download'")
    until("the download is there", lambda: site.app.users("/app/download"))
    b.back()
    seen = 0
    for _ in range(20):
        # The icon may follow the page by a moment.
        seen = seen + 1 if b.anywhere(MARK) and b.status() == "proven" else 0
        true("not proven with the attacker's words", seen < 3)
        time.sleep(0.1)


@scenario("a logout while an answer is under way: it is not shown, neither as proven nor as an ordinary page")
def logout_race(b, site):
    class Slow(Relay):
        def change(self, request, response):
            if "slow" in request.target and request.get("authorization"):
                time.sleep(4)
            return response

    log_in(b, site.plain("/app/before"))
    slow = Slow(site, secure=False).take_over()
    b.drop_connections()
    two = b.m.handle()
    b.open()
    one = b.m.handle()
    b.load(site.plain("/app/slow"))
    until("it is under way", lambda: [r for r in slow.requests if "slow" in r.path])
    b.switch(two)
    log_out(b)
    b.switch(one)
    b.until_status("asked")
    hasnt("what is shown", b.text(), "user alice")
    b.close_others()
