// What becomes of answers: each trap, and each way in which something is let through by mistake.
import assert from "node:assert/strict";
import test from "node:test";
import * as fake from "./fake.js";

const { answer, beforeSend, header, headersReceived, request } = fake;
const BLOCKED = /^moz-extension:\/\/us\/blocked\/blocked.html#/;
const kept = got => {
  assert.match(got.redirectUrl, BLOCKED);
  return got.redirectUrl;
};

/** A request that carries a proof, and its answer as the core judges it. */
async function judged(received, more = {}, of = {}) {
  const made = await fake.loggedIn({ receive: [received] });
  await beforeSend(made.world, request(of));
  await fake.moment();
  const got = await headersReceived(made.world, answer({ ...of, ...more }));
  return { ...made, got };
}

/** Why the tab's error page says that an answer was kept back. Firefox is not asked for a redirect, which it may not make. */
function why(world, got) {
  assert.deepEqual(got, { cancel: true });
  const [tab, url] = world.around.loaded.at(-1);
  assert.equal(tab, 7);
  assert.match(url, BLOCKED);
  world.tabs.committed(7, url);
  return world.tabs.view(7, []).blocked?.why;
}

test("a proven answer passes, stored nowhere; the tab is proven when it is shown and not before", async () => {
  const { world, got } = await judged(fake.PROVEN, {
    responseHeaders: [{ name: "Cache-Control", value: "max-age=9" }],
  });
  assert.equal(header(got, "cache-control"), "no-store");
  assert.equal(world.tabs.view(7, []).status, "none");
  world.tabs.committed(7, fake.URL_);
  assert.deepEqual(world.tabs.view(7, []).login, fake.ALICE);
});

test("the tab is not proven by an answer for another address, nor for good", async () => {
  const { world } = await judged(fake.PROVEN);
  world.tabs.committed(7, "https://evil.test/");
  assert.equal(world.tabs.view(7, []).status, "none");
  world.tabs.committed(7, fake.URL_);
  assert.equal(world.tabs.view(7, []).status, "proven");
  world.tabs.committed(7, fake.URL_);
  assert.equal(world.tabs.view(7, []).status, "none", "from Firefox's memory of pages: nobody has judged it");
});

test("two answers of one address at once: no more is shown than holds for both", async () => {
  const { world } = await judged(fake.PROVEN);
  world.tabs.judge(7, "other", fake.URL_, { is: "none" });
  world.tabs.committed(7, fake.URL_);
  assert.equal(world.tabs.view(7, []).status, "none");
});

for (const of of ["wrong-proof", "no-proof", "certificate", "scope"]) {
  test(`${of}: the page is kept back, and the tab says who may be behind it`, async () => {
    const { world, got } = await judged({ is: "fatal", why: of, detail: "d" });
    assert.equal(why(world, got), of);
    assert.equal(world.tabs.view(7, []).status, "impostor");
  });
}

test("a broken protocol is kept back, and the button says so as the page does", async () => {
  const { world, got } = await judged({ is: "fatal", why: "protocol", detail: "d" });
  assert.equal(why(world, got), "protocol");
  assert.equal(world.tabs.view(7, []).status, "impostor");
});

test("no proof where one was due", async () => {
  const { world, got } = await judged({ is: "unauthenticated", to: "vfy" });
  assert.equal(why(world, got), "no-proof");
});

test("parts of pages are not redirected to an error page: they fail", async () => {
  for (const type of ["image", "script", "xmlhttprequest", "websocket", "font", "other"]) {
    const of = { type, originUrl: fake.URL_, documentUrl: fake.URL_ };
    const { got } = await judged({ is: "unauthenticated", to: "vfy" }, {}, of);
    assert.deepEqual(got, { cancel: true }, type);
  }
  const frame = await judged({ is: "unauthenticated", to: "vfy" }, {}, { type: "sub_frame", originUrl: fake.URL_ });
  kept(frame.got);
});

