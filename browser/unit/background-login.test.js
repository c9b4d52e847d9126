// Logging in and out, held answers, accounts, and who is heard.
import assert from "node:assert/strict";
import test from "node:test";
import { bound, changePassword, register } from "../build/js/background/account.js";
import { decline, login } from "../build/js/background/login.js";
import { logout, logoutAll } from "../build/js/background/logout.js";
import { hear } from "../build/js/background/messages.js";
import * as fake from "./fake.js";

const { answer, authorization, beforeSend, header, headersReceived, request } = fake;
const NEXT = { is: "continue", next: { sequence: 9, sends: "vfy" } };
const asks = { statusCode: 401, responseHeaders: [fake.MUTUAL] };
const GONE = { ok: false, failure: "gone" };

/** A tab that shows a page which asks for a login. */
async function asking(script, answers = [{ status: 401 }], of = {}) {
  const made = fake.background({ receive: [fake.ASKED, ...(script.receive ?? [])], ...script.more }, answers);
  made.got = await headersReceived(made.world, answer({ ...asks, ...of }));
  made.world.tabs.committed(7, fake.URL_);
  return made;
}

/** Firefox loads what the tab was told to, and the server answers. */
async function loads({ world, seen }, of) {
  while (seen.loaded.length === 0) await fake.moment();
  const [tab, url] = seen.loaded.shift();
  const next = request({ requestId: "2", tabId: tab, url });
  const sent = await beforeSend(world, next);
  await fake.moment();
  const got = await headersReceived(world, { ...answer(of), ...next, ...of });
  world.tabs.committed(7, url);
  return { sent, got };
}

const PLACE = { origin: "https://site.test", realm: fake.REALM };

test("a page that asks is shown, and the tab says who asks", async () => {
  const { world, got } = await asking({});
  assert.equal(header(got, "www-authenticate"), "Mutual");
  const { status, ask } = world.tabs.view(7, []);
  assert.equal(status, "asked");
  assert.equal(ask.origin, "https://site.test");
  assert.equal(ask.held, false);
  assert.ok(world.tabs.mayOpenPopup(7));
});

test("a login: the exchange, and then the page with the proof, which is made for it alone", async () => {
  const made = await asking({ receive: [NEXT, fake.PROVEN] });
  const outcome = login(made.world, 7, "alice", "secret");
  const { sent, got } = await loads(made, {});
  assert.equal(authorization(sent), "Mutual proof-9");
  assert.equal(header(got, "cache-control"), "no-store");
  assert.deepEqual(await outcome, { ok: true, value: null });
  assert.equal(made.world.tabs.view(7, []).status, "proven");
  assert.deepEqual(made.stored.known, [["https://site.test", "Staff"]]);
  assert.ok(!JSON.stringify([made.seen, made.stored]).includes("secret"));
});

test("the prepared proof is for its own address and tab, once", async () => {
  const made = await asking({ receive: [NEXT, fake.PROVEN] });
  void login(made.world, 7, "alice", "secret");
  while (made.seen.loaded.length === 0) await fake.moment();
  assert.deepEqual(beforeSend(made.world, request({ requestId: "3", url: "https://evil.test/" })), {});
  assert.deepEqual(beforeSend(made.world, request({ requestId: "4", tabId: 8 })), {});
  assert.deepEqual(beforeSend(made.world, request({ requestId: "5", type: "image" })), {});
  assert.equal(authorization(await beforeSend(made.world, request({ requestId: "6" }))), "Mutual proof-9");
  assert.deepEqual(beforeSend(made.world, request({ requestId: "7" })), {});
});

test("a wrong password is said when the page that says so is there", async () => {
  const made = await asking({ receive: [NEXT, { ...fake.ASKED, ask: 51, reason: "refused" }] });
  const outcome = login(made.world, 7, "alice", "wrong");
  await loads(made, asks);
  assert.deepEqual(await outcome, { ok: false, failure: "refused" });
  assert.equal(made.world.tabs.view(7, []).ask.reason, "refused");
});

test("whoever does not prove itself at a login is kept from the tab", async () => {
  const made = await asking({ receive: [NEXT, { is: "unauthenticated", to: "vfy" }] });
  const outcome = login(made.world, 7, "alice", "secret");
  const { got } = await loads(made, {});
  assert.deepEqual(got, { cancel: true });
  assert.match(made.seen.loaded.at(-1)[1], /blocked/);
  assert.deepEqual(await outcome, { ok: false, failure: "impostor" });
});

test("whoever breaks the exchange loses the page that it has shown", async () => {
  const made = await asking({ receive: [{ is: "fatal", why: "protocol", detail: "d" }] });
  assert.deepEqual(await login(made.world, 7, "alice", "secret"), { ok: false, failure: "impostor" });
  assert.match(made.seen.loaded[0][1], /blocked/);
});

