// What nobody has proven and is shown all the same, what is left from before a login or after a logout, and redirects.
import assert from "node:assert/strict";
import test from "node:test";
import { whenReceived, whenSent } from "../build/js/background/listener.js";
import { login } from "../build/js/background/login.js";
import { logout } from "../build/js/background/logout.js";
import * as fake from "./fake.js";

const { answer, beforeSend, header, headersReceived, request } = fake;
const SANDBOX = /^sandbox (?!.*(allow-same-origin|allow-popups))/;
const refusal = { statusCode: 401, responseHeaders: [fake.MUTUAL] };
const foreign = { originUrl: "https://evil.test/" };

/** A request while somebody is logged in, and what becomes of its answer. */
async function answered(received, of, more) {
  const made = await fake.loggedIn({ receive: [received] });
  await beforeSend(made.world, request(of));
  await fake.moment();
  const got = await headersReceived(made.world, answer({ ...of, ...more }));
  return { ...made, got };
}

test("an answer that asks for a login in the place of a proof: a page without an origin, and nothing else", async () => {
  const page = await answered(fake.ASKED, {}, refusal);
  assert.match(header(page.got, "content-security-policy"), SANDBOX);
  assert.equal(header(page.got, "cache-control"), "no-store");
  for (const type of ["image", "script", "xmlhttprequest", "stylesheet", "object"]) {
    const part = await answered(fake.ASKED, { type, originUrl: fake.URL_ }, refusal);
    assert.deepEqual(part.got, { cancel: true }, type);
  }
  const frame = await answered(fake.ASKED, { type: "sub_frame", originUrl: fake.URL_ }, refusal);
  assert.match(frame.got.redirectUrl, /blocked/);
});

test("an offer to log in: an ordinary page for a guest, and one without an origin while somebody is logged in", async () => {
  const optional = { ...fake.ASKED, optional: true };
  const offer = { responseHeaders: [{ name: "Optional-WWW-Authenticate", value: "Mutual a=1" }] };
  const { world } = fake.background({ receive: [optional] });
  const guest = await headersReceived(world, answer(offer));
  assert.equal(header(guest, "content-security-policy"), null);
  const { got } = await answered(optional, {}, offer);
  assert.match(header(got, "content-security-policy"), SANDBOX);
});

test("a refusal is a page without an origin for a guest, too", async () => {
  const { world } = fake.background({ receive: [fake.ASKED] });
  const responseHeaders = [fake.MUTUAL, { name: "Content-Security-Policy", value: "sandbox allow-same-origin" }];
  const got = await headersReceived(world, answer({ statusCode: 401, responseHeaders }));
  const policies = got.responseHeaders.filter(({ name }) => name === "Content-Security-Policy");
  assert.equal(policies.length, 2, "the site's own stays: both hold");
  assert.match(policies.at(-1).value, SANDBOX);
});

test("a stranger's documents are of no origin; other answers are as they are", async () => {
  for (const type of ["main_frame", "sub_frame", "object"]) {
    const of = { type, method: type === "main_frame" ? "POST" : "GET", ...foreign };
    const { got, world } = await answered(fake.PROVEN, of, {});
    assert.match(header(got, "content-security-policy"), SANDBOX, type);
    world.tabs.committed(7, fake.URL_);
    assert.equal(world.tabs.view(7, []).status, "none");
  }
  const { got } = await answered(fake.PROVEN, { type: "image", ...foreign }, { fromCache: true });
  assert.deepEqual(got, {});
});

test("strangers are as many as they want: they take no place from those that need a proof", async () => {
  const { world } = await fake.loggedIn();
  for (let n = 0; n < 50; n++) await beforeSend(world, request({ requestId: `s${n}`, type: "image", ...foreign }));
  assert.equal(world.flights.size, 0);
});

test("a form that was under way when somebody logged in is shown without an origin; a script's request fails", async () => {
  const { world } = await fake.loggedIn();
  const of = { method: "POST", originUrl: fake.URL_ };
  const form = await headersReceived(world, answer(of));
  assert.match(header(form, "content-security-policy"), SANDBOX);
  const script = await headersReceived(world, answer({ ...of, type: "xmlhttprequest", requestId: "2" }));
  assert.deepEqual(script, { cancel: true });
});

