"""Several realms, and the ways between them: a login is good where it was meant for, and nothing of it goes anywhere else."""

from harness import *


@scenario("two realms on one site, with users of their own")
def two_realms(b, site):
    log_in(b, site.url("/app/staff"))
    b.load(site.url("/admin/console"))
    ask(b)
    has("another realm asks", b.popup().text("#login-heading"), "Administration")
    b.popup().log_in("alice", PASSWORD)
    refused(b)
    b.popup().log_in("alice", OTHER)
    is_("the page", shown(b, "/admin/console")[0], "alice")
    has("of that realm", b.text(), "of Administration")
    b.until_status("proven")
    b.close_popup()
    b.load(site.url("/app/again"))
    has("the first is still there", (shown(b, "/app/again"), b.text())[1], "of Staff")
    b.until_status("proven")
    popup = b.popup()
    popup.until_visible("#logins-list")
    has("the popup lists the other", popup.text("#logins-list"), "Administration")


@scenario("two sites: a login at one is none at the other")
def two_sites(b, site):
    log_in(b, site.url("/app/staff"))
    b.load(site.url("/", "shop.test"))
    ask(b)
    is_("nothing came through", site.app.users("GET shop.test"), [])
    b.popup().log_in("carol", PASSWORD)
    is_("the page", shown(b, "/")[0], "carol")
    b.until_status("proven")
    b.close_popup()
    b.load(site.url("/app/staff"))
    is_("the first", shown(b, "/app/staff")[0], "alice")


@scenario("a realm for a whole domain: one login for all of its hosts")
def whole_domain(b, site):
    log_in(b, site.url("/", "www.tagai.test"), "dora")
    before = site.gateway.logins(realm="everywhere")
    b.load(site.url("/wiki", "wiki.tagai.test"))
    is_("the page", shown(b, "/wiki")[0], "dora")
    b.until_status("proven")
    true("a key exchange of its own, with nobody asked", site.gateway.logins(realm="everywhere") == before + 1)


@scenario("a redirect within the realm is followed, proven")
def redirect_within(b, site):
    log_in(b, site.url("/app/first"))
    b.load(site.url("/app/redirect?to=/app/target"))
    is_("the page", shown(b, "/app/target")[0], "alice")
    b.until_status("proven")


@scenario("a redirect out of the realm is followed, and no credentials go with it")
def redirect_out(b, site):
    log_in(b, site.url("/app/first"))
    for status in (301, 302, 303, 307, 308):
        b.load(site.url(f"/app/redirect?status={status}&to=" + site.url(f"/out{status}", "outside.test")))
        is_("the page", shown(b, f"/out{status}")[0], "None")
        b.until_status("none")
    is_("by nobody", set(site.app.users("GET outside.test")), {None})
    for line in site.app.carried("GET outside.test"):
        is_("credentials", line, None)


@scenario("a redirect from outside into the realm is proven")
def redirect_in(b, site):
    log_in(b, site.url("/app/first"))
    b.load(site.url("/redirect?to=" + site.url("/app/inside"), "outside.test"))
    is_("the page", shown(b, "/app/inside")[0], "alice")
    b.until_status("proven")


@scenario("a redirect to a page that asks: the login is for where one has come to")
def redirect_to_ask(b, site):
    b.load(site.url("/redirect?to=" + site.url("/app/inside"), "outside.test"))
    ask(b)
    has("the site that asks", b.popup().text("#origin"), "auction.test")
    b.popup().log_in("alice", PASSWORD)
    is_("the page", shown(b, "/app/inside")[0], "alice")


@scenario("a form that is redirected within the realm (303, 307) stays the user's")
def redirected_form(b, site):
    log_in(b, site.url("/app/form"), shows="form")
    b.js("document.getElementById('form').action = 'redirect?status=307&to=posted'")
    b.m.click(b.m.find("#send"))
    b.until_js("document.getElementById('posted')", "the answer to the form")
    is_("by", shown(b, "/app/posted")[0], "alice")
    b.until_status("proven")


@scenario("a picture of another site gets no credentials, and one of the realm shown elsewhere is not proven by accident")
def other_site(b, site):
    log_in(b, site.url("/app/first"))
    source = f"""
      const image = new Image();
      image.id = "theirs";
      image.src = {site.url("/image.png", "outside.test")!r};
      document.body.append(image);
    """
    b.js(source)
    b.until_js("document.getElementById('theirs')?.naturalWidth === 7", "the picture")
    for line in site.app.carried("GET outside.test"):
        is_("credentials", line, None)
    b.until_status("proven")


@scenario("http and https of one host are two origins: a login at one sends no proof to the other by itself")
def two_schemes(b, site):
    log_in(b, site.url("/app/secure"))
    b.load(site.plain("/app/plain"))
    is_("the realm spans both, so the user is known", shown(b, "/app/plain")[0], "alice")
    b.until_status("proven")
    has("by a session of its own", b.url(), "http://")
