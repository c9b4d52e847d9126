// Addresses, as the background page takes them.
import assert from "node:assert/strict";
import test from "node:test";
import { isUnspoken } from "../build/js/background/site.js";
import { ALICE, background, PAGE } from "./fake.js";

test("pages of the browser itself, of which webNavigation does not speak", () => {
  for (const url of [
    "about:preferences#privacy",
    "about:addons",
    "about:config",
    "chrome://browser/x",
    "view-source:x",
  ]) {
    assert.ok(isUnspoken(url, PAGE), url);
  }
  for (const url of ["https://site.test/app", "http://site.test/", `${PAGE}blocked/blocked.html#1`, "about:blank"]) {
    assert.ok(!isUnspoken(url, PAGE), url);
  }
});

test("what a proven page has shown is over when the tab goes to such a page", () => {
  const { world } = background();
  const page = { is: "proven", login: ALICE, method: "GET", atLogout: "reload-if-get", trusted: true };
  world.tabs.judge(7, "1", "https://site.test/app", page);
  world.tabs.committed(7, "https://site.test/app");
  assert.equal(world.tabs.view(7, [ALICE]).status, "proven");
  world.tabs.committed(7, "about:preferences");
  const { status, origin, login } = world.tabs.view(7, [ALICE]);
  assert.deepEqual([status, origin, login], ["none", null, null]);
});