test("an address that cannot be looked at: no answer from it", async () => {
  const { world } = fake.background();
  const url = `https://site.test/${"a".repeat(100_001)}`;
  assert.deepEqual(await headersReceived(world, answer({ url })), { cancel: true });
});

test("redirects: none beyond those that Firefox follows, neither of a page nor of a frame", async () => {
  for (const [type, originUrl] of [
    ["main_frame", undefined],
    ["sub_frame", fake.URL_],
  ]) {
    const { world, seen } = await fake.loggedIn({ receive: [{ is: "unauthenticated", to: "vfy" }] });
    const of = { type, originUrl };
    for (let n = 0; n < 17; n++) await whenSent(world, request({ ...of, url: `https://evil.test/${n}` }));
    await whenSent(world, request(of));
    assert.deepEqual(await whenReceived(world, answer(of)), { cancel: true }, type);
    assert.equal(seen.loaded.length, type === "main_frame" ? 1 : 0);
  }
});

test("redirects: a request that is to be made again too late is kept back; they are counted by what Firefox says, too", async () => {
  const script = { receive: [{ is: "continue", next: { sequence: 9, sends: "vfy" } }] };
  for (const [times, wanted] of [
    [15, { redirectUrl: fake.URL_ }],
    [16, { cancel: true }],
  ]) {
    const { world } = await fake.loggedIn(script);
    for (let n = 0; n < times; n++) world.redirects.redirected("1");
    await whenSent(world, request());
    assert.deepEqual(await whenReceived(world, answer(refusal)), wanted);
    world.redirects.end("1");
    assert.ok(world.redirects.may("1"));
  }
});

test("a frame whose answer sets cookies is not redirected: Firefox would keep them", async () => {
  const of = { type: "sub_frame", originUrl: fake.URL_ };
  const responseHeaders = [{ name: "set-cookie", value: "a=1" }];
  const { got } = await answered({ is: "unauthenticated", to: "vfy" }, of, { responseHeaders });
  assert.deepEqual(got, { cancel: true });
});

test("an error page takes the place of what would be kept back again, and of another error page; not of a page before", async () => {
  const { world, seen } = await fake.loggedIn({ receive: [{ is: "unauthenticated", to: "vfy" }] });
  const replaces = async () => {
    await beforeSend(world, request());
    await headersReceived(world, answer());
    const [, url, replace] = seen.loaded.at(-1);
    world.tabs.committed(7, url);
    return replace;
  };
  world.tabs.committed(7, "https://site.test/before");
  assert.equal(await replaces(), false);
  assert.equal(await replaces(), true);
  world.tabs.committed(7, fake.URL_);
  assert.equal(await replaces(), true);
});

const documents = [
  { tab: 7, urls: ["https://site.test/old"] },
  { tab: 8, urls: ["https://site.test/guest#here"] },
  { tab: 9, urls: ["https://evil.test/", "blob:https://site.test/1"] },
  { tab: 10, urls: ["https://evil.test/", "about:blank"] },
  { tab: 11, urls: ["about:blank"] },
];

test("before the first proof of a server: documents of the realm leave, and service workers; then they are loaded again", async () => {
  const { world, seen } = await fake.loggedIn({ receive: [fake.PROVEN], documents });
  await beforeSend(world, request());
  await fake.moment();
  await headersReceived(world, answer());
  assert.deepEqual(seen.blanked, [8, 9, 11], "not the tab that is about to show the proven page");
  assert.deepEqual(seen.workers, ["site.test"]);
  assert.deepEqual(seen.loaded, [
    [8, "https://site.test/guest", true],
    [9, "https://evil.test/", true],
  ]);
  await beforeSend(world, request({ requestId: "2" }));
  await headersReceived(world, answer({ requestId: "2" }));
  assert.equal(seen.blanked.length, 3, "once for each server");
});

test("each server of a realm is cleared at its own first proof", async () => {
  const wide = { ...fake.ALICE, realm: { ...fake.REALM, scope: "*.site.test" } };
  const { world, seen } = await fake.loggedIn({ loggedIn: [wide], receive: [{ ...fake.PROVEN, login: wide }] });
  for (const [requestId, url] of [
    ["1", "https://a.site.test/"],
    ["2", "https://b.site.test/"],
    ["3", "https://b.site.test/2"],
  ]) {
    await beforeSend(world, request({ requestId, url }));
    await headersReceived(world, answer({ requestId, url }));
  }
  assert.deepEqual(seen.workers, ["a.site.test", "b.site.test"]);
});

