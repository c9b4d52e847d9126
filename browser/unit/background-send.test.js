// What requests carry: a proof where it belongs, and nothing of it anywhere else.
import assert from "node:assert/strict";
import test from "node:test";
import * as fake from "./fake.js";

const { authorization, beforeSend, headersReceived, request } = fake;

function goesToErrorPage(world, got) {
  assert.deepEqual(got, { cancel: true });
  assert.match(world.around.loaded.at(-1)[1], /^moz-extension:\/\/us\/blocked\/blocked.html#/);
}

test("with nobody logged in, nothing is asked and nothing takes time", () => {
  const { world, core } = fake.background();
  assert.deepEqual(beforeSend(world, request()), {});
  assert.deepEqual(headersReceived(world, fake.answer()), {});
  assert.deepEqual(core.calls, []);
});

test("where no login reaches, the same", async () => {
  const { world, core } = await fake.loggedIn();
  const before = core.calls.length;
  assert.deepEqual(beforeSend(world, request({ url: "https://other.test/" })), {});
  assert.deepEqual(beforeSend(world, request({ cookieStoreId: "firefox-container-2" })), {});
  assert.equal(core.calls.length, before);
});

test("a page's own Authorization of our scheme goes, also where nobody is logged in", () => {
  const { world } = fake.background();
  const requestHeaders = [
    { name: "authorization", value: "mutual sid=1" },
    { name: "X", value: "1" },
  ];
  assert.deepEqual(beforeSend(world, request({ requestHeaders })), { requestHeaders: [{ name: "X", value: "1" }] });
});

test("a proof goes to the address that it was made for", async () => {
  const { world, core } = await fake.loggedIn();
  const sent = await beforeSend(world, request());
  assert.equal(authorization(sent), "Mutual proof-1");
  assert.deepEqual(core.calls.find(([name]) => name === "begin").slice(1), [
    "firefox-default",
    "https://site.test",
    "/app",
  ]);
});

test("a redirect to another site takes no proof along, by whichever status", async () => {
  const { world, core } = await fake.loggedIn();
  const sent = await beforeSend(world, request());
  // Firefox copies the headers, and keeps the id.
  const next = beforeSend(world, request({ url: "https://evil.test/", requestHeaders: sent.requestHeaders }));
  assert.equal(authorization(next), null);
  assert.ok(core.dropped.includes(1), "its sequence is over");
});

test("a redirect within the site gets a proof of its own", async () => {
  const { world, core } = await fake.loggedIn({
    begin: [
      { sequence: 1, sends: "vfy" },
      { sequence: 2, sends: "vfy" },
    ],
  });
  const sent = await beforeSend(world, request());
  const next = await beforeSend(world, request({ url: `${fake.URL_}/2`, requestHeaders: sent.requestHeaders }));
  assert.equal(authorization(next), "Mutual proof-2");
  assert.equal(next.requestHeaders.filter(({ name }) => name.toLowerCase() === "authorization").length, 1);
  assert.ok(core.dropped.includes(1));
});

test("a prepared proof is not found under another address with the same id", async () => {
  const { world } = await fake.loggedIn({ receive: [{ is: "continue", next: { sequence: 9, sends: "vfy" } }] });
  await beforeSend(world, request());
  const got = await headersReceived(world, fake.answer({ statusCode: 401, responseHeaders: [fake.MUTUAL] }));
  assert.deepEqual(got, { redirectUrl: fake.URL_ });
  const next = beforeSend(world, request({ url: "https://evil.test/app" }));
  assert.equal(authorization(await next), null);
});

test("other credentials of a script are left alone, and no proof is added", async () => {
  const { world, core } = await fake.loggedIn();
  const requestHeaders = [{ name: "Authorization", value: "Bearer x" }];
  const sent = await beforeSend(world, request({ type: "xmlhttprequest", originUrl: fake.URL_, requestHeaders }));
  assert.equal(authorization(sent), "Bearer x");
  assert.ok(!core.calls.some(([name]) => name === "begin"));
});

test("what the browser remembers of Basic does not keep the proof away", async () => {
  const { world } = await fake.loggedIn();
  const sent = await beforeSend(world, request({ requestHeaders: [{ name: "Authorization", value: "Basic eDp5" }] }));
  assert.equal(authorization(sent), "Mutual proof-1");
});

test("nor for a script, which may not have set it", async () => {
  for (const value of ["Basic eDp5", 'Digest username="x"']) {
    const { world } = await fake.loggedIn();
    const requestHeaders = [{ name: "Authorization", value }];
    const sent = await beforeSend(world, request({ type: "xmlhttprequest", originUrl: fake.URL_, requestHeaders }));
    assert.equal(authorization(sent), "Mutual proof-1", value);
  }
});

test("pages of another port get a proof where the realm was proven there", async () => {
  const part = { type: "image", originUrl: "https://site.test:8443/", documentUrl: "https://site.test:8443/" };
  const { world } = await fake.loggedIn();
  assert.equal(authorization(await beforeSend(world, request(part))), null);
  world.contexts.proven("firefox-default", fake.REALM, "https://site.test:8443");
  assert.equal(authorization(await beforeSend(world, request({ ...part, requestId: "2" }))), "Mutual proof-1");
});

test("an address that is too long to be looked at is not loaded", () => {
  const { world } = fake.background();
  const path = "a".repeat(100_001);
  for (const scheme of ["https", "http", "wss", "ws"]) {
    assert.deepEqual(beforeSend(world, request({ url: `${scheme}://site.test/${path}` })), { cancel: true });
  }
});

test("pages of other sites get no proof: pictures, frames, forms", async () => {
  const { world } = await fake.loggedIn();
  const evil = { originUrl: "https://evil.test/", documentUrl: "https://evil.test/" };
  for (const more of [{ type: "image" }, { type: "sub_frame" }, { type: "xmlhttprequest" }, { method: "POST" }]) {
    const sent = await beforeSend(world, request({ ...evil, ...more }));
    assert.equal(authorization(sent), null, JSON.stringify(more));
  }
  assert.equal(authorization(await beforeSend(world, request(evil))), "Mutual proof-1", "but a link is followed");
});

test("pages do not reach the place for accounts", () => {
  const { world } = fake.background();
  const url = "https://site.test/.well-known/tagai/account/password";
  assert.deepEqual(beforeSend(world, request({ url, method: "POST" })), { cancel: true });
});

test("pages do not pass for this extension", async () => {
  const { world } = await fake.loggedIn();
  const requestHeaders = [{ name: "tagai-own", value: "guess" }];
  const own = { tabId: -1, originUrl: `${fake.PAGE}background/background.html`, requestHeaders };
  assert.deepEqual(await beforeSend(world, request(own)), { cancel: true });
  assert.deepEqual(await headersReceived(world, fake.answer(own)), { cancel: true });
});

test("whatever goes wrong, the request does not go out: an error page, or nothing", async () => {
  for (const script of [
    { begin: [new Error("worker")] },
    { begin: [{ sequence: 1, sends: "kex" }], beginFails: true },
  ]) {
    const { world } = await fake.loggedIn(script);
    world.engine.field = async () => {
      throw new Error("worker");
    };
    const page = await beforeSend(world, request());
    if (script.beginFails) continue;
    goesToErrorPage(world, page);
    assert.deepEqual(await beforeSend(world, request({ type: "image", originUrl: fake.URL_ })), { cancel: true });
  }
});

test("a session that is gone: the exchange first, by a request without cookies, and then the proof", async () => {
  const script = {
    begin: [{ sequence: 1, sends: "kex" }],
    receive: [{ is: "continue", next: { sequence: 2, sends: "vfy" } }],
  };
  const { world, seen } = await fake.loggedIn(script, [{ status: 401 }]);
  const sent = await beforeSend(world, request({ method: "POST", originUrl: fake.URL_ }));
  assert.equal(authorization(sent), "Mutual proof-2");
  const [own] = seen.fetched;
  assert.equal(own.init.method, "POST");
  assert.equal(own.init.body, null);
  assert.equal(own.init.credentials, "omit");
  assert.equal(own.init.redirect, "manual");
  assert.equal(authorization(own.sent), "Mutual proof-1");
  assert.ok(!own.sent.requestHeaders.some(({ name }) => name === "tagai-own"));
});

test("an exchange that nobody answers: a form stays at home, a page goes without a proof and is not shown", async () => {
  const { world } = await fake.loggedIn({ begin: [{ sequence: 1, sends: "kex" }] }, []);
  const form = await beforeSend(world, request({ method: "POST", originUrl: fake.URL_ }));
  assert.deepEqual(form, { cancel: true });
  const page = await beforeSend(world, request());
  assert.equal(authorization(page), null);
  goesToErrorPage(world, await headersReceived(world, fake.answer()));
});

test("an exchange that is answered with a page: not shown", async () => {
  const script = { begin: [{ sequence: 1, sends: "kex" }], receive: [{ is: "unauthenticated", to: "kex" }] };
  const { world } = await fake.loggedIn(script, [{ status: 200, headers: [] }]);
  goesToErrorPage(world, await beforeSend(world, request()));
});

test("of many requests one exchanges keys, and the others wait until it is proven", async () => {
  const script = {
    begin: [{ sequence: 1, sends: "kex" }],
    receive: [{ is: "continue", next: { sequence: 2, sends: "vfy" } }],
  };
  const { world, core, seen } = await fake.loggedIn(script, [{ status: 401 }]);
  const first = beforeSend(world, request({ requestId: "1" }));
  await fake.moment();
  const second = beforeSend(world, request({ requestId: "2", type: "image", originUrl: fake.URL_ }));
  await first;
  let done = false;
  void second.then(() => {
    done = true;
  });
  await fake.moment();
  assert.ok(!done);
  core.script.begin = [{ sequence: 3, sends: "vfy" }];
  core.script.receive = [fake.PROVEN];
  await headersReceived(world, fake.answer({ requestId: "1" }));
  assert.equal(authorization(await second), "Mutual proof-3");
  assert.equal(seen.fetched.length, 1);
});

test("requests that Firefox handed over together do not wait for one another: the others come again", async () => {
  const script = {
    begin: [{ sequence: 1, sends: "kex" }],
    receive: [{ is: "continue", next: { sequence: 2, sends: "vfy" } }],
  };
  const { world } = await fake.loggedIn(script, [{ status: 401 }]);
  const part = { type: "image", originUrl: fake.URL_ };
  const both = [
    beforeSend(world, request({ requestId: "1" })),
    beforeSend(world, request({ requestId: "2", ...part })),
  ];
  const [first, second] = await Promise.all(both);
  assert.equal(authorization(first), "Mutual proof-2");
  assert.deepEqual(second, { redirectUrl: fake.URL_ });
});

test("too many requests at once: those that need a proof are refused", async () => {
  const { world } = await fake.loggedIn();
  world.flights.open = () => null;
  goesToErrorPage(world, await beforeSend(world, request()));
});
