/**
 * Documents from before a login. Nobody has proven them; but they are of the site's origin, could use its proofs, and could
 * write into its pages. So they go away before the first proof of a server is of use, and with them the service workers of its
 * host; then each is loaded again.
 */

import type { Realm } from "../shared/state.js";
import { forget } from "./cache.js";
import { address, covers } from "./site.js";
import type { Documents } from "./surroundings.js";
import type { World } from "./world.js";

/** How long tabs may take to go away. */
const PATIENCE = 3000;
/** A window that a page has opened and put nothing into is of that page's origin, whichever that is. */
const BLANK = "about:blank";

/**
 * Clears the way for the first proof in a realm by a host. Gives what brings back the pages that had to go, to be called when
 * the login holds; it says in which tabs they were.
 *
 * @param except A tab that is about to show the proven page.
 */
export async function clear(
  world: World,
  context: string,
  realm: Realm,
  host: string,
  except: number | null,
): Promise<() => number[]> {
  const tabs = (await documents(world, context)).filter(
    ({ tab, urls }) =>
      tab !== except &&
      !isSafe(world, tab) &&
      urls.some((url, at) => isOf(url, realm) || (at === 0 && url === BLANK)),
  );
  await leave(world, tabs);
  await forget(world, [host], true);
  return () => comeBack(world, tabs);
}

/** A tab has gone back to a page that Firefox has kept alive: if it is of a realm where somebody is logged in, it is loaded again. */
export async function revived(world: World, tab: number): Promise<void> {
  const { context } = await world.around.tab(tab);
  const logins = world.contexts.logins(context);
  if (logins.length === 0) return;
  const tabs = (await documents(world, context)).filter(
    found => found.tab === tab && found.urls.some(url => logins.some(({ realm }) => isOf(url, realm))),
  );
  await leave(world, tabs);
  comeBack(world, tabs);
}

/** Tabs with something of a realm in them, in whatever frame. */
export async function tabsWith(world: World, context: string, realm: Realm): Promise<Documents[]> {
  return (await documents(world, context)).filter(({ urls }) => urls.some(url => isOf(url, realm)));
}

async function documents(world: World, context: string): Promise<readonly Documents[]> {
  return await world.around.documents(context);
}

/** Proven, or without an origin: see `unproven.ts`. */
function isSafe(world: World, tab: number): boolean {
  const page = world.tabs.page(tab);
  return page.is === "proven" || (page.is === "asked" && page.asked.page && page.asked.head.status === 401);
}

/** Whether a document may be of an origin of a realm. */
function isOf(url: string, realm: Realm): boolean {
  const origin = address(url.replace(/^blob:/, ""))?.origin;
  return origin !== undefined && covers(realm.scope, origin);
}

async function leave(world: World, tabs: readonly Documents[]): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>(resolve => {
    timer = setTimeout(resolve, PATIENCE);
  });
  await Promise.race([Promise.allSettled(tabs.map(({ tab }) => world.around.blankTab(tab))), late]);
  clearTimeout(timer);
}

/** By GET, and without the fragment: with it Firefox may stay where it is. */
function comeBack(world: World, tabs: readonly Documents[]): number[] {
  for (const { tab, urls } of tabs) {
    const url = address(urls[0])?.url;
    if (url !== undefined) void world.around.loadTab(tab, url, true).catch(() => {});
  }
  return tabs.map(({ tab }) => tab);
}
