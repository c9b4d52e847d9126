/** Copies of answers that the browser has kept. What they show was proven for another request, or by nobody. */

import { block } from "./block.js";
import { address } from "./site.js";
import type { Answer, Details, ReceiveDetails } from "./surroundings.js";
import type { World } from "./world.js";

/** How long the browser may take to forget. */
const PATIENCE = 3000;

/** What Firefox makes again when it is told to. Of others it might show the copy. */
const REPEATABLE: ReadonlySet<string> = new Set([
  "main_frame",
  "sub_frame",
  "image",
  "imageset",
  "stylesheet",
  "font",
  "media",
  "xmlhttprequest",
]);

export function isRepeatable(details: Details): boolean {
  return details.tabId >= 0 && REPEATABLE.has(details.type);
}

/** Whether an answer is a copy: as such, or as what the server says is still good. */
export function isCopy(details: ReceiveDetails, conditional: boolean): boolean {
  return details.fromCache === true || (details.statusCode === 304 && !conditional);
}

/** Forgets the copy and makes the request once more; the second time it is refused. */
export async function afresh(world: World, details: ReceiveDetails): Promise<Answer> {
  if (isRepeatable(details) && world.flights.mayClear(details.requestId)) {
    const host = address(details.url)?.host;
    if (host !== undefined) await forget(world, [host]);
    // Otherwise the lead, and whoever waits for this, would be gone.
    return { redirectUrl: details.url };
  }
  return block(world, details, "cached", "an answer from the browser's cache");
}

/** Forgets what is stored of hosts, if it does not take too long; also their service workers, if those are to go. */
export async function forget(world: World, hosts: readonly string[], workers = false): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>(resolve => {
    timer = setTimeout(resolve, PATIENCE);
  });
  // Whatever stays is recognised as a copy when it comes.
  await Promise.race([world.around.clearCache(hosts, workers).catch(() => {}), late]);
  clearTimeout(timer);
}
