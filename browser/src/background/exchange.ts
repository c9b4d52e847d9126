/** Key exchanges, made beside the request that needs one. */

import type { Received, Send } from "../engine/api.js";
import type { Batch } from "./batch.js";
import type { Lead } from "./gate.js";
import { Gate } from "./gate.js";
import { NetworkError } from "./own.js";
import type { Address } from "./site.js";
import type { World } from "./world.js";

/** How long one may take for a page's request: Firefox holds others with it, also of other sites. */
export const BRIEF = 8000;

/** How an exchange ended. */
export type Exchanged =
  /** The proof can be sent. */
  | { readonly is: "ready"; readonly send: Send; readonly trusted: boolean }
  /** Something else was answered, with this status. */
  | { readonly is: "other"; readonly received: Received; readonly status: number }
  /** Nothing was answered. */
  | { readonly is: "silence" };

/** Sends req-KEX-C1 with the method of the request, and no body. */
export async function exchange(
  world: World,
  send: Send,
  target: Address,
  method: string,
  patience?: number,
): Promise<Exchanged> {
  try {
    const limit = patience === undefined ? {} : { patience };
    const { status, received, trusted } = await world.own.run({ target, method, sequence: send.sequence, ...limit });
    if (received === null) throw new Error("a key exchange was not judged");
    if (received.is === "continue" && received.next.sends === "vfy")
      return { is: "ready", send: received.next, trusted };
    if (received.is === "continue") await world.engine.drop(received.next.sequence);
    return { is: "other", received, status };
  } catch (error) {
    if (error instanceof NetworkError) return { is: "silence" };
    throw error;
  }
}

/** A proof for a request, or what else is to be done with it. */
export type Begun =
  | { readonly is: "send"; readonly send: Send; readonly lead: Lead | null; readonly generation: number }
  | { readonly is: "other"; readonly received: Received; readonly status: number }
  | { readonly is: "silence" }
  /** Another request makes a key exchange now, and this one must not wait for it where it is. */
  | { readonly is: "later" };

/** How often a request waits for another one's key exchange. */
const TRIES = 4;

/**
 * Begins a sequence for a request to an address where somebody is logged in; a key exchange, if it needs one, is over when
 * this resolves, and was made once for all requests that need it now.
 *
 * @param mayBeLater Whether the request can be made to come again.
 */
export async function begin(
  world: World,
  batch: Batch,
  context: string,
  target: Address,
  method: string,
  mayBeLater: boolean,
): Promise<Begun> {
  const key = Gate.key(context, target.origin);
  for (let tried = 0; tried < TRIES; tried++) {
    const generation = world.gate.generation(key);
    const send = await world.engine.begin(context, target.origin, target.path);
    if (send.sends !== "kex") return { is: "send", send, lead: null, generation };
    const lead = world.gate.lead(key, batch);
    if (lead === null) {
      const waited = await world.gate.wait(key, batch);
      if (waited || mayBeLater) {
        await world.engine.drop(send.sequence);
        if (waited) continue;
        return { is: "later" };
      }
      // It makes one of its own then.
    }
    let kept = false;
    try {
      const exchanged = await exchange(world, send, target, method, BRIEF);
      if (exchanged.is === "ready") {
        kept = true;
        return { is: "send", send: exchanged.send, lead, generation };
      }
      if (exchanged.is === "silence") return exchanged;
      if (exchanged.received.is !== "asked") return exchanged;
      // The server does not take the credential any more: it is forgotten, and the request goes on without it.
      await world.engine.drop(exchanged.received.ask);
      await world.contexts.refresh(context);
    } finally {
      if (!kept) lead?.end(false);
    }
  }
  return { is: "silence" };
}
