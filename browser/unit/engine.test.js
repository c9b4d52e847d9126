// The engine as the background page has it: the client's side, the worker's side and the real module, without a worker between.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { CredentialError } from "../build/firefox-mv2/engine/api.js";
import { connect } from "../build/firefox-mv2/engine/client.js";
import { serve } from "../build/firefox-mv2/engine/serve.js";
import { Engine as Core, initSync } from "../build/firefox-mv2/engine/tagai_wasm.js";

initSync({ module: readFileSync(new URL("../build/firefox-mv2/engine/tagai_wasm_bg.wasm", import.meta.url)) });

const SITE = "http://example.com";
const CONTEXT = "firefox-default";
const ALGORITHMS = {
  "iso-kam3-ec-p256-sha256": { octets: 33, kc1: /kc1="?([0-9a-f]{66})"?(,|$)/ },
  "iso-kam3-ec-p521-sha512": { octets: 66, kc1: /kc1="?([0-9a-f]{132})"?(,|$)/ },
  "iso-kam3-dl-2048-sha256": { octets: 256, kc1: /kc1="([A-Za-z0-9+/=]{344})"/ },
  "iso-kam3-dl-4096-sha512": { octets: 512, kc1: /kc1="([A-Za-z0-9+/=]{684})"/ },
};
const realm = algorithm => ({ name: "a realm", scope: SITE, algorithm });
const P256 = realm("iso-kam3-ec-p256-sha256");

/** The two ends of a wire, as a worker and its page are: messages are copied, and arrive later. */
function wired(answer) {
  const listeners = { message: [], error: [], messageerror: [] };
  const port = {
    terminated: false,
    sent: [],
    postMessage(message, transfer) {
      const copy = structuredClone(message, { transfer });
      port.sent.push(copy);
      queueMicrotask(() => {
        const reply = answer(copy);
        if (reply !== undefined && !port.terminated) port.emit("message", { data: structuredClone(reply) });
      });
    },
    addEventListener: (type, listener) => listeners[type].push(listener),
    terminate: () => {
      port.terminated = true;
    },
    emit: (type, event) => {
      for (const listener of listeners[type]) listener(event);
    },
  };
  return port;
}

function real(now = () => 1000) {
  const port = wired(serve(new Core(), now));
  return { port, engine: connect(port) };
}

const challenge = algorithm =>
  `Mutual version=1, algorithm=${algorithm}, validation=host, auth-scope="${SITE}", realm="a realm", reason=initial`;
const asks = algorithm => ({ status: 401, fields: [["WWW-Authenticate", challenge(algorithm)]], certificate: null });

async function asked(engine, algorithm) {
  const { sequence, sends } = await engine.begin(CONTEXT, SITE, "/");
  assert.equal(sends, "normal");
  assert.equal(await engine.field(sequence), null);
  return engine.receive(sequence, asks(algorithm));
}

for (const [algorithm, { octets, kc1 }] of Object.entries(ALGORITHMS)) {
  test(`${algorithm}: a login begins with a key exchange, and another key each time`, async () => {
    const { engine } = real();
    const keys = new Set();
    for (let round = 0; round < 2; round += 1) {
      const { ask, ...rest } = await asked(engine, algorithm);
      assert.deepEqual(rest, {
        is: "asked",
        realm: realm(algorithm),
        reason: "initial",
        optional: false,
        username: null,
        present: "non-modal",
      });
      const { sequence, sends } = await engine.supply(ask, "john", "secret");
      assert.equal(sends, "kex");
      const field = await engine.field(sequence);
      assert.match(field, /^Mutual /);
      assert.match(field, /user="?john"?/);
      keys.add(kc1.exec(field)?.[1]);
    }
    assert.equal(keys.size, 2);
    assert.ok(!keys.has(undefined));
    const verifier = await engine.verifier(realm(algorithm), "john", "secret");
    assert.equal(Buffer.from(verifier, "base64").length, octets);
    assert.equal(await engine.verifier(realm(algorithm), "john", "secret"), verifier);
    assert.notEqual(await engine.verifier(realm(algorithm), "john", "Secret"), verifier);
  });
}

test("an exchange ends with a proof, and a server that did not make one is found out", async () => {
  for (const [algorithm, { kc1 }] of Object.entries(ALGORITHMS)) {
    const { engine } = real();
    const key = async () => {
      const { ask } = await asked(engine, algorithm);
      const { sequence } = await engine.supply(ask, "john", "secret");
      return { sequence, value: kc1.exec(await engine.field(sequence))?.[1] };
    };
    // Any element of the group will do: a server that guesses has no better one.
    const [ours, theirs] = [await key(), await key()];
    const answer = `${challenge(algorithm).replace(/, reason=.*/, "")}, sid=abcdef01, ks1="${theirs.value}", nc-max=100, nc-window=64, time=60`;
    const head = { status: 401, fields: [["WWW-Authenticate", answer]], certificate: null };
    const { is, next } = await engine.receive(ours.sequence, head);
    assert.deepEqual([is, next?.sends], ["continue", "vfy"]);
    const bound = await engine.bind(next.sequence, new TextEncoder().encode("body"));
    assert.match(bound, /^[A-Za-z0-9+/]{43}=$|^[A-Za-z0-9+/]{86}==$/);
    const proof = /vkc="?([^",]+)"?/.exec(await engine.field(next.sequence))?.[1];
    // It gives back what it got.
    const yes = {
      status: 200,
      fields: [["Authentication-Info", `version=1, sid=abcdef01, vks="${proof}"`]],
      certificate: null,
    };
    assert.equal((await engine.receive(next.sequence, yes)).why, "wrong-proof");
    assert.deepEqual(await engine.logins(CONTEXT), []);
  }
});