test("pages that are proven, or of no origin, stay where they are", async () => {
  const { world, seen } = await fake.loggedIn({ receive: [fake.PROVEN], documents });
  world.tabs.judge(8, "8", "https://site.test/guest", { is: "proven", login: fake.ALICE });
  world.tabs.committed(8, "https://site.test/guest");
  world.tabs.judge(9, "9", "https://site.test/x", { is: "asked", asked: { page: true, head: { status: 401 } } });
  world.tabs.committed(9, "https://site.test/x");
  await beforeSend(world, request());
  await headersReceived(world, answer());
  assert.deepEqual(seen.blanked, [11]);
});

test("a logout while a proven answer is under way: it is not shown, and asked for again without a login", async () => {
  for (const [method, wanted] of [
    ["GET", { redirectUrl: fake.URL_ }],
    ["POST", { cancel: true }],
  ]) {
    const { world, core } = await fake.loggedIn();
    const of = { method, originUrl: fake.URL_ };
    await beforeSend(world, request(of));
    core.receive = async () => {
      await logout(world, "firefox-default", fake.REALM);
      return fake.PROVEN;
    };
    assert.deepEqual(await headersReceived(world, answer(of)), wanted);
    world.tabs.committed(7, fake.URL_);
    assert.equal(world.tabs.view(7, []).status, "none");
  }
});

test("a logout between judgement and display: the tab asks for the page anew; so do pages around a frame of the realm", async () => {
  const around = [{ tab: 9, urls: ["https://evil.test/", "https://site.test/frame"] }];
  const { world, seen } = await fake.loggedIn({ receive: [fake.PROVEN], documents: around });
  await beforeSend(world, request());
  await headersReceived(world, answer());
  seen.loaded.length = 0;
  await logout(world, "firefox-default", fake.REALM);
  assert.deepEqual(seen.loaded, [[7, fake.URL_, false]]);
  assert.deepEqual(seen.reloaded, [9]);
});

test("Back shows what Firefox has kept: a judgement whose answer is over is not of it", async t => {
  const { world } = await fake.loggedIn({ receive: [fake.PROVEN] });
  const loads = async requestId => {
    await beforeSend(world, request({ requestId }));
    await headersReceived(world, answer({ requestId }));
  };
  await loads("1");
  t.mock.timers.enable({ apis: ["setTimeout"] });
  world.tabs.finished(7, "1");
  t.mock.timers.tick(600);
  assert.equal(world.tabs.committed(7, fake.URL_, true), null);
  assert.equal(world.tabs.view(7, []).status, "none");
  await loads("2");
  world.tabs.finished(7, "2");
  world.tabs.committed(7, fake.URL_, true);
  assert.equal(world.tabs.view(7, []).status, "proven", "it was asked for again");
});

test("files, and answers without content, are not what the tab shows", async () => {
  const file = [{ name: "Content-Disposition", value: "Attachment; filename=a" }];
  for (const more of [{ responseHeaders: file }, { statusCode: 204 }, { statusCode: 205 }]) {
    const { world } = await answered(fake.PROVEN, {}, more);
    world.tabs.committed(7, fake.URL_);
    assert.equal(world.tabs.view(7, []).status, "none");
  }
});

test("the prepared proof is for the tab's own loading, and for no form or window of a page", async () => {
  const next = { is: "continue", next: { sequence: 9, sends: "vfy" } };
  const { world, seen } = fake.background({ receive: [fake.ASKED, next, fake.PROVEN] }, [{ status: 401 }]);
  await headersReceived(world, answer(refusal));
  world.tabs.committed(7, fake.URL_);
  const outcome = login(world, 7, "alice", "secret");
  while (seen.loaded.length === 0) await fake.moment();
  for (const of of [{ method: "POST", ...foreign }, { method: "POST" }, foreign]) {
    assert.equal(fake.authorization(await beforeSend(world, request({ requestId: "2", ...of }))), null);
  }
  const own = { requestId: "3", originUrl: `${fake.PAGE}background/background.html` };
  assert.equal(fake.authorization(await beforeSend(world, request(own))), "Mutual proof-9");
  await headersReceived(world, answer(own));
  assert.deepEqual(await outcome, { ok: true, value: null });
});
