/** Logging out: at once, in every tab, and of what is stored. Servers are told if they hear it in time. */

import type { Login, Realm } from "../shared/state.js";
import { tabsWith } from "./before.js";
import { forget } from "./cache.js";
import { sameRealm } from "./contexts.js";
import { address, covers, resolve } from "./site.js";
import { PRIVATE_CONTEXT } from "./surroundings.js";
import type { World } from "./world.js";

/** Where tagai's gateway ends a session. */
const PATH = "/.well-known/tagai/logout";
/** How long a server is told, and how long it may take to prepare that. */
const PATIENCE = 2000;

/** Logs out of a realm in a context. */
export async function logout(world: World, context: string, realm: Realm): Promise<void> {
  const hosts = hostsOf(world, context, realm);
  try {
    await tell(world, context, realm);
    await world.engine.logout(context, realm);
  } finally {
    await over(world, context, realm, hosts);
  }
}

/** Logs out of everything in a context. */
export async function logoutAll(world: World, context: string): Promise<void> {
  const logins = world.contexts.logins(context);
  const hosts = new Map(logins.map(login => [login, hostsOf(world, context, login.realm)]));
  try {
    await Promise.all(logins.map(({ realm }) => tell(world, context, realm)));
    await world.engine.logoutAll(context);
  } finally {
    for (const login of logins) await over(world, context, login.realm, hosts.get(login) ?? []);
    await world.contexts.refresh(context);
  }
}

/** A context that is no more: its last window was closed, or it was removed. */
export async function contextEnded(world: World, context: string): Promise<void> {
  await logoutAll(world, context);
  if (context === PRIVATE_CONTEXT) world.known.forgetPrivate();
}

/** Logins that the engine has let run out (RFC 8053 §4.6). */
export async function expired(world: World, context: string, logins: readonly Login[]): Promise<void> {
  for (const { realm } of logins) await over(world, context, realm, hostsOf(world, context, realm));
}

function hostsOf(world: World, context: string, realm: Realm): string[] {
  const hosts = world.contexts.servers(context, realm).map(origin => address(origin)?.host);
  return [...new Set(hosts.filter(host => host !== undefined))];
}

/**
 * Begins to tell the servers of a realm that the session is over. When this resolves, the sequences have begun and the
 * login can be forgotten; nobody waits for what servers say.
 */
async function tell(world: World, context: string, realm: Realm): Promise<void> {
  const prepared = world.contexts.servers(context, realm).map(async origin => {
    const target = address(`${origin}${PATH}`);
    if (target === null) return;
    const send = await world.engine.begin(context, target.origin, target.path);
    if (send.sends !== "vfy") {
      await world.engine.drop(send.sequence);
      return;
    }
    // The engine has the session as long as the sequence lives.
    void world.own.run({ target, method: "POST", sequence: send.sequence, patience: PATIENCE }).catch(() => {});
  });
  await Promise.race([Promise.allSettled(prepared), new Promise(resolve => setTimeout(resolve, PATIENCE))]);
}

/** Takes a realm's pages out of sight, as each of them wants (RFC 8053 §4.5), and what is stored of its hosts. */
async function over(world: World, context: string, realm: Realm, hosts: readonly string[]): Promise<void> {
  await world.contexts.refresh(context);
  if (world.contexts.logins(context).some(login => sameRealm(login.realm, realm))) return;
  const tabs = new Set<number>();
  for (const tab of world.tabs.all()) {
    const found = await world.around.tab(tab).catch(() => null);
    if (found?.context === context) tabs.add(tab);
  }
  const shown = world.tabs.over(tabs, realm);
  await forget(world, hosts);
  await reloadAround(world, context, realm, new Set(shown.map(({ tab }) => tab)));
  for (const { tab, url, page, coming } of shown) {
    const { atLogout } = page;
    world.tabs.quieten(tab);
    if (typeof atLogout === "object") {
      const place = resolve(atLogout.go, url);
      if (place !== null) await world.around.loadTab(tab, place).catch(() => {});
    } else if (page.method === "GET" && coming) {
      await world.around.loadTab(tab, url).catch(() => {});
    } else if (page.method === "GET") {
      await world.around.reloadTab(tab).catch(() => {});
    }
  }
}

/** Pages of others with something of the realm inside: it may go on to show, or to be sent, what only the user may see. */
async function reloadAround(world: World, context: string, realm: Realm, but: ReadonlySet<number>): Promise<void> {
  for (const { tab, urls } of await tabsWith(world, context, realm).catch(() => [])) {
    const here = address(urls[0])?.origin;
    if (but.has(tab) || here === undefined || covers(realm.scope, here)) continue;
    world.tabs.quieten(tab);
    await world.around.reloadTab(tab).catch(() => {});
  }
}
