/** What the popup asks for where a tab wants a login. */

import { CredentialError, type Send } from "../engine/api.js";
import type { Answer } from "../shared/messages.js";
import type { Blocked } from "../shared/state.js";
import { type Asked, renew } from "./asked.js";
import { clear } from "./before.js";
import { block } from "./block.js";
import { failureOf } from "./blocked.js";
import { forget } from "./cache.js";
import { sameRealm } from "./contexts.js";
import { type Exchanged, exchange } from "./exchange.js";
import { Waiter } from "./waiter.js";
import type { World } from "./world.js";

/** How long an outcome may take. */
const PATIENCE = 60_000;
/** How long a tab may take to begin to load. */
const PICKED_UP = 3000;

const GONE = { ok: false, failure: "gone" } as const;
export const DONE = { ok: true, value: null } as const;

/** Logs in where the tab asks. Resolves when the server has answered the proof. */
export async function login(world: World, tab: number, user: string, password: string): Promise<Answer<null>> {
  const asked = world.tabs.asked(tab);
  if (asked === null || world.tabs.busy(tab)) return GONE;
  world.tabs.setBusy(tab, true);
  try {
    const id = await renew(world.engine, asked);
    if (id === null) return await reload(world, tab, asked);
    asked.id = null;
    const send = await world.engine.supply(id, user, password);
    const exchanged = await exchange(world, send, asked.target, asked.method);
    if (exchanged.is === "ready") return await prove(world, tab, asked, exchanged.send);
    return await exchangeFailed(world, tab, asked, exchanged);
  } catch (error) {
    if (error instanceof CredentialError || (error instanceof Error && error.name === "CredentialError")) {
      return { ok: false, failure: "characters" };
    }
    return { ok: false, failure: "internal" };
  } finally {
    world.tabs.setBusy(tab, false);
  }
}

/** Somebody has logged in meanwhile, in another tab. */
async function reload(world: World, tab: number, asked: Asked): Promise<Answer<null>> {
  const held = world.tabs.held(tab);
  if (held?.asked === asked) held.release({ redirectUrl: asked.target.url });
  else await world.around.reloadTab(tab);
  return DONE;
}

async function exchangeFailed(
  world: World,
  tab: number,
  asked: Asked,
  exchanged: Exclude<Exchanged, { is: "ready" }>,
): Promise<Answer<null>> {
  if (exchanged.is === "silence") return { ok: false, failure: "network" };
  const { received, status } = exchanged;
  if (received.is === "asked") {
    await world.engine.drop(received.ask);
    return { ok: false, failure: status === 429 ? "wait" : "refused" };
  }
  if (status === 429) return { ok: false, failure: "wait" };
  if (received.is === "fatal") return await unmask(world, tab, asked, received.why, received.detail);
  return await unmask(world, tab, asked, "no-proof", `the key exchange was answered with status ${status}`);
}

/** Whoever asked for the login is not who the user takes it for: its page goes away. */
async function unmask(world: World, tab: number, asked: Asked, why: Blocked, detail: string): Promise<Answer<null>> {
  const held = world.tabs.held(tab);
  const details = {
    requestId: held?.requestId ?? "",
    url: asked.target.url,
    method: asked.method,
    type: "main_frame",
    tabId: tab,
    frameId: 0,
    cookieStoreId: asked.context,
  };
  const answer = block(world, details, why, detail, asked.realm);
  if (held?.asked === asked) held.release(answer);
  return { ok: false, failure: failureOf(why) };
}

/** Sends the proof with the request that waits for it; or with a new one, by GET. */
async function prove(world: World, tab: number, asked: Asked, send: Send): Promise<Answer<null>> {
  const held = world.tabs.held(tab);
  const waiter = new Waiter(PATIENCE);
  if (held !== null && held.asked === asked) {
    const flight = world.flights.find(held.requestId, asked.target.url);
    if (flight === null) {
      await world.engine.drop(send.sequence);
      return GONE;
    }
    flight.next = send;
    flight.waiter = waiter;
    // What a person does is not what a server makes a client do.
    world.flights.restart(held.requestId);
    held.release({ redirectUrl: asked.target.url });
    return await waiter.outcome;
  }
  if (world.tabs.asked(tab) !== asked) {
    await world.engine.drop(send.sequence);
    return GONE;
  }
  if (!asked.page) return await proveAside(world, tab, asked, send);
  // A copy from before, or what a service worker makes up, would be shown in the place of what is proven now.
  await forget(world, [asked.target.host], true);
  world.tabs.prepare(tab, { url: asked.target.url, send, waiter });
  await world.around.loadTab(tab, asked.target.url);
  const timer = setTimeout(() => {
    // A service worker may answer in the place of the server: then the proof goes by itself, and the tab loads again.
    if (world.tabs.takeBack(tab, asked.target.url) === null) return;
    void proveAside(world, tab, asked, send)
      .then(answer => (answer.ok ? waiter.succeed() : waiter.fail(answer.failure)))
      .catch(() => waiter.fail("internal"));
  }, PICKED_UP);
  const outcome = await waiter.outcome;
  clearTimeout(timer);
  return outcome;
}

/** Proves the login with a request of its own, and loads the tab again. */
async function proveAside(world: World, tab: number, asked: Asked, send: Send): Promise<Answer<null>> {
  const { target, context, realm } = asked;
  const method = asked.method === "HEAD" ? "HEAD" : "GET";
  const { received, status } = await world.own.run({ target, method, sequence: send.sequence });
  switch (received?.is) {
    case "proven": {
      // Until the login is known here, no request makes use of it.
      const comeBack = await clear(world, context, realm, target.host, null);
      const logins = await world.contexts.refresh(context);
      if (logins.some(login => sameRealm(login.realm, realm))) world.contexts.proven(context, realm, target.origin);
      world.known.add(context, target.origin, realm.name);
      if (!comeBack().includes(tab)) await world.around.reloadTab(tab);
      return DONE;
    }
    case "asked":
      await world.engine.drop(received.ask);
      return { ok: false, failure: status === 429 ? "wait" : "refused" };
    case "continue":
      await world.engine.drop(received.next.sequence);
      return { ok: false, failure: "internal" };
    case "fatal":
      if (status === 429) return { ok: false, failure: "wait" };
      return await unmask(world, tab, asked, received.why, received.detail);
    default:
      return { ok: false, failure: status === 429 ? "wait" : "impostor" };
  }
}

/** Shows the answer that is held back. */
export function decline(world: World, tab: number): Answer<null> {
  const held = world.tabs.held(tab);
  if (held === null) return GONE;
  held.decline();
  return DONE;
}
