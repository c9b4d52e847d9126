"""Firefox with the extension: starts it, opens tabs, and says what a person would see of them."""

import base64
import os
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import profile
from marionette import Marionette, MarionetteError
from popup import Popup
from waiting import Failed, Late, until

# As Firefox makes ids of widgets from an extension's.
WIDGET = re.sub(r"[^a-z0-9_-]", "_", profile.EXTENSION.lower())
# A page that goes away while it is looked at: look again.
GONE = (MarionetteError,)

LOOK = """
  const found = [];
  for (const win of Services.wm.getEnumerator("navigator:browser")) {
    for (const browser of win.gBrowser.browsers) {
      for (const context of browser.browsingContext?.getAllBrowsingContextsInSubtree() ?? []) {
        try {
          const actor = context.currentWindowGlobal.getActor("MarionetteCommands");
          const options = { timeout: 5000, sandboxName: "look", newSandbox: true, file: "look", line: 1 };
          const source = "return [document.URL, document.documentElement ? document.documentElement.outerHTML : '']";
          found.push(await actor.executeScript(source, [], options));
        } catch (error) { /* It is just being replaced. */ }
      }
    }
  }
  return found;
"""

LOAD = """
  const [url] = arguments, browser = gBrowser.selectedBrowser;
  await new Promise(resolve => {
    const done = () => {
      window.clearTimeout(timer);
      gBrowser.removeTabsProgressListener(listener);
      resolve();
    };
    const listener = {
      onStateChange(changed, progress, request, flags) {
        if (changed === browser && progress.isTopLevel && flags & Ci.nsIWebProgressListener.STATE_START) done();
      },
    };
    // In a window that is just there, the begin may go by unseen. What is waited for next is looked for in any case.
    const timer = window.setTimeout(done, 5000);
    gBrowser.addTabsProgressListener(listener);
    const triggeringPrincipal = Services.scriptSecurityManager.getSystemPrincipal();
    browser.loadURI(Services.io.newURI(url), { triggeringPrincipal });
  });
"""

BUTTONS = """
  const [widget] = arguments;
  const action = document.getElementById(widget + "-BAP");
  const page = document.getElementById("pageAction-urlbar-" + widget);
  const image = node => getComputedStyle(node).getPropertyValue("--webextension-toolbar-image") ||
    getComputedStyle(node).listStyleImage;
  const shown = node => node && !node.hidden && node.getBoundingClientRect().width > 0;
  return {
    action: action && { icon: image(action), title: action.getAttribute("label") },
    page: shown(page) ? { icon: image(page), title: page.getAttribute("tooltiptext") || page.title || page.ariaLabel } : null,
    url: gBrowser.currentURI.spec,
    prompts: (gDialogBox.isOpen ? 1 : 0) + gBrowser.browsers.reduce((sum, browser) => {
      const box = gBrowser.getTabDialogBox(browser);
      return sum + box.getTabDialogManager()._dialogs.length + box.getContentDialogManager()._dialogs.length;
    }, 0),
  };
"""

