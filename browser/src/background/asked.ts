/** An answer that asks for a login, for as long as the user may give one. */

import type { AskId, Engine, Head, Received } from "../engine/api.js";
import type { AskReason, Realm } from "../shared/state.js";
import type { Address } from "./site.js";

export interface Asked {
  /** In the engine; null when it was used up, see {@link renew}. */
  id: AskId | null;
  readonly context: string;
  readonly target: Address;
  readonly method: string;
  readonly head: Head;
  readonly realm: Realm;
  readonly reason: AskReason;
  readonly optional: boolean;
  readonly username: string | null;
  readonly known: boolean;
  /** The connection is encrypted, to a certificate that Firefox trusts without an exception. */
  readonly trusted: boolean;
  /** It is the tab's own page that asks, and not something inside of it. */
  readonly page: boolean;
  /** The popup opens by itself when the page is shown. */
  readonly offer: boolean;
}

/** Lets the engine forget it. */
export function drop(engine: Pick<Engine, "drop">, asked: Asked): void {
  const { id } = asked;
  asked.id = null;
  if (id !== null) void engine.drop(id).catch(() => {});
}

/**
 * The engine's id of it. A login uses it up; should that come to nothing, the same answer is read once more. Null if it
 * asks no more, such as when somebody has logged in meanwhile.
 */
export async function renew(engine: Engine, asked: Asked): Promise<AskId | null> {
  if (asked.id !== null) return asked.id;
  const { context, target, head } = asked;
  const send = await engine.begin(context, target.origin, target.path);
  if (send.sends !== "normal") {
    await engine.drop(send.sequence);
    return null;
  }
  const received: Received = await engine.receive(send.sequence, head);
  if (received.is === "asked") asked.id = received.ask;
  if (received.is === "continue") await engine.drop(received.next.sequence);
  return asked.id;
}
