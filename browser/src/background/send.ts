/** `onBeforeSendHeaders`: what a request carries. */

import type { Send } from "../engine/api.js";
import type { Login } from "../shared/state.js";
import type { Batch } from "./batch.js";
import { block, guarded } from "./block.js";
import { isRepeatable } from "./cache.js";
import { begin } from "./exchange.js";
import {
  authorization,
  type Headers,
  isBrowsers,
  isConditional,
  isMutual,
  withAuthorization,
  without,
} from "./fields.js";
import { Gate } from "./gate.js";
import type { Prepared } from "./page.js";
import type { Bare, Flight } from "./requests.js";
import { type Address, address, fromInside, isAccountPath, isWeb, members } from "./site.js";
import { type Answer, contextOf, type SendDetails } from "./surroundings.js";
import type { World } from "./world.js";

export function beforeSend(world: World, details: SendDetails): Answer | Promise<Answer> {
  const found = world.flights.find(details.requestId, details.url);
  const isOwn = world.own.isOwn(details);
  const batch = world.batches.join(isOwn || found?.next != null);
  if (isOwn) return guarded(world, details, () => world.own.sending(details));
  const target = address(details.url);
  if (target === null) return isWeb(details.url) ? { cancel: true } : {};
  if (isAccountPath(target)) return { cancel: true };

  const given = authorization(details.requestHeaders);
  // A proof is made for one request to one address. What comes along is of an earlier hop, or a page's own.
  const stale = given !== null && isMutual(given);
  const headers = stale ? without(details.requestHeaders, "authorization") : (details.requestHeaders ?? []);

  if (found?.next) {
    const { next } = found;
    found.next = null;
    return guarded(world, details, () => sendProof(world, details, found, next, headers));
  }
  const { context, logins } = who(world, details, target);
  world.flights.close(details.requestId);
  const prepared = world.tabs.take(details, world.around.page(""));
  if (logins.length === 0 && prepared === null) return stale ? { requestHeaders: headers } : {};
  return guarded(world, details, () => sendFirst(world, details, batch, target, context, headers, prepared));
}

function who(world: World, details: SendDetails, target: Address): { context: string; logins: readonly Login[] } {
  const context = contextOf(details);
  return { context, logins: world.contexts.covering(context, target.origin) };
}

/** A request to where somebody is logged in, or is about to be. */
async function sendFirst(
  world: World,
  details: SendDetails,
  batch: Batch,
  target: Address,
  context: string,
  headers: Headers,
  prepared: Prepared | null,
): Promise<Answer> {
  const flight = world.flights.open({
    requestId: details.requestId,
    target,
    context,
    generation: world.gate.generation(Gate.key(context, target.origin)),
    bare: bareness(world, details, target, context, headers),
    conditional: isConditional(headers),
    sequence: null,
    sends: "normal",
    next: null,
    lead: null,
    waiter: prepared?.waiter ?? null,
  });
  if (flight === null) throw new Error("too many requests are under way");
  if (prepared !== null) return await sendProof(world, details, flight, prepared.send, headers);
  if (flight.bare !== null) return { requestHeaders: headers };

  const mayBeLater = isRepeatable(details) && world.flights.mayComeAgain(details.requestId);
  const begun = await begin(world, batch, context, target, details.method, mayBeLater);
  switch (begun.is) {
    case "send":
      flight.lead = begun.lead;
      flight.generation = begun.generation;
      return await sendProof(world, details, flight, begun.send, headers);
    case "later":
      world.flights.comesAgain(details.requestId);
      world.flights.close(details.requestId);
      return { redirectUrl: details.url };
    case "silence":
      // Then this request will not be answered either, and Firefox says why. Should somebody answer it, that is not shown.
      if (details.method !== "GET" && details.method !== "HEAD") return { cancel: true };
      flight.bare = "lost";
      return { requestHeaders: without(headers, "cookie", "authorization") };
    case "other":
      return begun.received.is === "fatal"
        ? block(world, details, begun.received.why, begun.received.detail)
        : block(world, details, "no-proof", `the key exchange was answered with status ${begun.status}`);
  }
}

function bareness(
  world: World,
  details: SendDetails,
  target: Address,
  context: string,
  headers: Headers,
): Bare | null {
  if (!fromInside(details, target, members(world.contexts, context))) return "stranger";
  const given = authorization(headers);
  // Only a script can give a request credentials of its own. Of those that Firefox remembers, whoever answered once in the
  // site's place may have taught it: they keep no proof away, and the proof takes their place.
  return details.type === "xmlhttprequest" && given !== null && !isBrowsers(given) ? "foreign" : null;
}

/** Gives the request its field, as late as can be: nonce numbers are given out in this order. */
async function sendProof(
  world: World,
  details: SendDetails,
  flight: Flight,
  send: Send,
  headers: Headers,
): Promise<Answer> {
  flight.sequence = send.sequence;
  flight.sends = send.sends;
  if (send.sends === "kex") throw new Error("a page's own request does not exchange keys");
  const field = send.sends === "vfy" ? await world.engine.field(send.sequence) : null;
  if (world.flights.find(details.requestId, details.url) !== flight) return { cancel: true };
  if (field === null) return { requestHeaders: headers };
  return { requestHeaders: [...without(headers, "authorization"), withAuthorization(field)] };
}