ERRORS = """
  const [origin] = arguments, found = [];
  for (const message of Services.console.getMessageArray()) {
    try {
      const error = message.QueryInterface(Ci.nsIScriptError);
      // What a page of the extension waited for when it was closed is of no interest, but Firefox says so.
      if (error.errorMessage.includes("context unloaded")) continue;
      if (String(error.sourceName).startsWith(origin) && !(error.flags & Ci.nsIScriptError.warningFlag)) {
        found.push(`${error.errorMessage} (${error.sourceName}:${error.lineNumber})`);
      }
    } catch (other) { /* Not a script's. */ }
  }
  const storage = Cc["@mozilla.org/consoleAPI-storage;1"].getService(Ci.nsIConsoleAPIStorage);
  for (const event of storage.getEvents()) {
    if (String(event.filename).startsWith(origin) && ["error", "warn", "assert"].includes(event.level)) {
      found.push(`${event.level}: ${event.arguments.map(String).join(" ")} (${event.filename}:${event.lineNumber})`);
    }
  }
  return found;
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Browser:
    """One Firefox with one profile, which is removed when it ends."""

    def __init__(self, extension, authority, locale="en-US", headed=False, prefs=None):
        self.dir = Path(tempfile.mkdtemp(prefix="tagai-firefox."))
        self.log = self.dir / "firefox.log"
        port = free_port()
        (self.dir / "profile").mkdir()
        (self.dir / "downloads").mkdir()
        profile.write(
            self.dir / "profile",
            port,
            {
                "intl.locale.requested": locale,
                "browser.download.dir": str(self.dir / "downloads"),
                "browser.download.folderList": 2,
            }
            | (prefs or {}),
        )
        command = [os.environ.get("FIREFOX", "firefox-esr"), "--marionette", "--remote-allow-system-access", "--no-remote"]
        command += ["--profile", str(self.dir / "profile")] + ([] if headed else ["--headless"])
        env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        env |= {"HOME": str(self.dir), "MOZ_HEADLESS_WIDTH": "1280", "MOZ_HEADLESS_HEIGHT": "900"}
        env |= {"MOZ_CRASHREPORTER_DISABLE": "1", "TZ": "UTC"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, start_new_session=True)
        try:
            self.m = Marionette(port, alive=lambda: self.process.poll() is None)
            self.version = self.m.new_session()["browserVersion"]
            self.first = self.m.handle()
            self.until_started()
            self.trust(authority)
            if extension:
                self.m.install(extension)
                until("the extension runs", self.background_runs)
        except BaseException:
            self.end()
            raise

    def end(self, keep=False):
        """Ends Firefox, and removes its profile."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if not keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    # What is not a page

    def chrome(self, source, *values):
        """An async function's body, in the window of the current tab, with the browser's own rights."""
        with self.m.using("chrome"):
            return self.m.async_script(source, *values)

    def trust(self, authority):
        """Takes a PEM file's certificate as an authority for servers."""
        lines = Path(authority).read_text().split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0]
        database = 'Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB)'
        self.chrome(f"{database}.addCertFromBase64(arguments[0], 'CT,,')", "".join(lines.split()))

    def background_runs(self):
        source = "return WebExtensionPolicy.getByID(arguments[0])?.extension?.backgroundState ?? null"
        return self.chrome(source, profile.EXTENSION) == "running"

    def background(self, source):
        """A script in the extension's background page, as one of its own."""
        return self.chrome(
            """
            const { extension } = WebExtensionPolicy.getByID(arguments[0]);
            const view = [...extension.views].find(each => each.viewType === "background");
            const actor = view.xulBrowser.browsingContext.currentWindowGlobal.getActor("MarionetteCommands");
            const options = { timeout: 5000, sandboxName: null, newSandbox: false, file: "background", line: 1 };
            return await actor.executeScript(arguments[1], [], options);
            """,
            profile.EXTENSION,
            source,
        )

    def set_pref(self, name, value):
        kind = {bool: "Bool", int: "Int", str: "Char"}[type(value)]
        self.chrome(f"Services.prefs.set{kind}Pref(arguments[0], arguments[1])", name, value)

    def errors(self):
        """What the extension has complained about on the console."""
        return self.chrome(ERRORS, profile.ORIGIN)

    def forget_everybody(self):
        """The extension starts anew, and Firefox forgets what it kept: cache, cookies, connections, passwords. One empty tab is left."""
        # Tabs with pages of the extension would be closed with it.
        self.close_others()
        self.chrome(
            """
            const { AddonManager } = ChromeUtils.importESModule("resource://gre/modules/AddonManager.sys.mjs");
            await (await AddonManager.getAddonByID(arguments[0])).reload();
            // Such as the list of downloads, beside which no popup may open by itself.
            for (const panel of document.querySelectorAll("panel")) if (panel.state !== "closed") panel.hidePopup();
            Services.cache2.clear();
            Services.cookies.removeAll();
            Services.obs.notifyObservers(null, "net:clear-active-logins");
            Services.console.reset();
            Cc["@mozilla.org/consoleAPI-storage;1"].getService(Ci.nsIConsoleAPIStorage).clearEvents();
            """,
            profile.EXTENSION,
        )
        until("the extension runs again", self.background_runs)
        self.drop_connections()

    def drop_connections(self):
        """Ends every connection, as a network that went away does."""
        self.chrome('Services.obs.notifyObservers(null, "net:cancel-all-connections")')

    # Tabs and windows

    def open(self, url="about:blank", container=None, private=False):
        """A new tab (in a container, if its number is given) or private window, which becomes the current one."""
        before = set(self.m.handles())
        if private:
            self.chrome("OpenBrowserWindow({ private: true })")
        else:
            source = """
              const options = { triggeringPrincipal: Services.scriptSecurityManager.getSystemPrincipal() };
              if (arguments[0] !== null) options.userContextId = arguments[0];
              gBrowser.selectedTab = gBrowser.addTab("about:blank", options);
            """
            self.chrome(source, container)
        new = until("a new tab", lambda: set(self.m.handles()) - before)
        handle = new.pop()
        self.m.switch(handle)
        if private:
            self.until_started()
        if url != "about:blank":
            self.load(url)
        return handle

    def until_started(self):
        """Waits until the current window has done all that it does by itself: it would close popups, and load an empty page over another."""
        source = """
          return document.readyState === "complete" && gBrowserInit.delayedStartupFinished &&
            !gBrowser.selectedBrowser.webProgress.isLoadingDocument;
        """
        until("the window is ready", lambda: self.chrome(source), trouble=GONE)

    def switch(self, handle):
        self.m.switch(handle)

    def close(self):
        """Closes the current tab, and goes back to the first."""
        self.m.close_window()
        self.m.switch(self.first)

    def close_others(self):
        """Leaves one empty tab."""
        for handle in self.m.handles():
            if handle != self.first:
                self.m.switch(handle)
                self.m.close_window()
        self.m.switch(self.first)
        self.load("about:blank")
        until("an empty tab", lambda: self.url() == "about:blank", trouble=GONE)

    def load(self, url):
        """Begins to load, as somebody who types an address; waits for nothing but the begin."""
        self.chrome(LOAD, url)

    def reload(self, bypass=False):
        self.chrome("arguments[0] ? BrowserCommands.reloadSkipCache() : BrowserCommands.reload()", bypass)

    def back(self):
        self.chrome("gBrowser.goBack()")

    def forward(self):
        self.chrome("gBrowser.goForward()")

    # What is seen

    def js(self, source, *values):
        return self.m.script(source, *values)

    def look(self, source):
        """What a script that changes nothing sees, of whichever page is there when the tab has come to rest."""
        # Null is what Firefox says of a page that goes away meanwhile: look again.
        found = until("a page to look at", lambda: (value := self.js(source)) is not None and [value], trouble=GONE)
        return found[0]

    def url(self):
        return self.look("return document.URL")

    def text(self):
        return self.look("return document.body ? document.body.innerText : ''")

    def address(self):
        """What the address bar is about."""
        return self.buttons()["url"]

    def until_text(self, wanted, patience=60):
        """Waits until the current tab shows a text."""
        try:
            until(f"the page shows {wanted!r}", lambda: wanted in self.text(), patience, GONE)
        except Failed as failed:
            raise Late(f"{failed}; it shows {self.text()[:300]!r} at {self.url()}") from None

    def until_url(self, wanted, patience=60):
        until(f"the tab is at {wanted}", lambda: wanted in self.url(), patience, GONE)

    def until_js(self, source, what=None):
        """Waits until an expression of the page is true; its value."""
        return until(what or source, lambda: self.js(f"return {source}"), trouble=GONE)

    def everything(self):
        """The address and the markup of every document in every tab and frame."""
        return [tuple(entry) for entry in self.chrome(LOOK)]

    def anywhere(self, text):
        """Addresses of documents in which the text is."""
        return [url for url, markup in self.everything() if text in markup]

    def buttons(self):
        """The toolbar's button and the one in the address bar, with icon and title, and how many of Firefox's own prompts are open."""
        return self.chrome(BUTTONS, WIDGET)

    def status(self):
        """The status that the toolbar button's icon shows: none, asked, proven or impostor."""
        found = re.search(r"/icons/([a-z]+)", (self.buttons()["action"] or {}).get("icon", ""))
        return found.group(1) if found else None

    def until_status(self, wanted):
        until(f"the button shows {wanted!r}", lambda: self.status() == wanted)

    def screenshot(self, path):
        """The whole browser window, without its popups, as PNG."""
        with self.m.using("chrome"):
            Path(path).write_bytes(base64.b64decode(self.m.screenshot()))

    # The popup

    def popup_is_open(self):
        return Popup(self).is_open()

    def close_popup(self):
        """Closes it, if it is open."""
        hide = 'document.querySelector(".webextension-popup-browser")?.closest("panel")?.hidePopup()'
        until("the popup is closed", lambda: self.chrome(hide) or not self.popup_is_open())

    def popup(self, by="action"):
        """The open popup; if there is none, it is opened by a click on the toolbar button, or on the page's ("page")."""
        popup = Popup(self)

        def opened():
            if popup.is_ready():
                return True
            self.press(by)
            # The extension may open it by itself at the same moment. One that was opened for a tab that is gone by now never is
            # ready, and a click does not close it.
            try:
                return until("the popup opens", popup.is_ready, patience=10)
            except Failed:
                self.close_popup()
                return False

        until("the popup is open", opened)
        return popup

    def press(self, by="action"):
        """A click on the toolbar button, or on the one in the address bar."""
        node = f"{WIDGET}-BAP" if by == "action" else f"pageAction-urlbar-{WIDGET}"
        with self.m.using("chrome"):
            self.m.click(until("the button is there", lambda: self.m.find(f"#{node}"), trouble=GONE))
