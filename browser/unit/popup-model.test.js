// From what the background page knows of a tab to what the popup shows.
import assert from "node:assert/strict";
import test from "node:test";
import { encrypted, isLoopback, model, placeOf, same, sameQuestion, siteOf } from "../build/js/popup/model.js";

const STAFF = { name: "Staff", scope: "www.auction.test", algorithm: "iso-kam3-ec-p256-sha256" };
const WIKI = { name: "Wiki", scope: "*.tagai.test", algorithm: "iso-kam3-dl-2048-sha256" };
const ORIGIN = "https://www.auction.test:8443";
const NONE = {
  status: "none",
  origin: ORIGIN,
  login: null,
  ask: null,
  blocked: null,
  logins: [],
  busy: false,
  trusted: true,
};
const ASK = {
  realm: STAFF,
  reason: "initial",
  origin: ORIGIN,
  optional: false,
  username: null,
  known: true,
  held: false,
};
const asked = (more = {}) => ({ ...NONE, status: "asked", ask: { ...ASK, ...more } });
const alice = { realm: STAFF, user: "alice" };
const carol = { realm: WIKI, user: "carol" };
const proven = { ...NONE, status: "proven", login: alice, logins: [alice] };
const BLOCKED = {
  why: "wrong-proof",
  url: `${ORIGIN}/x`,
  origin: ORIGIN,
  realm: STAFF,
  user: "alice",
  detail: "vks",
  retry: true,
};
const impostor = { ...NONE, status: "impostor", origin: null, blocked: BLOCKED };
const keys = part => part.notices.map(notice => notice.text.key);

test("an ordinary page: its origin, and nothing to fill in", () => {
  const shown = model(NONE, "main");
  assert.deepEqual(shown.origin, { scheme: "https://", host: "www.auction.test", port: ":8443" });
  assert.equal(shown.title.key, "status_none");
  assert.equal(shown.more.key, "status_none_more");
  assert.deepEqual([shown.login, shown.proven, shown.blocked, shown.others], [null, null, null, null]);
});

test("a page of the browser has no site", () => {
  const shown = model({ ...NONE, origin: null }, "main");
  assert.equal(shown.origin, null);
  assert.equal(shown.more.key, "status_browser_more");
});

test("a login that is asked for: the place, and the site that asks even if the tab's address is another", () => {
  const shown = model({ ...asked({ origin: "https://login.test" }), origin: ORIGIN }, "main");
  assert.equal(shown.origin.host, "login.test");
  assert.deepEqual(shown.login.heading, { key: "login_heading", with: ["Staff"] });
  assert.deepEqual(keys(shown.login), []);
  assert.equal(shown.login.fixedUser, null);
  assert.equal(shown.login.canDecline, false);
  assert.equal(shown.login.refused, false);
  assert.equal(shown.proven, null);
});

test("a place without a name", () => {
  const shown = model(asked({ realm: { ...STAFF, name: "\u202e" } }), "main");
  assert.deepEqual(shown.login.heading, { key: "login_heading_unnamed" });
});

test("remarks: each when it is due, the warning first", () => {
  assert.deepEqual(keys(model(asked({ known: false }), "main").login), ["notice_first"]);
  assert.deepEqual(keys(model(asked({ optional: true }), "main").login), ["notice_optional"]);
  assert.deepEqual(keys(model(asked({ reason: "again" }), "main").login), ["notice_again"]);
  const all = model(asked({ origin: "http://auction.test", known: false, held: true, optional: true }), "main").login;
  assert.deepEqual(keys(all), ["notice_http", "notice_first", "notice_held"]);
  assert.deepEqual(
    all.notices.map(notice => notice.tone),
    ["warning", "info", "info"],
  );
});

test("an answer that is held can be let go; a user name can be the only one", () => {
  const part = model(asked({ held: true, username: "alice" }), "main").login;
  assert.equal(part.canDecline, true);
  assert.equal(part.fixedUser, "alice");
});

test("a password is set over https alone", () => {
  assert.equal(model(asked(), "main").login.canRegister, true);
  assert.equal(model(asked({ origin: "http://auction.test" }), "main").login.canRegister, false);
  assert.equal(model(proven, "main").proven.canChange, true);
  assert.equal(model({ ...proven, origin: "http://auction.test" }, "main").proven.canChange, false);
  assert.equal(encrypted("https://a.test"), true);
  assert.equal(encrypted("httpsx://a.test"), false);
});

test("under an exception of the user's nothing new is set, and a warning says why", () => {
  const { login } = model({ ...asked(), trusted: false }, "main");
  assert.deepEqual([keys(login), login.canRegister], [["notice_exception"], false]);
  assert.equal(login.notices[0].tone, "warning");
  assert.equal(model({ ...asked(), trusted: false }, "register").page, "main");
  assert.equal(model({ ...proven, trusted: false }, "main").proven.canChange, false);
});

