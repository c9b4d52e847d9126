// What is said in place of an answer that was kept back, and texts of servers.
import assert from "node:assert/strict";
import test from "node:test";
import { BlockedPages, failureOf } from "../build/js/background/blocked.js";
import { Tabs } from "../build/js/background/tabs.js";
import { words } from "../build/js/blocked/words.js";
import { clean, isolate, lengthOf, splitOrigin } from "../build/js/ui/text.js";

const REALM = { name: "Staff", scope: "auction.test", algorithm: "iso-kam3-ec-p256-sha256" };
const page = (why, more = {}) => ({
  why,
  url: "https://auction.test/bid?x=1",
  origin: "https://auction.test",
  realm: REALM,
  user: "alice",
  detail: "vks is wrong",
  retry: true,
  ...more,
});
const REASONS = ["wrong-proof", "no-proof", "certificate", "scope", "downgrade", "protocol", "cached", "internal"];

test("each reason has its own four texts", () => {
  const all = REASONS.flatMap(why => {
    const { title, happened, means, todo } = words(page(why));
    return [title.key, happened.key, means.key, todo.key];
  });
  assert.equal(new Set(all).size, 4 * REASONS.length);
});

test("what may be an attack has the sign of one, and leads back first", () => {
  for (const why of REASONS) {
    const { sign, first } = words(page(why));
    const harmless = ["cached", "internal"].includes(why);
    assert.equal(sign, harmless ? "none" : "impostor", why);
    assert.equal(first, harmless ? "retry" : "back", why);
  }
  assert.equal(words(page("cached", { retry: false })).first, "back");
});

test("button, popup and page are of one mind about what may be an attack", () => {
  const pages = new BlockedPages(path => `moz-extension://us/${path}`);
  const tabs = new Tabs(pages, () => {});
  for (const why of REASONS) {
    const details = { requestId: "1", url: "https://auction.test/bid", method: "GET", type: "main_frame", tabId: 7 };
    tabs.committed(7, pages.add(details, why, "", null));
    const { status, blocked } = tabs.view(7, []);
    assert.equal(status, words(blocked).sign, why);
    assert.equal(failureOf(why), status === "impostor" ? "impostor" : "internal", why);
  }
});

test("who is concerned, and the way on without a login, only if there is one", () => {
  assert.deepEqual(words(page("no-proof")).who, { key: "blocked_as", with: ["alice", "Staff"] });
  assert.equal(words(page("no-proof")).stranger, true);
  const stranger = words(page("downgrade", { user: null, realm: null }));
  assert.equal(stranger.who, null);
  assert.equal(stranger.stranger, false);
});

test("details are bounded, and on one line", () => {
  const { details } = words(
    page("protocol", { detail: `a\n${"b".repeat(1000)}`, url: `https://a.test/${"c".repeat(5000)}` }),
  );
  assert.equal(lengthOf(details.report), 300);
  assert.ok(details.report.startsWith("a b"));
  assert.equal(lengthOf(details.url), 500);
});

test("a page that nobody remembers", () => {
  const shown = words(null);
  assert.equal(shown.why, "gone");
  assert.deepEqual([shown.retry, shown.stranger, shown.details, shown.origin], [false, false, null, null]);
});

test("an origin in its parts; anything else is none", () => {
  assert.deepEqual(splitOrigin("https://a.test"), { scheme: "https://", host: "a.test", port: "" });
  assert.deepEqual(splitOrigin("http://[::1]:8080"), { scheme: "http://", host: "[::1]", port: ":8080" });
  assert.deepEqual(splitOrigin("https://xn--80ak6aa92e.test").host, "xn--80ak6aa92e.test");
  for (const none of [
    "",
    "null",
    "https://",
    "https://a.test/path",
    "https://user@a.test",
    "https://a.test:x",
    "a.test",
  ]) {
    assert.equal(splitOrigin(none), null, none);
  }
});

test("texts lose what is not seen, and their excess", () => {
  assert.equal(clean(" a\t\u0007b\u2028c\u200fd \u2066e\u2069 "), "a b c d e");
  assert.equal(clean("x".repeat(81)), `${"x".repeat(79)}…`);
  assert.equal(clean("🗝".repeat(80)), "🗝".repeat(80));
  assert.equal(clean("\u3164\u2800\u115f\uffa0\u{e0100}"), "", "blank letters");
  const marks = "\u0316\u0317\u0318\u0319\u031c";
  assert.equal(clean(`a${marks.repeat(20)}b`), `a${marks.slice(0, 3)}b`, "marks over marks");
  assert.equal(clean(`${marks}a ${marks}b`), "a b", "marks over what stands before");
  for (const text of ["Việt Nam", "스태프", "ภาษาไทย", "शाखा", "職員用 ぱ", "עִבְרִית"])
    assert.equal(clean(text), text.normalize("NFC"));
  assert.equal(isolate("a"), "\u2068a\u2069");
});
