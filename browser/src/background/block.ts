/** What happens to a request whose answer may not be used; and to one where something went wrong in here. */

import type { Blocked, Realm } from "../shared/state.js";
import { failureOf } from "./blocked.js";
import type { Headers } from "./fields.js";
import { address, sameAddress } from "./site.js";
import { type Answer, contextOf, type Details } from "./surroundings.js";
import type { World } from "./world.js";

/** How long anything here may take, but for people. */
const PATIENCE = 60_000;

/**
 * Keeps an answer from the user. The tab goes to a page that says why; so does a frame; anything else fails.
 *
 * Nothing but a frame is redirected: where Firefox cannot redirect, such as the script of a service worker or a request that was
 * redirected too often, it lets the answer through; and it keeps the cookies of an answer in whose place it goes elsewhere.
 */
export function block(world: World, details: Details, why: Blocked, detail: string, of?: Realm | null): Answer {
  const flight = world.flights.find(details.requestId, details.url);
  flight?.waiter?.fail(failureOf(why));
  world.flights.close(details.requestId);
  const page = details.type === "main_frame";
  const frame = details.type === "sub_frame" && !setsCookies(details) && world.redirects.may(details.requestId);
  if (details.tabId < 0 || !(page || frame)) return { cancel: true };
  const target = address(details.url);
  const logins = target === null ? [] : world.contexts.covering(contextOf(details), target.origin);
  const place = world.blocked.add(details, why, detail, of ?? logins[0] ?? null);
  if (frame) return { redirectUrl: place };
  const shown = world.tabs.url(details.tabId);
  // What would be kept back again, or is such a page itself, is no place to go back to.
  const replace =
    shown !== null && (sameAddress(shown, details.url) || world.blocked.at(shown, details.tabId) !== null);
  void world.around.loadTab(details.tabId, place, replace).catch(() => {});
  return { cancel: true };
}

function setsCookies(details: Details & { readonly responseHeaders?: Headers | undefined }): boolean {
  return (details.responseHeaders ?? []).some(({ name }) => name.toLowerCase() === "set-cookie");
}

/**
 * Runs what may fail or take too long, for requests that carry or need a proof. Whatever happens, Firefox gets an answer
 * that lets nothing through: a listener that throws, or whose promise rejects, would.
 */
export async function guarded(world: World, details: Details, run: () => Promise<Answer>): Promise<Answer> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("it took too long")), PATIENCE);
    });
    return await Promise.race([run(), late]);
  } catch (error) {
    return blockSafely(world, details, String(error));
  } finally {
    clearTimeout(timer);
  }
}

/** The same for when the parts of this program cannot be relied on. */
export function blockSafely(world: World, details: Details, detail: string): Answer {
  try {
    return block(world, details, "internal", detail);
  } catch {
    return { cancel: true };
  }
}
