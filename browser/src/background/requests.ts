/**
 * What is known of the requests that are under way.
 *
 * A request's id stays the same when a server redirects it, so everything is bound to the id and the address together:
 * what was made for one address is never found for another.
 */

import type { Engine, Send, SequenceId } from "../engine/api.js";
import type { Lead } from "./gate.js";
import { type Address, sameAddress } from "./site.js";
import type { Waiter } from "./waiter.js";

/** The most requests that are kept in mind. Beyond, those that need a proof are refused. */
const MOST = 20_000;
/** How often one request may be made again before it is refused. */
const ROUNDS = 6;
/** How often it may come again because it must not wait where it is; Firefox follows 20 redirects in all. */
const LATER = 8;

/** Why a request goes without a proof although somebody is logged in. */
export type Bare =
  /** A page of another site made it. */
  | "stranger"
  /** A page gave it an `Authorization` of its own. */
  | "foreign"
  /** No session could be made: whatever is answered is not shown. */
  | "lost";

/** One request to one address, from when it is sent to when its answer has been judged. */
export interface Flight {
  readonly requestId: string;
  readonly target: Address;
  readonly context: string;
  /** Which session of the server it was begun with. */
  generation: number;
  bare: Bare | null;
  /** The page itself asked for "only if it has changed". */
  conditional: boolean;
  /** The sequence that the answer belongs to. */
  sequence: SequenceId | null;
  sends: Send["sends"];
  /** What to send when the request comes again. */
  next: Send | null;
  lead: Lead | null;
  /** Who waits for the outcome of a login. */
  waiter: Waiter | null;
}

export class Flights {
  readonly #engine: Pick<Engine, "drop">;
  readonly #flights = new Map<string, Flight>();
  readonly #rounds = new Map<string, number>();
  readonly #later = new Map<string, number>();
  /** Requests for which the cache was cleared. */
  readonly #cleared = new Set<string>();

  constructor(engine: Pick<Engine, "drop">) {
    this.#engine = engine;
  }

  get size(): number {
    return this.#flights.size;
  }

  /** The flight of a request, if it is for this very address. */
  find(requestId: string, url: string): Flight | null {
    const flight = this.#flights.get(requestId);
    return flight !== undefined && sameAddress(flight.target.url, url) ? flight : null;
  }

  /**
   * Begins; what there was before under this id is over. Null if there are too many. Those of other sites are as many as
   * those sites want: they are not kept, and known by themselves when the answer comes.
   */
  open(flight: Flight): Flight | null {
    this.close(flight.requestId);
    if (flight.bare === "stranger") return flight;
    if (this.#flights.size >= MOST) return null;
    this.#flights.set(flight.requestId, flight);
    return flight;
  }

  /** Counts that a request is made again. False if it was often enough. */
  again(requestId: string): boolean {
    const rounds = (this.#rounds.get(requestId) ?? 0) + 1;
    this.#rounds.set(requestId, rounds);
    return rounds <= ROUNDS;
  }

  /** The user has done something about a request: it may be made again as often as from the beginning. */
  restart(requestId: string): void {
    this.#rounds.delete(requestId);
  }

  /** Whether a request that must not wait may come again. */
  mayComeAgain(requestId: string): boolean {
    return (this.#later.get(requestId) ?? 0) < LATER;
  }

  comesAgain(requestId: string): void {
    this.#later.set(requestId, (this.#later.get(requestId) ?? 0) + 1);
  }

  /** Says once for each request that the cache may be cleared for it. */
  mayClear(requestId: string): boolean {
    if (this.#cleared.has(requestId)) return false;
    this.#cleared.add(requestId);
    return true;
  }

  /** Ends what is known for the address that the request had last; the count of its rounds stays. */
  close(requestId: string): void {
    const flight = this.#flights.get(requestId);
    if (flight === undefined) return;
    this.#flights.delete(requestId);
    if (flight.sequence !== null) void this.#engine.drop(flight.sequence).catch(() => {});
    if (flight.next !== null) void this.#engine.drop(flight.next.sequence).catch(() => {});
    flight.sequence = null;
    flight.next = null;
    flight.lead?.end(false);
    flight.waiter?.fail("network");
  }

  /** The request is over. */
  end(requestId: string): void {
    this.close(requestId);
    this.#rounds.delete(requestId);
    this.#later.delete(requestId);
    this.#cleared.delete(requestId);
  }
}
