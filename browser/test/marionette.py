"""Marionette, the wire under geckodriver: Firefox takes commands as `LENGTH:[0, ID, NAME, PARAMETERS]` and answers
`LENGTH:[1, ID, ERROR, RESULT]`. Only what these tests need of it."""

import json
import socket
import time
from contextlib import contextmanager

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
SHADOW = "shadow-6066-11e4-a52e-4f735466cecf"
# No command waits for pages; so none has a reason to take longer.
PATIENCE = 90
LARGEST = 64 << 20

ENTER, TAB, ESCAPE, SPACE, BACKSPACE = "\ue007", "\ue004", "\ue00c", "\ue00d", "\ue003"
LEFT, UP, RIGHT, DOWN, F5, F6 = "\ue012", "\ue013", "\ue014", "\ue015", "\ue035", "\ue036"
SHIFT, CONTROL, ALT = "\ue008", "\ue009", "\ue00a"


class MarionetteError(Exception):
    """What Firefox said instead of a result; `kind` as WebDriver names it ("no such element")."""

    def __init__(self, kind, message, trace=""):
        super().__init__(f"{kind}: {message}")
        self.kind, self.message, self.trace = kind, message, trace


class NativePrompt(Exception):
    """Firefox has opened a window of its own that asks something, such as for a password: never seen where all is well."""


class Marionette:
    """A session with one Firefox."""

    def __init__(self, port, patience=PATIENCE, alive=lambda: True):
        self.socket = self._connect(port, patience, alive)
        self.buffer, self.number, self.context = b"", 0, None
        self._receive()

    @staticmethod
    def _connect(port, patience, alive):
        end = time.monotonic() + patience
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), PATIENCE)
            except OSError:
                if not alive() or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def _receive(self):
        while b":" not in self.buffer:
            self._more()
        length, _, self.buffer = self.buffer.partition(b":")
        if int(length) > LARGEST:
            raise MarionetteError("unknown error", f"an answer of {length} octets")
        while len(self.buffer) < int(length):
            self._more()
        answer, self.buffer = self.buffer[: int(length)], self.buffer[int(length) :]
        return json.loads(answer)

    def _more(self):
        try:
            piece = self.socket.recv(1 << 16)
        except OSError as error:
            raise MarionetteError("unknown error", f"Firefox does not answer: {error}") from error
        if not piece:
            raise MarionetteError("unknown error", "Firefox has closed the connection")
        self.buffer += piece

    def send(self, name, parameters=None):
        """One command; its result, without the wrapping of a single value."""
        self.number += 1
        text = json.dumps([0, self.number, name, parameters or {}]).encode()
        try:
            self.socket.sendall(b"%d:%s" % (len(text), text))
        except OSError as error:
            raise MarionetteError("unknown error", f"Firefox does not listen: {error}") from error
        while True:
            kind, number, error, result = self._receive()
            if (kind, number) == (1, self.number):
                break
        if error and error["error"] == "unexpected alert open":
            raise NativePrompt(error["message"])
        if error:
            raise MarionetteError(error["error"], error["message"], error.get("stacktrace", ""))
        return result["value"] if isinstance(result, dict) and list(result) == ["value"] else result

    def close(self):
        self.socket.close()

    # Sessions and contexts

    def new_session(self):
        capabilities = {"alwaysMatch": {"pageLoadStrategy": "none", "unhandledPromptBehavior": "ignore"}}
        result = self.send("WebDriver:NewSession", {"capabilities": capabilities})
        self.context = "content"
        # Nothing waits inside of Firefox: what has to come true is polled from here.
        self.send("WebDriver:SetTimeouts", {"script": 60_000, "pageLoad": 60_000, "implicit": 0})
        return result["capabilities"]

    @contextmanager
    def using(self, context):
        """Commands in `with` are about the browser's own windows ("chrome") or about pages ("content")."""
        before = self.context
        self._switch(context)
        try:
            yield self
        finally:
            self._switch(before)

    def _switch(self, context):
        if context != self.context:
            self.send("Marionette:SetContext", {"value": context})
            self.context = context

    # Scripts

    def script(self, source, *values):
        """The value that the body of a function returns; its parameters are `arguments`."""
        return self._execute("WebDriver:ExecuteScript", source, values)

    def async_script(self, source, *values):
        """The value that the body of an async function returns."""
        wrapped = (
            "const [done, ...given] = [arguments[arguments.length - 1], ...Array.prototype.slice.call(arguments, 0, -1)];"
            f"(async function () {{ {source} }}).apply(null, given)"
            ".then(value => done({value: value === undefined ? null : value}),"
            " error => done({error: String(error) + '\\n' + (error && error.stack || '')}));"
        )
        result = self._execute("WebDriver:ExecuteAsyncScript", wrapped, values)
        # Firefox says nothing if the page went away meanwhile.
        if result is None:
            raise MarionetteError("no such window", "the page has gone away")
        if "error" in result:
            raise MarionetteError("javascript error", result["error"])
        return result["value"]

    def _execute(self, command, source, values):
        sandbox = "system" if self.context == "chrome" else "default"
        parameters = {"script": source, "args": list(values), "sandbox": sandbox, "newSandbox": False}
        return self.send(command, parameters)

    # Windows

    def handles(self):
        return self.send("WebDriver:GetWindowHandles")

    def handle(self):
        return self.send("WebDriver:GetWindowHandle")

    def switch(self, handle):
        self.send("WebDriver:SwitchToWindow", {"handle": handle, "focus": True})

    def close_window(self):
        return self.send("WebDriver:CloseWindow")

    def frame(self, element):
        """Into a frame, or out to the top (`None`)."""
        self.send("WebDriver:SwitchToFrame", {} if element is None else {"element": element[ELEMENT]})

    # Elements

    def find(self, selector, within=None):
        return self.find_by("css selector", selector, within)

    def find_by(self, using, value, within=None):
        parameters = {"using": using, "value": value}
        if within:
            parameters["element"] = within[ELEMENT]
        return self.send("WebDriver:FindElement", parameters)

    def click(self, element):
        self.send("WebDriver:ElementClick", {"id": element[ELEMENT]})

    def clear(self, element):
        self.send("WebDriver:ElementClear", {"id": element[ELEMENT]})

    def type(self, element, text):
        """Key events, one by one, in the element."""
        self.send("WebDriver:ElementSendKeys", {"id": element[ELEMENT], "text": text})

    def label(self, element):
        """The name that a screen reader says."""
        return self.send("WebDriver:GetComputedLabel", {"id": element[ELEMENT]})

    def role(self, element):
        return self.send("WebDriver:GetComputedRole", {"id": element[ELEMENT]})

    def keys(self, *strokes):
        """Key events in whatever has the focus. A stroke is a key, or a chord such as (CONTROL, "l")."""
        actions = []
        for stroke in strokes:
            chord = stroke if isinstance(stroke, tuple) else (stroke,)
            actions += [{"type": "keyDown", "value": key} for key in chord]
            actions += [{"type": "keyUp", "value": key} for key in reversed(chord)]
        self.send("WebDriver:PerformActions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})
        self.send("WebDriver:ReleaseActions")

    # Add-ons and pictures

    def install(self, path):
        """Installs an unsigned extension for as long as Firefox runs."""
        return self.send("Addon:Install", {"path": str(path), "temporary": True, "allowPrivateBrowsing": True})

    def screenshot(self):
        """What the window's viewport shows, as PNG in Base64."""
        return self.send("WebDriver:TakeScreenshot", {"full": False, "hash": False})
