"""How long a login takes, and whether anything stands still meanwhile. Times in milliseconds."""

from gateway import PASSWORD
from waiting import until

PRESS = """
  const [selector] = arguments;
  const global = document.querySelector(".webextension-popup-browser").browsingContext.currentWindowGlobal;
  const actor = global.getActor("MarionetteCommands");
  const element = await actor.findElement("css selector", selector, {});
  const pressed = performance.timeOrigin + performance.now();
  await actor.sendKeysToElement(element, "\\ue007", { toJSON: () => ({}) }).catch(() => {});
  return pressed;
"""

# When the page was first painted with something in it.
PAINTED = """
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  return paint ? performance.timeOrigin + paint.startTime : null;
"""

# The longest time without a frame, written where the next script finds it.
WATCH = """
  const root = document.documentElement;
  let last = performance.now(), gap = 0;
  root.removeAttribute("data-unwatched");
  const frame = () => {
    const now = performance.now();
    gap = Math.max(gap, now - last);
    last = now;
    root.setAttribute("data-gap", gap);
    if (!root.hasAttribute("data-unwatched")) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
"""

UNWATCH = """
  const root = document.documentElement;
  root.setAttribute("data-unwatched", "");
  return Number(root.getAttribute("data-gap"));
"""


def press_enter(b, selector="#password"):
    """Presses Enter in a field of the popup. When, by the clock that pages have too."""
    return b.chrome(PRESS, selector)


def painted(b):
    """When the page in the current tab was first painted."""
    return until("the page is painted", lambda: b.js(PAINTED))


def stillness(b):
    """The longest time without a frame while the arithmetic runs, in the popup and in the browser's window, and how long all of it took.
    The password is a wrong one, so that the popup stays."""
    popup = b.popup()
    popup.until_visible("#password")
    popup.fill("#user", "alice")
    popup.fill("#password", "not the password")
    b.chrome(WATCH)
    popup.js(WATCH)
    pressed = press_enter(b)
    until("the refusal", lambda: popup.visible("#message"))
    took = b.chrome("return performance.timeOrigin + performance.now()") - pressed
    return popup.js(UNWATCH), b.chrome(UNWATCH), took
