/** What happens to a request whose answer may not be used; and to one where something went wrong in here. */

import type { Blocked, Realm } from "../shared/state.js";
import { failureOf } from "./blocked.js";
import { address } from "./site.js";
import { type Answer, contextOf, type Details } from "./surroundings.js";
import type { World } from "./world.js";

/** How long anything here may take, but for people. */
const PATIENCE = 60_000;

/**
 * Keeps an answer from the user. A page is replaced by one that says why; anything else fails.
 *
 * Nothing but pages is redirected: where Firefox cannot redirect, such as the script of a service worker, it lets the answer
 * through.
 */
export function block(world: World, details: Details, why: Blocked, detail: string, of?: Realm | null): Answer {
  const flight = world.flights.find(details.requestId, details.url);
  flight?.waiter?.fail(failureOf(why));
  world.flights.close(details.requestId);
  if (details.tabId < 0 || (details.type !== "main_frame" && details.type !== "sub_frame")) return { cancel: true };
  const target = address(details.url);
  const logins = target === null ? [] : world.contexts.covering(contextOf(details), target.origin);
  return { redirectUrl: world.blocked.add(details, why, detail, of ?? logins[0] ?? null) };
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