test("too many attempts, and no answer at all", async () => {
  const many = await asking({ receive: [{ is: "fatal", why: "no-proof", detail: "d" }] }, [{ status: 429 }]);
  assert.deepEqual(await login(many.world, 7, "alice", "secret"), { ok: false, failure: "wait" });
  assert.deepEqual(many.seen.loaded, []);
  const away = await asking({}, []);
  assert.deepEqual(await login(away.world, 7, "alice", "secret"), { ok: false, failure: "network" });
  assert.equal(away.world.tabs.view(7, []).busy, false);
  assert.equal(away.world.tabs.view(7, []).status, "asked", "the user can try again");
});

test("an unusable name is said, and nothing is sent", async () => {
  const made = await asking({});
  made.core.supply = async () => {
    throw Object.assign(new Error("x"), { name: "CredentialError" });
  };
  assert.deepEqual(await login(made.world, 7, "", ""), { ok: false, failure: "characters" });
  assert.deepEqual(made.seen.fetched, []);
});

test("a login where nothing asks", async () => {
  const { world } = fake.background();
  assert.deepEqual(await login(world, 7, "alice", "secret"), GONE);
});

const form = { method: "POST", originUrl: fake.URL_ };

/** A form whose answer is held. */
async function holding(receive) {
  const made = fake.background({ receive: [fake.ASKED, ...receive] }, [{ status: 401 }]);
  made.held = headersReceived(made.world, answer({ ...asks, ...form }));
  while (made.world.tabs.held(7) === null) await fake.moment();
  return made;
}

test("a form is held, and goes out with the proof", async () => {
  const made = await holding([NEXT, fake.PROVEN]);
  assert.equal(made.world.tabs.view(7, []).ask.held, true);
  const outcome = login(made.world, 7, "alice", "secret");
  assert.deepEqual(await made.held, { redirectUrl: fake.URL_ });
  assert.equal(authorization(await beforeSend(made.world, request(form))), "Mutual proof-9");
  await headersReceived(made.world, answer(form));
  assert.deepEqual(await outcome, { ok: true, value: null });
});

test("a form that is held, declined: the refusal shows, and no proof was sent", async () => {
  const { world, held, seen } = await holding([]);
  assert.deepEqual(decline(world, 7), { ok: true, value: null });
  const got = await held;
  assert.ok(!got.cancel && !got.redirectUrl);
  assert.deepEqual(seen.fetched, []);
  assert.equal(world.tabs.held(7), null);
});

test("a held answer whose tab goes away is shown nowhere", async () => {
  const gone = await holding([]);
  gone.world.tabs.closed(7);
  assert.deepEqual(await gone.held, { cancel: true });
  const left = await holding([]);
  left.world.tabs.failed(7, "1");
  assert.deepEqual(await left.held, { cancel: true });
  const elsewhere = await holding([]);
  elsewhere.world.tabs.committed(7, "https://other.test/");
  assert.deepEqual(await elsewhere.held, { cancel: true });
});

test("an answer that Firefox handed over with others is not held: they would be, too", async () => {
  const { world } = fake.background({ receive: [fake.ASKED, { is: "unauthenticated", to: "normal" }] });
  const both = [
    headersReceived(world, answer({ ...asks, ...form })),
    headersReceived(world, answer({ ...asks, type: "image", requestId: "2", url: "https://other.test/" })),
  ];
  assert.deepEqual(await both[0], { redirectUrl: fake.URL_ });
  await both[1];
  assert.equal(world.tabs.held(7), null);
});

test("see other: to a place of the web, and nowhere else", async () => {
  for (const [seeOther, wanted] of [
    ["/login", "https://site.test/login"],
    ["javascript:alert(1)", undefined],
  ]) {
    const { world } = fake.background({ receive: [{ ...fake.ASKED, present: { seeOther } }] });
    assert.equal((await headersReceived(world, answer(asks))).redirectUrl, wanted);
  }
});

test("parts of a page open no popup; those of other sites are not even offered", async () => {
  for (const [page, status] of [
    ["https://site.test/", "asked"],
    ["https://evil.test/", "none"],
  ]) {
    const { world, seen } = fake.background({ receive: [fake.ASKED] });
    world.tabs.committed(7, page);
    await headersReceived(world, answer({ ...asks, type: "image", originUrl: page }));
    assert.equal(world.tabs.view(7, []).status, status, page);
    assert.deepEqual(seen.popups, []);
  }
});

async function proven(more = {}) {
  const made = await fake.loggedIn({ receive: [fake.PROVEN], ...more }, [{ status: 200 }]);
  await beforeSend(made.world, request());
  await fake.moment();
  await headersReceived(made.world, answer());
  made.world.tabs.committed(7, fake.URL_);
  return made;
}

