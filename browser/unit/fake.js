// A browser and a protocol core that do what a test says, for the background page.
import { headersReceived } from "../build/js/background/receive.js";
import { beforeSend } from "../build/js/background/send.js";
import { makeWorld } from "../build/js/background/world.js";

export const REALM = { name: "Staff", scope: "site.test", algorithm: "a" };
export const ALICE = { realm: REALM, user: "alice" };
export const PAGE = "moz-extension://us/";
export const MUTUAL = { name: "WWW-Authenticate", value: 'Mutual realm="Staff"' };
export const URL_ = "https://site.test/app";

/** What the core is made to say: lists by method, taken one after the other; the last stays. */
export function engine(script = {}) {
  const calls = [];
  const dropped = [];
  const take = (name, fallback) => {
    const list = script[name];
    if (!Array.isArray(list) || list.length === 0) return fallback;
    return list.length > 1 ? list.shift() : list[0];
  };
  let last = 100;
  const fake = {
    calls,
    dropped,
    script,
    loggedIn: script.loggedIn ?? [],
    begin: async () => take("begin", { sequence: ++last, sends: "normal" }),
    field: async sequence => `Mutual proof-${sequence}`,
    receive: async () => {
      const received = take("receive", { is: "unauthenticated", to: "normal" });
      if (received.is === "proven" && fake.loggedIn.length === 0) fake.loggedIn = [received.login];
      return received;
    },
    supply: async () => take("supply", { sequence: ++last, sends: "kex" }),
    remember: async () => {},
    drop: async id => void dropped.push(id),
    logins: async () => fake.loggedIn,
    expects: async () => null,
    logout: async () => {
      fake.loggedIn = [];
      return true;
    },
    logoutAll: async () => {
      fake.loggedIn = [];
    },
    untilExpiry: async () => null,
    expire: async () => [],
    verifier: async () => btoa("J"),
    beginAs: async () => take("beginAs", { sequence: ++last, sends: "kex" }),
    bind: async () => "binding",
  };
  for (const name of Object.keys(fake)) {
    if (typeof fake[name] !== "function") continue;
    const real = fake[name];
    fake[name] = async (...args) => {
      calls.push([name, ...args]);
      const result = await real(...args);
      if (result instanceof Error) throw result;
      return result;
    };
  }
  return fake;
}

/** A background page; `answers` are what servers say to its own requests, one after the other. */
export function background(script = {}, answers = []) {
  const core = engine(script);
  const seen = {
    loaded: [],
    reloaded: [],
    blanked: [],
    popups: [],
    cleared: [],
    workers: [],
    fetched: [],
    shown: [],
  };
  const around = {
    page: path => PAGE + path,
    certificate: async () => ({ der: new Uint8Array([1, 2, 3]), trusted: script.trusted?.shift() ?? true }),
    tab: async () => ({ context: "firefox-default", url: URL_ }),
    loadTab: async (tab, url, replace = false) => void seen.loaded.push([tab, url, replace]),
    loaded: seen.loaded,
    reloadTab: async tab => void seen.reloaded.push(tab),
    openPopup: async tab => void seen.popups.push(tab),
    clearCache: async (hosts, workers) => void (workers ? seen.workers : seen.cleared).push(...hosts),
    blankTab: async tab => void seen.blanked.push(tab),
    // What tabs show: [{ tab, urls }].
    documents: async () => script.documents ?? [],
    fetch: (url, init) => fetched(world, seen, answers, url, init),
  };
  const stored = script.stored ?? {};
  const storage = { get: async () => stored, set: async items => void Object.assign(stored, items) };
  const world = makeWorld(core, around, storage);
  return { world, core, seen, stored, around };
}

let requests = 0;

/** As Firefox does it: the listeners see a fetch of the background page, and may stop it. */
async function fetched(world, seen, answers, url, init) {
  const details = {
    requestId: `own-${++requests}`,
    url,
    method: init.method,
    type: "xmlhttprequest",
    tabId: -1,
    frameId: 0,
    originUrl: `${PAGE}background/background.html`,
    requestHeaders: Object.entries(init.headers).map(([name, value]) => ({ name, value })),
  };
  // Real ones come in a batch of their own.
  await new Promise(resolve => setTimeout(resolve, 0));
  const sent = await beforeSend(world, details);
  seen.fetched.push({ url, init, sent });
  const answer = answers.length > 1 ? answers.shift() : answers[0];
  if (sent.cancel || answer === undefined) throw new TypeError("NetworkError");
  const { status = 401, headers = [MUTUAL] } = answer;
  await new Promise(resolve => setTimeout(resolve, 0));
  const got = await headersReceived(world, { ...details, statusCode: status, responseHeaders: headers });
  if (got.cancel) throw new TypeError("NetworkError");
  return new Response(status === 204 ? null : (answer.body ?? ""), { status });
}

/** A request of a page. */
export function request(more = {}) {
  return {
    requestId: "1",
    url: URL_,
    method: "GET",
    type: "main_frame",
    tabId: 7,
    frameId: 0,
    cookieStoreId: "firefox-default",
    requestHeaders: [{ name: "Host", value: "site.test" }],
    ...more,
  };
}

/** The answer to it. */
export function answer(more = {}) {
  return { ...request(), statusCode: 200, responseHeaders: [{ name: "Content-Type", value: "text/html" }], ...more };
}

/** The credentials that a listener's answer lets out. */
export function authorization(result) {
  return result.requestHeaders?.find(({ name }) => name.toLowerCase() === "authorization")?.value ?? null;
}

export function header(result, wanted) {
  return result.responseHeaders?.find(({ name }) => name.toLowerCase() === wanted)?.value ?? null;
}

/** Events that come in different moments, as most do. */
export const moment = () => new Promise(resolve => setTimeout(resolve, 0));

export async function loggedIn(script = {}, answers = []) {
  const made = background({ loggedIn: [ALICE], begin: [{ sequence: 1, sends: "vfy" }], ...script }, answers);
  await made.world.contexts.refresh("firefox-default");
  return made;
}

export const PROVEN = { is: "proven", login: ALICE, atLogout: "reload-if-get" };
export const ASKED = {
  is: "asked",
  ask: 50,
  realm: REALM,
  reason: "initial",
  optional: false,
  username: null,
  present: "non-modal",
};
export { beforeSend, headersReceived };
