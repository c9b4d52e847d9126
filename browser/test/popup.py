"""The extension's popup, driven in its own process by the events that a person makes: Marionette's own actor of its document clicks
and types there, since a popup is not a window that WebDriver could switch to."""

from marionette import MarionetteError
from waiting import until

# `act` gets an actor, and finds elements by selector.
PRELUDE = """
  const [command, selector, value] = arguments;
  const browser = document.querySelector(".webextension-popup-browser");
  const panel = browser?.closest("panel");
  const global = browser?.browsingContext?.currentWindowGlobal;
  if (!global || !global.documentURI.spec.includes("/popup/") || panel.state !== "open") return { gone: true };
  const actor = global.getActor("MarionetteCommands");
  const capabilities = { toJSON: () => ({}) };
  const options = { timeout: 60000, sandboxName: "popup", newSandbox: true, file: "popup", line: 1 };
  const run = (source, ...values) => actor.executeScript(source, values, options);
  const find = () => actor.findElement("css selector", selector, {});
  switch (command) {
    case "ready": return { value: await run("return document.readyState === 'complete'") };
    case "run": return { value: await run(value) };
    case "click": return { value: await actor.clickElement(await find(), capabilities) };
    case "type": return { value: await actor.sendKeysToElement(await find(), value, capabilities) };
    case "clear": return { value: await actor.clearElement(await find()) };
    case "label": return { value: await actor.getComputedLabel(await find()) };
    case "role": return { value: await actor.getComputedRole(await find()) };
    case "visible": return { value: await actor.isElementDisplayed(await find(), capabilities) };
    case "enabled": return { value: await actor.isElementEnabled(await find(), capabilities) };
    case "picture": return { value: await (async () => {
      const bitmap = await global.drawSnapshot(null, 2, "rgb(255,255,255)");
      const canvas = document.createElementNS("http://www.w3.org/1999/xhtml", "canvas");
      [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
      canvas.getContext("2d").drawImage(bitmap, 0, 0);
      return canvas.toDataURL("image/png").split(",")[1];
    })() };
  }
"""


class Closed(Exception):
    """The popup is not open (any more)."""


class Popup:
    def __init__(self, browser):
        self.browser = browser

    def act(self, command, selector="", value=None):
        try:
            result = self.browser.chrome(PRELUDE, command, selector, value)
        except MarionetteError as error:
            # It went away in the middle of it.
            if any(word in error.message for word in ("AbortError", "destroyed", "ActorDestroyed", "no longer exist", "inactive", "Document was unloaded")):
                raise Closed(command) from error
            raise
        if result and result.get("gone"):
            raise Closed(command)
        return result["value"] if result else None

    def is_open(self):
        try:
            return bool(self.act("ready"))
        except Closed:
            return False

    def is_ready(self):
        """Whether it is open, and shows what the extension knows."""
        try:
            return bool(self.act("ready") and self.js("return document.getElementById('status').dataset.ready !== 'false'"))
        except Closed:
            return False

    # Elements

    def js(self, source):
        return self.act("run", value=source)

    def click(self, selector):
        self.act("click", selector)

    def type(self, selector, text):
        self.act("type", selector, text)

    def fill(self, selector, text):
        """Types in place of what is there."""
        self.act("clear", selector)
        self.act("type", selector, text)

    def exists(self, selector):
        return self.js(f"return document.querySelector({selector!r}) !== null")

    def visible(self, selector):
        return self.exists(selector) and self.act("visible", selector)

    def text(self, selector="body"):
        return self.js(f"return document.querySelector({selector!r})?.innerText ?? ''").strip()

    def value(self, selector):
        return self.js(f"return document.querySelector({selector!r}).value")

    def label(self, selector):
        return self.act("label", selector)

    def role(self, selector):
        return self.act("role", selector)

    def status(self):
        return self.js("return document.querySelector('#status')?.dataset.status ?? null")

    def focused(self):
        """The id of the element that has the focus."""
        return self.js("return document.activeElement?.id ?? null")

    def until_status(self, wanted):
        until(f"the popup's status is {wanted!r}", lambda: self.status() == wanted)

    def until_visible(self, selector):
        until(f"the popup shows {selector}", lambda: self.visible(selector))

    def until_closed(self):
        until("the popup closes", lambda: not self.is_open())

    def until_message(self):
        """The message, when there is one."""
        return until("the popup says something", lambda: self.visible("#message") and self.text("#message"))

    def failure(self):
        """The code of the message, when there is one."""
        # In one look: that of an attempt before may go away between two.
        source = """
          const message = document.getElementById("message");
          return message.checkVisibility() && message.innerText.trim() ? [message.dataset.failure ?? null] : null;
        """
        return until("the popup says something", lambda: self.js(source))[0]

    # What people do

    def keys(self, *strokes):
        """Keys of the keyboard, wherever the focus is."""
        with self.browser.m.using("chrome"):
            self.browser.m.keys(*strokes)

    def log_in(self, user, password):
        """Fills in the form and presses the button; waits for nothing. No user: the site has said who it has to be."""
        self.until_visible("#password")
        # Not while an attempt before is still under way.
        until("the form can be filled in", lambda: not self.js("return document.getElementById('password').disabled"))
        if user is not None:
            self.fill("#user", user)
        self.fill("#password", password)
        self.click("#login")
