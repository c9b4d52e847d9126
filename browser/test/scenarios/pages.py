"""Pages of a realm and what they load: proven, one round trip each, in all the ways in which the web asks for things."""

import json

from harness import *


@scenario("ten more pages: one round trip each, and no other login")
def ten_more(b, site):
    log_in(b, site.url("/app/first"))
    logins, before, asked = site.gateway.logins(), site.gateway.requests(), site.gateway.requests("/app", '"4xx"')
    for number in range(10):
        b.load(site.url(f"/app/page{number}"))
        is_("the page", shown(b, f"/app/page{number}")[0], "alice")
        b.until_status("proven")
    is_("no login", site.gateway.logins(), logins)
    is_("no refusal", site.gateway.requests("/app", '"4xx"'), asked)
    is_("one request for each", site.gateway.requests(), before + 10)


RESULTS = ["fetch", "frame", "image", "manual", "post", "put", "script", "style", "xhr"]


def rich(b, site, url):
    """Loads the page that loads everything; what became of it."""
    site.app.forget()
    b.load(url)
    found = b.until_js(
        f"(t => t && Object.keys(JSON.parse(t)).length === {len(RESULTS)} && t)(document.getElementById('results')?.textContent)",
        "everything is loaded",
    )
    return json.loads(found)


@scenario("image, style, script, frame, fetch, POST and PUT by fetch, and XHR are all of the user")
def everything(b, site):
    log_in(b, site.url("/app/first"))
    before = site.gateway.requests("/app", '"4xx"')
    found = rich(b, site, site.url("/app/rich"))
    has("the frame", found.pop("frame"), "user alice")
    expected = {"fetch": "alice", "image": 7, "manual": "alice", "post": ["alice", 70000], "put": ["alice", 3000]}
    expected |= {"script": "alice", "style": "rgb(1, 2, 3)", "xhr": "alice"}
    is_("the rest", found, expected)
    is_("nothing was refused first", site.gateway.requests("/app", '"4xx"'), before)
    is_("nobody else asked", set(site.app.users("/app/")), {"alice"})
    b.until_status("proven")


@scenario("the same over http")
def everything_over_http(b, site):
    log_in(b, site.plain("/app/first"))
    found = rich(b, site, site.plain("/app/rich"))
    is_("everything", sorted(found), RESULTS)
    is_("nobody else asked", set(site.app.users("/app/")), {"alice"})


@scenario("everything at once when the session is gone: one key exchange for all of it")
def everything_stale(b, site):
    log_in(b, site.url("/app/first"))
    site.gateway.restart()
    logins = site.gateway.logins()
    found = rich(b, site, site.url("/app/rich"))
    is_("the XHR", found["xhr"], "alice")
    is_("the POST", found["post"], ["alice", 70000])
    is_("one login", site.gateway.logins(), logins + 1)


@scenario("what a page loads when the session is lost between: renewed, and the page notices nothing")
def stale_within(b, site):
    log_in(b, site.url("/app/rich"), shows="rich")
    site.gateway.restart()
    source = """
      window.later = null;
      Promise.all([1, 2, 3, 4, 5].map(n => fetch("data.json?late" + n, { method: n % 2 ? "GET" : "POST", body: n % 2 ? undefined : "x" })
        .then(r => r.json()).then(d => d.user))).then(all => { window.later = all; }, e => { window.later = String(e); });
    """
    b.js(f"const s = document.createElement('script'); s.textContent = {json.dumps(source)}; document.body.append(s);")
    got = until("the answers", lambda: b.js("return window.wrappedJSObject ? window.wrappedJSObject.later : window.later"))
    is_("all of alice", got, ["alice"] * 5)


@scenario("a WebSocket is opened by the user")
def websocket(b, site):
    log_in(b, site.url("/app/first"))
    b.load(site.url("/app/socket"))
    b.until_text("user alice;echo hello;")
    is_("the request", site.app.users("/app/talk"), ["alice"])


