"""What a site may wish for (RFC 8053): optional logins, modal ones, places, names."""

from harness import *


@scenario("optional: the page shows at once, the login is offered, and the page then is the user's")
def optional(b, site):
    b.load(site.url("/optional/page"))
    is_("a stranger", shown(b, "/optional/page")[0], "None")
    ask(b)
    popup = b.popup()
    true("it says that one may read on", popup.exists("#notices [data-notice=notice_optional]"))
    popup.log_in("alice", PASSWORD)
    until("the user's", lambda: shown(b, "/optional/page")[0] == "alice")
    b.until_status("proven")


@scenario("optional: no popup opens by itself")
def optional_is_quiet(b, site):
    b.load(site.url("/optional/page"))
    shown(b, "/optional/page")
    ask(b)
    true("no popup", not b.popup_is_open())


@scenario("non-modal: what the site says to strangers shows, and the popup opens by itself")
def non_modal(b, site):
    b.load(site.url("/app/page"))
    b.until_text("Please log in")
    ask(b)
    opens(b)


@scenario("modal: nothing shows before the login")
def modal(b, site):
    b.load(site.url("/public"))
    number = shown(b, "/public")[1]
    b.load(site.url("/modal/page"))
    ask(b)
    is_("the page before is still there", shown(b, "/public")[1], number)
    b.popup().log_in("alice", PASSWORD)
    is_("the page", shown(b, "/modal/page")[0], "alice")
    b.until_status("proven")


@scenario("modal, declined: the refusal shows")
def modal_declined(b, site):
    b.load(site.url("/modal/page"))
    ask(b)
    popup = b.popup()
    popup.until_visible("#decline")
    popup.click("#decline")
    b.until_text("Please log in")
    is_("nothing came through", site.app.users("/modal"), [])


@scenario("modal, and another address is typed meanwhile")
def modal_left(b, site):
    b.load(site.url("/modal/page"))
    ask(b)
    # It opens by itself: what is not there yet cannot be closed.
    b.popup()
    b.close_popup()
    b.load(site.url("/public"))
    shown(b, "/public")
    b.until_status("none")


@scenario("a user name that the site sets is there, and cannot be changed")
def username(b, site):
    b.load(site.url("/named/page"))
    ask(b)
    popup = b.popup()
    popup.until_visible("#password")
    is_("the name", popup.value("#user"), "alice")
    true("it is fixed", popup.js("const u = document.getElementById('user'); return u.readOnly || u.disabled"))
    popup.log_in(None, PASSWORD)
    is_("the page", shown(b, "/named/page")[0], "alice")


@scenario("strangers are sent to another page (location-when-unauthenticated)")
def elsewhere(b, site):
    b.load(site.url("/elsewhere/page"))
    is_("the page", shown(b, "/welcome")[0], "None")
    log_in(b, site.url("/app/x"))
    b.load(site.url("/elsewhere/page"))
    is_("a user is not", shown(b, "/elsewhere/page")[0], "alice")


@scenario("no-auth: nobody is asked by a popup")
def no_auth(b, site):
    b.load(site.url("/quiet/page"))
    b.until_text("Please log in")
    true("no popup", not b.popup_is_open())
    true("not proven", b.status() in ("asked", "none"))


@scenario("a frame or a picture that asks opens no popup")
def parts_do_not_ask(b, site):
    b.load(site.url("/public"))
    shown(b, "/public")
    b.js("for (const [tag, url] of [['iframe', '/app/inner'], ['img', '/app/image.png']]) "
         "{ const e = document.createElement(tag); e.src = url; e.id = tag; document.body.append(e); }")  # fmt: skip
    until("the frame is answered", lambda: any("Please log in" in markup for url, markup in b.everything() if "/app/inner" in url))
    true("no popup", not b.popup_is_open())
    true("not proven", b.status() in ("asked", "none"))
    is_("nothing came through", site.app.users("/app/"), [])