test("logout: at once, the tab loads again, what is stored goes, and nobody is asked to log in", async () => {
  const { world, seen } = await proven();
  await logout(world, "firefox-default", fake.REALM);
  assert.equal(world.tabs.view(7, []).status, "none");
  assert.deepEqual(seen.reloaded, [7]);
  assert.ok(seen.cleared.includes("site.test"));
  assert.deepEqual(world.contexts.logins("firefox-default"), []);
  world.tabs.judge(7, "9", fake.URL_, { is: "asked", asked: { offer: true } });
  world.tabs.committed(7, fake.URL_);
  assert.ok(!world.tabs.mayOpenPopup(7));
});

test("logout: an answer that was proven before and is shown after it is nothing", async () => {
  const { world } = await proven();
  world.tabs.judge(7, "9", `${fake.URL_}/2`, {
    is: "proven",
    login: fake.ALICE,
    method: "GET",
    atLogout: "reload-if-get",
  });
  await logoutAll(world, "firefox-default");
  world.tabs.committed(7, `${fake.URL_}/2`);
  assert.equal(world.tabs.view(7, []).status, "none");
});

test("logout in one container leaves the tabs of another", async () => {
  const { world, seen } = await proven();
  await logout(world, "firefox-container-1", fake.REALM);
  assert.deepEqual(seen.reloaded, []);
  assert.equal(world.tabs.view(7, []).status, "proven");
});

test("only our own pages are heard, each with its own words", async () => {
  const { world } = await proven();
  const say = (message, url, more = {}) => hear(world, message, { id: "us", url, ...more }, "us");
  const view = { kind: "view", tab: 7 };
  assert.equal((await say(view, `${fake.PAGE}popup/popup.html`)).value.status, "proven");
  assert.equal(await hear(world, view, { id: "other", url: `${fake.PAGE}popup/popup.html` }, "us"), undefined);
  assert.equal(await say(view, "https://evil.test/popup/"), undefined);
  assert.equal(await say(view, `${fake.PAGE}blocked/blocked.html`), undefined);
  assert.equal(await say(view, undefined), undefined);
  for (const broken of [
    null,
    1,
    {},
    { kind: "view" },
    { kind: "toString", tab: 7 },
    { kind: "login", tab: 7, user: "a" },
    { kind: "login", tab: 7, user: "a", password: "p" },
    { kind: "login", tab: 7, user: "a", password: "p", place: { origin: "https://site.test" } },
    { kind: "register", tab: 7, user: "a", password: "p", invitation: "i", place: { realm: fake.REALM } },
  ])
    assert.equal(await say(broken, `${fake.PAGE}popup/popup.html`), undefined);
});

test("an error page speaks for its own tab alone", async () => {
  const { world, seen } = fake.background();
  const id = world.blocked.add(request(), "no-proof", "d", null).split("#")[1];
  const from = tab => ({ id: "us", url: `${fake.PAGE}blocked/blocked.html#${id}`, tab: { id: tab }, frameId: 0 });
  assert.deepEqual(await hear(world, { kind: "retry", id }, from(8), "us"), GONE);
  assert.deepEqual(await hear(world, { kind: "retry", id: "x" }, from(7), "us"), GONE);
  assert.deepEqual(seen.loaded, []);
  assert.equal((await hear(world, { kind: "blocked", id }, from(7), "us")).value.why, "no-proof");
  await hear(world, { kind: "retry", id }, from(7), "us");
  assert.deepEqual(seen.loaded, [[7, fake.URL_, false]]);
});

test("what was typed for one place goes to no other: a page that was swapped meanwhile gets nothing", async () => {
  const popup = { id: "us", url: `${fake.PAGE}popup/popup.html` };
  const typed = { tab: 7, user: "new", password: "secret", old: "old", invitation: "CODE" };
  for (const place of [
    { ...PLACE, origin: "https://site.test:8443" },
    { ...PLACE, realm: { ...fake.REALM, name: "Other" } },
    { ...PLACE, realm: { ...fake.REALM, scope: "*.test" } },
    { ...PLACE, realm: { ...fake.REALM, algorithm: "b" } },
  ]) {
    for (const [kind, made] of [
      ["login", await asking({})],
      ["register", await asking({})],
      ["changePassword", await proven()],
    ]) {
      assert.deepEqual(await hear(made.world, { kind, place, ...typed }, popup, "us"), GONE, kind);
      assert.deepEqual(made.seen.fetched, []);
      assert.ok(!made.core.calls.some(([name]) => ["supply", "verifier", "beginAs"].includes(name)));
    }
  }
});

