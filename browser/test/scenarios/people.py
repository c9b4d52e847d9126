"""For everybody: Japanese, the keyboard alone, names that a screen reader says, dark mode."""

from attackers import Forger, Script
from harness import *
from marionette import ALT, ENTER, ESCAPE, SHIFT, SPACE, TAB
from popup import Popup
from servers import Response
from stopwatch import stillness


def tab_to(popup, wanted, most=12):
    """Presses the key Tab until an element has the focus; the ids on the way."""
    way = []
    for _ in range(most):
        if popup.focused() == wanted:
            return way
        before = popup.focused()
        popup.keys(TAB)
        try:
            until("the focus moves", lambda: popup.focused() != before, patience=5)
        except Failed:
            # The first one only leads from the window into the popup.
            pass
        way.append(popup.focused())
    raise Failed(f"Tab does not lead to {wanted}: {way}")


@scenario("by the keyboard alone: open, fill in, log in, log out")
def keyboard(b, site):
    b.load(site.url("/app/keys"))
    ask(b)
    opens(b)
    b.close_popup()
    with b.m.using("chrome"):
        b.m.keys((ALT, SHIFT, "l"))
    popup = Popup(b)
    until("the shortcut opens it", popup.is_ready)
    popup.until_visible("#password")
    until("the focus is where one types", lambda: popup.focused() == "user")
    popup.keys(*"alice")
    until("the name is there", lambda: popup.value("#user") == "alice")
    tab_to(popup, "password")
    popup.keys(*PASSWORD, ENTER)
    is_("the page", shown(b, "/app/keys")[0], "alice")
    b.until_status("proven")
    b.close_popup()
    with b.m.using("chrome"):
        b.m.keys((ALT, SHIFT, "l"))
    until("it opens again", popup.is_ready)
    popup.until_status("proven")
    tab_to(popup, "logout")
    popup.keys(SPACE)
    until("logged out", lambda: b.status() != "proven")


@scenario("the key Escape closes the popup, and nothing is sent")
def escape(b, site):
    b.load(site.url("/app/escape"))
    ask(b)
    popup = b.popup()
    before = site.gateway.requests()
    popup.fill("#password", PASSWORD)
    popup.keys(ESCAPE)
    until("it is closed", lambda: not popup.is_open())
    is_("nothing was sent", site.gateway.requests(), before)
    popup = b.popup()
    popup.until_visible("#password")
    is_("the password is forgotten", popup.value("#password"), "")


@scenario("everything that one can act on has a name and a role, in every state")
def names(b, site):
    b.load(site.url("/app/names"))
    ask(b)
    check_names(b.popup())
    b.close_popup()
    log_in(b, site.url("/app/names"))
    popup = b.popup()
    popup.until_status("proven")
    check_names(popup)


def check_names(popup):
    marked = popup.js("""
      const all = [...document.querySelectorAll("button, input, a[href], select, summary, [role=button]")].filter(e => e.checkVisibility());
      all.forEach((element, number) => element.setAttribute("data-number", number));
      return all.map(e => e.id || e.className);
    """)
    true("there are some", marked)
    for number, name in enumerate(marked):
        true(f"a name for {name}", popup.label(f"[data-number='{number}']").strip())
        # Firefox has no word for fields of passwords.
        if not popup.js(f"return document.querySelector(\"[data-number='{number}']\").type === 'password'"):
            true(f"a role for {name}", popup.role(f"[data-number='{number}']") in ("button", "textbox", "checkbox", "link"))


@scenario("the state is said in words, not by colour alone, by button and popup alike")
def words(b, site):
    said = []
    b.load(site.url("/public"))
    shown(b, "/public")
    look(b, "none", said)
    b.load(site.url("/app/words"))
    look(b, "asked", said)
    log_in(b, site.url("/app/words"))
    look(b, "proven", said)
    Forger(site).take_over()
    b.drop_connections()
    b.load(site.url("/app/attacked"))
    blocked(b)
    look(b, "impostor", said)
    for number, what in enumerate(("icons", "titles", "words")):
        is_(f"the {what} of four states", len({entry[number] for entry in said}), 4)


def look(b, status, said):
    """What is shown of a status: icon and title of the button, and the popup's words. The title follows the icon."""
    b.until_status(status)
    button = until("another title", lambda: (it := b.buttons()["action"])["title"] not in [title for _, title, _ in said] and it)
    popup = b.popup()
    popup.until_status(status)
    said.append((button["icon"], button["title"], popup.text("#status-text")))
    b.close_popup()


@scenario("in Japanese", locale="ja")
def japanese(b, site):
    b.load(site.url("/app/ja"))
    ask(b)
    popup = b.popup()
    popup.until_visible("#password")
    is_("the language", popup.js("return document.documentElement.lang"), "ja")
    true("the button", any("\u3040" <= sign <= "\u9fff" for sign in popup.text("#login")))
    for label in ("Password", "User name", "Log in"):
        hasnt("no English is left", popup.text("body"), label)
    popup.log_in("alice", "falsch")
    true("a refusal", any("\u3040" <= sign <= "\u9fff" for sign in refused(b)))
    b.popup().log_in("alice", PASSWORD)
    is_("the page", shown(b, "/app/ja")[0], "alice")
    b.until_status("proven")
    true("the title", any("\u3040" <= sign <= "\u9fff" for sign in b.buttons()["action"]["title"]))
    b.close_popup()
    Forger(site).take_over()
    b.drop_connections()
    b.load(site.url("/app/attacked"))
    true("the error page", any("\u3040" <= sign <= "\u9fff" for sign in blocked(b)))


@scenario("the popup shows the address of who asks in full, and nothing of a name that pretends", locale="en-US")
def pretending_names(b, site):
    challenge = (
        'Mutual version=1, algorithm=iso-kam3-ec-p256-sha256, validation=host, auth-scope="login.test", '
        'realm="Staff at https://auction.test (proven)", reason=initial'
    )
    liar = Script(site, lambda request: Response.html("x", 401, ("WWW-Authenticate", challenge)), host="login.test", secure=False)
    b.load(liar.url("/"))
    ask(b)
    popup = b.popup()
    has("the address", popup.text("#origin"), "login.test")
    hasnt("not the other", popup.text("#origin"), "auction")
    is_("the state", popup.status(), "asked")


@scenario("the heaviest arithmetic (4096 bits) stops neither the popup nor the browser's window")
def alive(b, site):
    b.load(site.url("/heavy", site.heavy))
    ask(b)
    # Another program may hold the machine up for a moment. The arithmetic, if it did, would do so each time.
    for _ in range(3):
        popup, window, took = stillness(b)
        if max(popup, window) < took / 2:
            break
        b.close_popup()
    true(f"the popup stood still for {popup:.0f} of {took:.0f} ms", popup < took / 2)
    true(f"the window stood still for {window:.0f} of {took:.0f} ms", window < took / 2)
    b.popup().log_in("alice", PASSWORD)
    is_("the page", shown(b, "/heavy")[0], "alice")
    b.until_status("proven")