test("a refused login says so to whoever opens the popup later", () => {
  assert.equal(model(asked({ reason: "refused" }), "main").login.refused, true);
});

test("proven: who, where, for what", () => {
  const { title, proven: part, login } = model(proven, "main");
  assert.equal(title.key, "status_proven");
  assert.deepEqual([part.user, part.place, part.scope], ["alice", "Staff", "www.auction.test"]);
  assert.equal(login, null);
});

test("nothing is shown as proven, or asked for, in another state", () => {
  assert.equal(model({ ...asked(), login: alice }, "main").proven, null);
  assert.equal(model({ ...proven, ask: ASK }, "main").login, null);
  assert.equal(model({ ...proven, blocked: BLOCKED }, "main").blocked, null);
  assert.equal(model({ ...proven, login: null }, "main").proven, null);
});

test("an impostor: the site that was asked for, and what it means", () => {
  const shown = model(impostor, "main");
  assert.equal(shown.origin.host, "www.auction.test");
  assert.equal(shown.title.key, "status_impostor");
  assert.equal(shown.blocked.key, "blocked_means_wrong_proof");
  assert.deepEqual([shown.login, shown.proven], [null, null]);
  assert.equal(siteOf(impostor), ORIGIN);
});

test("what was kept back for a fault alone is said to be that, and what it means", () => {
  const shown = model(
    { ...impostor, status: "none", origin: ORIGIN, blocked: { ...BLOCKED, why: "cached" } },
    "main",
  );
  assert.deepEqual([shown.title.key, shown.more.key], ["status_kept", "status_kept_more"]);
  assert.equal(shown.blocked.key, "blocked_means_cached");
  assert.equal(shown.origin.host, "www.auction.test");
});

test("everybody who is logged in: without whom the page is about", () => {
  assert.equal(model(proven, "main").others, null);
  const both = model({ ...proven, logins: [alice, carol] }, "main").others;
  assert.equal(both.heading.key, "logins_heading_others");
  assert.deepEqual(
    both.lines.map(line => [line.user, line.place]),
    [["carol", "Wiki"]],
  );
  assert.equal(both.all, true);
  const away = model({ ...NONE, logins: [alice] }, "main").others;
  assert.equal(away.heading.key, "logins_heading");
  assert.equal(away.lines.length, 1);
  assert.equal(away.all, false);
});

test("a form stays open as long as it has a sense", () => {
  assert.equal(model(asked(), "register").page, "register");
  assert.equal(model(asked({ origin: "http://a.test" }), "register").page, "main");
  assert.equal(model(proven, "register").page, "main");
  assert.equal(model(proven, "change").page, "change");
  assert.equal(model(asked(), "change").page, "main");
  assert.equal(model(NONE, "change").page, "main");
});

test("texts of the server cannot rearrange what is shown", () => {
  const realm = { ...STAFF, name: "Bank\u202emoc.live\u202c\nPassword\u0000:  " };
  const shown = model({ ...proven, login: { realm, user: `a\u200b${"x".repeat(200)}` } }, "main").proven;
  assert.equal(shown.place, "Bank moc.live Password :");
  assert.equal(Array.from(shown.user).length, 80);
  assert.ok(shown.user.endsWith("…"));
  // What is sent back is what the server said.
  assert.equal(shown.realm, realm);
});

test("what is typed is for one question only", () => {
  assert.ok(sameQuestion(asked(), asked({ reason: "refused" })));
  assert.ok(!sameQuestion(asked(), asked({ realm: WIKI })));
  assert.ok(!sameQuestion(asked(), asked({ origin: "https://other.test" })));
  assert.ok(!sameQuestion(asked(), NONE));
  assert.ok(sameQuestion(NONE, impostor));
  assert.ok(same(STAFF, { ...STAFF }));
  for (const part of ["name", "scope", "algorithm"]) assert.ok(!same(STAFF, { ...STAFF, [part]: "x" }), part);
});

test("a login without encryption is said to prove the login alone, but for this very machine", () => {
  const open = origin => model({ ...proven, origin }, "main").proven.open;
  assert.equal(open(ORIGIN), false);
  assert.equal(open("http://www.auction.test"), true);
  for (const origin of ["http://localhost:8080", "http://app.localhost", "http://127.0.0.1:1", "http://[::1]"]) {
    assert.ok(isLoopback(origin), origin);
    assert.equal(open(origin), false, origin);
  }
  for (const origin of ["http://127.0.0.1.evil.test", "http://localhost.evil.test", "http://notlocalhost", ""]) {
    assert.ok(!isLoopback(origin), origin);
  }
});

test("what goes out with what was typed: the site that asks and its realm", () => {
  const origin = "https://login.test";
  assert.deepEqual(placeOf({ ...asked({ origin }), origin: ORIGIN }), { origin, realm: STAFF });
  assert.deepEqual(placeOf(proven), { origin: ORIGIN, realm: STAFF });
  assert.equal(placeOf(NONE), null);
});