test("a registration that ends after a logout, or after its window, logs nobody in", async () => {
  const popup = { id: "us", url: `${fake.PAGE}popup/popup.html` };
  for (const meanwhile of [
    ({ world }) => hear(world, { kind: "logoutAll", tab: 8 }, popup, "us"),
    ({ world }) => hear(world, { kind: "logout", tab: 8, realm: fake.REALM }, popup, "us"),
    ({ around }) => {
      around.tab = async () => {
        throw new Error("closed");
      };
    },
  ]) {
    const made = await asking({}, [{ status: 204 }]);
    const { fetch } = made.around;
    made.around.fetch = async (...args) => {
      await meanwhile(made);
      return await fetch(...args);
    };
    assert.deepEqual(await register(made.world, 7, PLACE, "new", "secret", "CODE"), { ok: true, value: null });
    assert.ok(!made.core.calls.some(([name]) => name === "remember"));
  }
});

test("over http neither J nor an invitation leaves the browser", async () => {
  const url = "http://site.test/app";
  const { world, seen, core } = fake.background({ receive: [fake.ASKED] }, [{ status: 204 }]);
  await headersReceived(world, answer({ ...asks, url }));
  world.tabs.committed(7, url);
  assert.deepEqual(await register(world, 7, { ...PLACE, origin: "http://site.test" }, "new", "secret", "CODE"), {
    ok: false,
    failure: "insecure",
  });
  assert.deepEqual(seen.fetched, []);
  assert.ok(!core.calls.some(([name]) => name === "verifier"));
});

test("nor do they over a certificate that Firefox takes as an exception alone", async () => {
  const asked = await asking({ more: { trusted: [false] } });
  assert.equal(asked.world.tabs.view(7, []).trusted, false);
  assert.deepEqual(await register(asked.world, 7, PLACE, "new", "secret", "CODE"), {
    ok: false,
    failure: "insecure",
  });
  assert.deepEqual(asked.seen.fetched, []);
  const shown = await proven({ trusted: [false] });
  assert.equal(shown.world.tabs.view(7, []).trusted, false);
  assert.deepEqual(await changePassword(shown.world, 7, PLACE, "old", "new"), { ok: false, failure: "insecure" });
  assert.deepEqual(shown.seen.fetched, []);
});

test("a change of password goes no further if the key exchange meets such a certificate", async () => {
  const made = await proven({ trusted: [true, false] });
  assert.equal(made.world.tabs.view(7, []).trusted, true);
  made.core.script.receive = [NEXT];
  assert.deepEqual(await changePassword(made.world, 7, PLACE, "old", "new"), { ok: false, failure: "insecure" });
  assert.equal(made.seen.fetched.length, 1);
  assert.equal(made.seen.fetched[0].init.body, null);
  assert.ok(made.core.dropped.includes(NEXT.next.sequence));
});

test("registration: J and the code, never the password; and what the endpoint says", async () => {
  for (const [status, body, wanted] of [
    [204, "", { ok: true, value: null }],
    [403, '{"error":"invitation"}', { ok: false, failure: "invitation" }],
    [429, '{"error":"wait"}', { ok: false, failure: "wait" }],
    [404, "", { ok: false, failure: "no-registration" }],
    [500, "<html>", { ok: false, failure: "internal" }],
  ]) {
    const made = await asking({}, [{ status, body }]);
    assert.deepEqual(await register(made.world, 7, PLACE, "new", "secret", "CODE"), wanted, String(status));
    assert.ok(!JSON.stringify(made.seen).includes("secret"));
    assert.equal(JSON.parse(made.seen.fetched[0].init.body).verifier, btoa("J"));
    assert.equal(
      made.core.calls.some(([name]) => name === "remember"),
      status === 204,
    );
  }
});

test("a change of password is believed only if it is proven", async () => {
  for (const [receive, wanted] of [
    [[NEXT, fake.PROVEN], { ok: true, value: null }],
    [[NEXT, { is: "unauthenticated", to: "vfy" }], { ok: false, failure: "impostor" }],
    [[NEXT, { ...fake.ASKED, reason: "refused" }], { ok: false, failure: "refused" }],
  ]) {
    const made = await proven();
    made.core.script.receive = [...receive];
    const outcome = await changePassword(made.world, 7, PLACE, "old", "new");
    const expected = wanted.ok ? { ok: false, failure: "internal" } : wanted;
    assert.deepEqual(outcome, expected, "200 in the place of 204 is no success either");
    assert.ok(!made.core.calls.some(([name]) => name === "remember"));
  }
});

test("what binds the change to its request: the purpose, a NUL, and J as octets", () => {
  assert.deepEqual(
    [...bound(btoa("\u0000\u00ff"))],
    [...new TextEncoder().encode("tagai change of password"), 0, 0, 255],
  );
});