@scenario("reload, back and forward: proven each time, and asked for anew")
def reload_back_forward(b, site):
    log_in(b, site.url("/app/one"))
    first = shown(b, "/app/one")[1]
    b.reload()
    second = until("another copy", lambda: (n := shown(b, "/app/one")[1]) > first and n)
    b.until_status("proven")
    b.load(site.url("/app/two"))
    shown(b, "/app/two")
    b.until_status("proven")
    b.load(site.url("/public"))
    shown(b, "/public")
    b.load("about:blank")
    until("an empty page", lambda: b.url() == "about:blank")
    b.until_status("none")
    b.back()
    shown(b, "/public")
    b.back()
    is_("back", shown(b, "/app/two")[0], "alice")
    b.until_status("proven")
    b.back()
    user, number = shown(b, "/app/one")
    is_("further back", user, "alice")
    b.until_status("proven")
    true("not an old copy", number >= second)
    b.forward()
    is_("forward", shown(b, "/app/two")[0], "alice")
    b.until_status("proven")


@scenario("a page that the browser may keep is asked for again each time")
def cacheable(b, site):
    log_in(b, site.url("/app/cacheable"))
    first = shown(b, "/app/cacheable")[1]
    b.load("about:blank")
    until("an empty page", lambda: b.url() == "about:blank")
    b.load(site.url("/app/cacheable"))
    user, second = shown(b, "/app/cacheable")
    is_("the page", user, "alice")
    true("a new one", second > first)
    b.until_status("proven")
    b.reload()
    until("another one", lambda: shown(b, "/app/cacheable")[1] > second)
    b.until_status("proven")


@scenario("a page with a validator (ETag) is proven each time")
def etag(b, site):
    log_in(b, site.url("/app/etag"))
    for _ in range(3):
        first = shown(b, "/app/etag")[1]
        b.reload()
        until("asked again", lambda: shown(b, "/app/etag")[1] > first)
        b.until_status("proven")


@scenario("a page kept from before the login is not shown as the user's")
def cached_before(b, site):
    b.load(site.url("/optional/cacheable"))
    is_("a stranger", shown(b, "/optional/cacheable")[0], "None")
    log_in(b, site.url("/app/x"))
    b.load(site.url("/optional/cacheable"))
    until("the user's", lambda: shown(b, "/optional/cacheable")[0] == "alice")
    b.until_status("proven")


@scenario("a download is the user's")
def download(b, site):
    log_in(b, site.url("/app/first"))
    b.load(site.url("/app/download"))
    kept = b.dir / "downloads" / "data.bin"
    until("the file", lambda: kept.exists() and kept.read_bytes() == b"downloaded by alice")
    is_("asked for once", site.app.users("/app/download"), ["alice"])
    is_("the page stays", b.status(), "proven")


@scenario("a page's own credentials of another kind are left alone; of our kind they are taken away")
def own_authorization(b, site):
    log_in(b, site.url("/app/first"))
    b.load(site.url("/public"))
    shown(b, "/public")
    for value in ["Bearer abc", 'Mutual version=1, realm="Staff", sid=00, nc=1, vkc=00']:
        source = "return fetch('/data.json', { headers: { Authorization: arguments[0] } }).then(r => r.json())"
        got = b.m.async_script(source, value)
        if value.startswith("Bearer"):
            is_("the application gets it", got["authorization"], value)
        else:
            hasnt("it does not", str(got["authorization"]), "vkc=00")


@scenario("sites that have nothing to do with it are as they were, caches included")
def strangers(b, site):
    b.load(site.url("/rich", "outside.test"))
    found = b.until_js(
        f"(t => t && Object.keys(JSON.parse(t)).length === {len(RESULTS)} && t)(document.getElementById('results')?.textContent)"
    )
    is_("everything", sorted(json.loads(found)), RESULTS)
    is_("the button", b.status(), "none")
    b.load(site.url("/etag", "outside.test"))
    shown(b, "/etag")
    b.load(site.url("/cacheable", "outside.test"))
    number = shown(b, "/cacheable")[1]
    b.load("about:blank")
    until("an empty page", lambda: b.url() == "about:blank")
    b.load(site.url("/cacheable", "outside.test"))
    is_("caches work", shown(b, "/cacheable")[1], number)
