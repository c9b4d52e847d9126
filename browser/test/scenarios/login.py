"""Logging in: by both buttons, over https and http, and what is said when it does not work."""

from harness import *


@scenario("over https, with tls-server-end-point: the popup says who asks, and the page comes proven")
def over_https(b, site):
    url = site.url("/app/first")
    b.load(url)
    ask(b)
    popup = b.popup()
    is_("the popup's status", popup.status(), "asked")
    for what, selector, wanted in [
        ("the site", "#origin", url.removesuffix("/app/first")),
        ("the realm", "#login-heading", "Staff"),
    ]:
        has(what, popup.text(selector), wanted)
    has("the challenge", str(site.gateway.ask("auction.test", "/app/x").fields), "tls-server-end-point")
    logins = site.gateway.logins()
    popup.log_in("alice", PASSWORD)
    is_("the page", shown(b, "/app/first")[0], "alice")
    b.until_status("proven")
    for button in ("action", "page"):
        until(f"the button ({button}) names the user", lambda: "alice" in b.buttons()[button]["title"])
    is_("one login", site.gateway.logins(), logins + 1)
    b.close_popup()
    popup = b.popup()
    popup.until_status("proven")
    is_("the popup says who", popup.text("#proven-user"), "alice")
    is_("and where", popup.text("#proven-place"), "Staff")
    is_("the application got no credentials", site.app.users("/app/first"), ["alice"])


@scenario("over http, with host validation; the popup warns that others can read")
def over_http(b, site):
    b.load(site.plain("/app/first"))
    ask(b)
    popup = b.popup()
    true("a warning", popup.exists("#notices [data-notice=notice_http]"))
    popup.log_in("alice", PASSWORD)
    is_("the page", shown(b, "/app/first")[0], "alice")
    b.until_status("proven")
    has("it is http", b.url(), "http://auction.test")


@scenario("by the button in the address bar")
def by_page_action(b, site):
    log_in(b, site.url("/app/bar"), by="page")


@scenario("by the key Enter")
def by_enter(b, site):
    b.load(site.url("/app/enter"))
    ask(b)
    popup = b.popup()
    popup.until_visible("#password")
    popup.type("#user", "alice")
    popup.type("#password", PASSWORD + "\ue007")
    is_("the page", shown(b, "/app/enter")[0], "alice")
    b.until_status("proven")


@scenario("a wrong password is said, the page stays away, and the right one then works")
def wrong_password(b, site):
    b.load(site.url("/app/wrong"))
    ask(b)
    b.popup().log_in("alice", "not the password")
    said = refused(b)
    has("in words", said, "not accepted")
    is_("nothing came through", site.app.users("/app/wrong"), [])
    is_("the user name is still there", b.popup().value("#user"), "alice")
    is_("the password is not", b.popup().value("#password"), "")
    b.popup().log_in("alice", PASSWORD)
    is_("the page", shown(b, "/app/wrong")[0], "alice")
    b.until_status("proven")


@scenario("a user whom nobody knows gets the words of a wrong password")
def unknown_user(b, site):
    b.load(site.url("/app/unknown"))
    ask(b)
    b.popup().log_in("alice", "not the password")
    wrong = refused(b)
    # So that it is the words of the second attempt that are waited for.
    b.popup().js("document.getElementById('message').textContent = ''")
    b.popup().log_in("mallory", PASSWORD)
    is_("the words", refused(b), wrong)


@scenario("a password of one user does not open the account of another")
def another_user(b, site):
    b.load(site.url("/app/another"))
    ask(b)
    b.popup().log_in("bob", PASSWORD)
    refused(b)
    b.popup().log_in("bob", OTHER)
    is_("the page", shown(b, "/app/another")[0], "bob")


@scenario("an empty password, and a name with a character that cannot be used, are said before anything is sent")
def unusable(b, site):
    b.load(site.url("/app/unusable"))
    ask(b)
    before = site.gateway.requests()
    popup = b.popup()
    popup.log_in("alice", "")
    true("a message", popup.until_message())
    popup.log_in("al ice\u2028", PASSWORD)
    until("the characters", lambda: popup.failure() == "characters")
    is_("nothing was sent", site.gateway.requests(), before)


@scenario("letters that look alike are one name (RFC 8265), in any form in which they are typed")
def prepared(b, site):
    site.gateway.add_user("Zoë", "für Elise", "staff")
    log_in(b, site.url("/app/prepared"), "Zoe\u0308", "fu\u0308r Elise")
    is_("the page", shown(b, "/app/prepared")[0], "Zo%C3%AB")
    until("the button says so", lambda: "Zo\u00eb" in b.buttons()["action"]["title"])


@scenario("a public page asks for nothing, and is proven once somebody is logged in")
def public(b, site):
    b.load(site.url("/public"))
    is_("a stranger", shown(b, "/public")[0], "None")
    is_("the button", b.status(), "none")
    popup = b.popup()
    is_("the popup", popup.status(), "none")
    true("it does not ask for a password", not popup.visible("#password"))
    b.close_popup()
    log_in(b, site.url("/app/x"))
    b.load(site.url("/public"))
    shown(b, "/public")
    b.until_status("proven")


@scenario("a server that is gone is said, and the login works when it is back")
def gone(b, site):
    b.load(site.url("/app/gone"))
    ask(b)
    site.gateway.stop()
    b.popup().log_in("alice", PASSWORD)
    refused(b, "network")
    site.gateway.start()
    b.popup().log_in("alice", PASSWORD)
    is_("the page", shown(b, "/app/gone")[0], "alice")


@scenario("a session that was lost in a restart is renewed unseen")
def restart(b, site):
    log_in(b, site.url("/app/before"))
    site.gateway.restart()
    logins = site.gateway.logins()
    b.load(site.url("/app/after"))
    is_("the page", shown(b, "/app/after")[0], "alice")
    b.until_status("proven")
    is_("a key exchange", site.gateway.logins(), logins + 1)
    true("nobody was asked", not b.popup_is_open())