test("text crosses the boundary unharmed, and is prepared", async () => {
  const { engine } = real();
  const composed = await engine.verifier(P256, "ren\u00e9", "p\u00e4ss \u4e92\u3044");
  assert.equal(await engine.verifier(P256, "rene\u0301", "pa\u0308ss\u3000\u4e92\u3044"), composed);
  assert.notEqual(await engine.verifier(P256, "rene", "p\u00e4ss \u4e92\u3044"), composed);
});

test("what cannot be a name or a password is a CredentialError, and the question stays", async () => {
  const { engine } = real();
  const { ask } = await asked(engine, P256.algorithm);
  for (const [user, password] of [
    ["", "secret"],
    ["john", ""],
    ["a\u0007b", "secret"],
    ["john", "a\u0000b"],
  ]) {
    await assert.rejects(engine.supply(ask, user, password), CredentialError);
  }
  assert.equal((await engine.supply(ask, "john", "secret")).sends, "kex");
  await assert.rejects(engine.supply(ask, "john", "secret"), error => !(error instanceof CredentialError));
});

test("a password crosses as octets, which are wiped behind it", async () => {
  const { port, engine } = real();
  const { ask } = await asked(engine, P256.algorithm);
  await engine.supply(ask, "john", "secret");
  const [, , octets] = port.sent.at(-1).args;
  assert.deepEqual([...octets], [0, 0, 0, 0, 0, 0]);
  assert.ok(!JSON.stringify(port.sent).includes("secret"));
});

test("a login that is remembered is expected, listed and forgotten", async () => {
  const { engine } = real();
  await engine.remember(CONTEXT, SITE, P256, "john", "secret");
  const login = { realm: P256, user: "john" };
  assert.deepEqual(await engine.logins(CONTEXT), [login]);
  assert.deepEqual(await engine.expects(CONTEXT, SITE, "/x"), login);
  assert.equal(await engine.expects("firefox-private", SITE, "/x"), null);
  assert.equal(await engine.untilExpiry(CONTEXT), null);
  assert.deepEqual(await engine.expire(CONTEXT), []);
  const { sequence, sends } = await engine.begin(CONTEXT, SITE, "/x");
  assert.equal(sends, "kex");
  await assert.rejects(engine.bind(sequence, new Uint8Array([1])), /proof/);
  await engine.drop(sequence);
  await assert.rejects(engine.field(sequence), /no sequence/);
  const anew = await engine.beginAs(CONTEXT, SITE, "/change", P256, "john", "old");
  assert.equal(anew.sends, "kex");
  assert.equal(await engine.logout(CONTEXT, P256), true);
  assert.equal(await engine.logout(CONTEXT, P256), false);
  await engine.logoutAll(CONTEXT);
});

test("an ordinary answer, and broken ones", async () => {
  const { engine } = real();
  const ordinary = await engine.begin(CONTEXT, SITE, "/");
  const head = { status: 200, fields: [["Content-Type", "text/html"]], certificate: null };
  assert.deepEqual(await engine.receive(ordinary.sequence, head), { is: "unauthenticated", to: "normal" });
  const broken = await engine.begin(CONTEXT, SITE, "/");
  const wrong = { status: 401, fields: [["WWW-Authenticate", "Mutual realm="]], certificate: null };
  const { is, why, detail } = await engine.receive(broken.sequence, wrong);
  assert.deepEqual([is, why], ["fatal", "protocol"]);
  assert.ok(detail.length > 0);
  const tls = await engine.begin(CONTEXT, "https://example.com", "/");
  const garbage = { ...asks(P256.algorithm), certificate: new Uint8Array([1, 2, 3]) };
  assert.equal((await engine.receive(tls.sequence, garbage)).why, "certificate");
});

test("replies come in the order of the calls", async () => {
  const { engine } = real();
  const done = [];
  const call = path => engine.begin(CONTEXT, SITE, path).then(() => done.push(path));
  await Promise.all(["/a", "/b", "/c"].map(call));
  assert.deepEqual(done, ["/a", "/b", "/c"]);
});

test("a call that is none is refused, and the next is answered", async () => {
  const { engine } = real();
  await assert.rejects(engine.begin(CONTEXT, "about:blank", "/"), /origin/);
  await assert.rejects(engine.begin("", SITE, "/"), /context/);
  assert.deepEqual(await engine.logins(CONTEXT), []);
});

test("after a trap nothing is answered any more", async () => {
  const trap = () => {
    throw new WebAssembly.RuntimeError("unreachable");
  };
  const answer = serve({ logins: () => "[]", drop: trap }, () => 0);
  const port = wired(answer);
  const engine = connect(port);
  assert.deepEqual(await engine.logins("x"), []);
  const both = await Promise.allSettled([engine.drop(1), engine.logins("x")]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  assert.ok(port.terminated);
  await assert.rejects(engine.logins("x"), /stopped/);
  assert.equal(port.sent.length, 3, "nothing is asked of what has stopped");
  assert.equal(answer({ id: 9, method: "logins", args: ["x"] }).over, true);
});

for (const event of ["error", "messageerror"]) {
  test(`whoever waits is rejected when the worker fails: ${event}`, async () => {
    const port = wired(() => undefined);
    const engine = connect(port);
    const waiting = engine.logins("x");
    port.emit(event, {});
    await assert.rejects(waiting);
    await assert.rejects(engine.begin("x", SITE, "/"));
    assert.ok(port.terminated);
  });
}