test("trap 1: a listener never throws or rejects: the answer is kept back", async () => {
  for (const broken of ["receive", "logins"]) {
    const { world, core } = await fake.loggedIn({ receive: [fake.PROVEN] });
    await beforeSend(world, request());
    core[broken] = async () => {
      throw new Error("worker");
    };
    assert.equal(why(world, await headersReceived(world, answer())), "internal", broken);
  }
});

test("trap 1: without the certificate nothing is judged", async () => {
  const { world, core, around } = await fake.loggedIn({ receive: [fake.PROVEN] });
  around.certificate = async () => {
    throw new Error("no certificate");
  };
  await beforeSend(world, request());
  assert.equal(why(world, await headersReceived(world, answer())), "internal");
  assert.ok(!core.calls.some(([name]) => name === "receive"));
});

test("the core gets the certificate of https, and none of http", async () => {
  for (const [url, certificate] of [
    [fake.URL_, new Uint8Array([1, 2, 3])],
    ["http://site.test/app", null],
  ]) {
    const { core } = await judged(fake.PROVEN, {}, { url });
    assert.deepEqual(core.calls.find(([name]) => name === "receive")[2].certificate, certificate);
  }
});

test("trap 2: an answer is judged by what was sent to its own address", async () => {
  const { world, core } = await fake.loggedIn({ receive: [fake.PROVEN] });
  await beforeSend(world, request());
  const got = headersReceived(world, answer({ url: "https://evil.test/app" }));
  assert.deepEqual(got, {}, "it is none of ours");
  assert.ok(!core.calls.some(([name]) => name === "receive"));
});

test("trap 3: a copy from the cache: what is stored goes, and the request is made again; then it is refused", async () => {
  const { world, seen, core } = await fake.loggedIn({ receive: [fake.PROVEN] });
  await beforeSend(world, request());
  const got = await headersReceived(world, answer({ fromCache: true }));
  assert.deepEqual(got, { redirectUrl: fake.URL_ });
  assert.deepEqual(seen.cleared, ["site.test"]);
  await beforeSend(world, request());
  assert.equal(why(world, await headersReceived(world, answer({ fromCache: true }))), "cached");
  assert.ok(!core.calls.some(([name]) => name === "receive"));
});

test("trap 3: a 304 speaks for a copy of which nobody knows who made it", async () => {
  const { got } = await judged(fake.PROVEN, { statusCode: 304 });
  assert.deepEqual(got, { redirectUrl: fake.URL_ });
});

test("a 304 that a page's script has asked for is its own", async () => {
  const requestHeaders = [{ name: "If-None-Match", value: '"1"' }];
  const of = { type: "xmlhttprequest", originUrl: fake.URL_, requestHeaders };
  const { got } = await judged(fake.PROVEN, { statusCode: 304 }, of);
  assert.equal(header(got, "cache-control"), "no-store");
});

test("a copy that Firefox cannot ask for again is refused: it would show it", async () => {
  const { world } = await fake.loggedIn();
  const script = { type: "script", originUrl: fake.URL_, tabId: -1 };
  await beforeSend(world, request(script));
  assert.deepEqual(await headersReceived(world, answer({ ...script, fromCache: true })), { cancel: true });
});

test("trap 4: Basic beside Mutual: Firefox sees Mutual alone", async () => {
  const { world } = fake.background({ receive: [fake.ASKED] });
  for (const value of ['Mutual realm="Staff"\nBasic realm="x"', 'Basic realm="x"\nMutual realm="Staff"']) {
    const responseHeaders = [{ name: "www-authenticate", value }];
    const got = await headersReceived(world, answer({ statusCode: 401, responseHeaders, requestId: value }));
    assert.equal(header(got, "www-authenticate"), "Mutual");
  }
});

test("trap 4: also where the request is a stranger's", async () => {
  const { world } = await fake.loggedIn();
  const of = { type: "image", originUrl: "https://evil.test/" };
  await beforeSend(world, request(of));
  const responseHeaders = [{ name: "WWW-Authenticate", value: "Basic\nMutual a=1" }];
  const got = await headersReceived(world, answer({ ...of, statusCode: 401, responseHeaders }));
  assert.equal(header(got, "www-authenticate"), "Mutual");
});

test("every line that came joined in one value reaches the core as one of its own", async () => {
  const { world, core } = fake.background({ receive: [{ is: "fatal", why: "protocol", detail: "two" }] });
  const responseHeaders = [{ name: "WWW-Authenticate", value: "Mutual a=1\nMutual a=2" }];
  const got = await headersReceived(world, answer({ statusCode: 401, responseHeaders }));
  assert.equal(why(world, got), "protocol");
  assert.equal(core.calls.find(([name]) => name === "receive")[2].fields.length, 2);
});

test("Basic where Mutual was proven before is a downgrade; elsewhere it is Firefox's business", async () => {
  const { world } = fake.background({ stored: { known: [["https://site.test", "Staff"]] } });
  const responseHeaders = [{ name: "WWW-Authenticate", value: 'Basic realm="Mutual"' }];
  const of = { statusCode: 401, responseHeaders };
  assert.equal(why(world, await headersReceived(world, answer(of))), "downgrade");
  const image = answer({ ...of, type: "image", requestId: "2" });
  assert.deepEqual(await headersReceived(world, image), { cancel: true });
  const { world: other } = fake.background();
  const got = await headersReceived(other, answer({ ...of, url: "https://other.test/" }));
  assert.equal(
    header(got, "www-authenticate") ?? undefined,
    got.responseHeaders ? 'Basic realm="Mutual"' : undefined,
  );
  assert.ok(!got.cancel && !got.redirectUrl);
});

test("private windows leave nothing in what is stored, and are known until the last is closed", async () => {
  const { world, stored } = fake.background();
  world.known.add("firefox-private", "https://site.test", "Staff");
  assert.ok(await world.known.has("https://site.test"));
  world.known.forgetPrivate();
  assert.ok(!(await world.known.has("https://site.test")));
  assert.deepEqual(stored, {});
});

test("a server that asks without end: the request comes to an end", async () => {
  const { world } = await fake.loggedIn({ receive: [{ is: "continue", next: { sequence: 9, sends: "vfy" } }] });
  const got = [];
  for (let round = 0; round < 10; round++) {
    await beforeSend(world, request());
    got.push(await headersReceived(world, answer({ statusCode: 401 })));
  }
  assert.equal(got.filter(({ redirectUrl }) => redirectUrl === fake.URL_).length, 6);
  assert.equal(why(world, got[6]), "protocol");
});

test("what the server carried out already is not sent again", async () => {
  const { world } = await fake.loggedIn({
    begin: [{ sequence: 1, sends: "normal" }],
    receive: [{ is: "continue", next: { sequence: 9, sends: "vfy" } }],
  });
  const of = { method: "POST", originUrl: fake.URL_ };
  await beforeSend(world, request(of));
  const responseHeaders = [{ name: "Optional-WWW-Authenticate", value: "Mutual a=1" }];
  const got = await headersReceived(world, answer({ ...of, responseHeaders }));
  assert.ok(!got.redirectUrl && !got.cancel);
  world.tabs.committed(7, fake.URL_);
  assert.equal(world.tabs.view(7, []).status, "none");
});

test("an answer to a request from before the login is asked for again, if it may be", async () => {
  const { world } = await fake.loggedIn();
  assert.deepEqual(await headersReceived(world, answer()), { redirectUrl: fake.URL_ });
  const socket = {
    requestId: "2",
    type: "websocket",
    url: "wss://site.test/",
    originUrl: fake.URL_,
    statusCode: 101,
  };
  assert.deepEqual(await headersReceived(world, answer(socket)), { cancel: true });
});

test("a request whose browser has given up is not let through by a late judgement", async () => {
  const { world, core } = await fake.loggedIn();
  await beforeSend(world, request());
  let say;
  core.receive = () =>
    new Promise(resolve => {
      say = resolve;
    });
  const got = headersReceived(world, answer());
  await fake.moment();
  world.flights.end("1");
  say(fake.PROVEN);
  assert.deepEqual(await got, { cancel: true });
});
