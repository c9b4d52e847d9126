/**
 * Who is logged in where, as far as a listener has to know it at once, and in which order things end.
 *
 * A context is a container, or all private windows: one memory of logins, which no other one sees.
 */

import type { Engine } from "../engine/api.js";
import type { Login, Realm } from "../shared/state.js";
import { covering } from "./site.js";

/** The longest that a timer can run. */
const LONGEST = 2 ** 31 - 1;
/** The most servers that are remembered of one login, for its end. */
const MOST_SERVERS = 64;

/** Tells realms apart. */
export function realmKey({ name, scope, algorithm }: Realm): string {
  return JSON.stringify([name, scope, algorithm]);
}

export function sameRealm(one: Realm, other: Realm): boolean {
  return realmKey(one) === realmKey(other);
}

interface State {
  logins: readonly Login[];
  /** Where each realm was proven, by its key. */
  readonly servers: Map<string, Set<string>>;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class Contexts {
  readonly #engine: Engine;
  readonly #states = new Map<string, State>();
  /** Called with the logins that ran out. */
  onExpired: (context: string, logins: readonly Login[]) => Promise<void> = async () => {};

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  logins(context: string): readonly Login[] {
    return this.#states.get(context)?.logins ?? [];
  }

  /** Those that may be expected at an origin. If there is none, a request there is none of our business. */
  covering(context: string, origin: string): readonly Login[] {
    const logins = this.logins(context);
    return logins.length === 0 ? logins : covering(logins, origin);
  }

  all(): string[] {
    return [...this.#states.keys()];
  }

  /** Learns from the engine who is logged in; to be called whenever that may have changed. */
  async refresh(context: string): Promise<readonly Login[]> {
    const logins = await this.#engine.logins(context);
    const state = this.#state(context);
    state.logins = logins;
    for (const key of state.servers.keys()) {
      if (!logins.some(({ realm }) => realmKey(realm) === key)) state.servers.delete(key);
    }
    void this.#watch(context).catch(() => {});
    return logins;
  }

  /** Notes where a realm was proven. */
  proven(context: string, realm: Realm, origin: string): void {
    const servers = this.#state(context).servers;
    const key = realmKey(realm);
    const known = servers.get(key) ?? new Set();
    if (known.size < MOST_SERVERS) known.add(origin);
    servers.set(key, known);
  }

  /** Where a realm was proven. */
  servers(context: string, realm: Realm): string[] {
    return [...(this.#states.get(context)?.servers.get(realmKey(realm)) ?? [])];
  }

  #state(context: string): State {
    const found = this.#states.get(context) ?? { logins: [], servers: new Map(), timer: undefined };
    this.#states.set(context, found);
    return found;
  }

  /** A login may run out by itself (RFC 8053 §4.6). */
  async #watch(context: string): Promise<void> {
    const state = this.#state(context);
    const left = await this.#engine.untilExpiry(context);
    clearTimeout(state.timer);
    if (left === null) return;
    state.timer = setTimeout(() => void this.#expire(context), Math.min(Math.max(left, 0) + 50, LONGEST));
  }

  async #expire(context: string): Promise<void> {
    try {
      const over = await this.#engine.expire(context);
      await this.onExpired(context, over);
    } finally {
      await this.refresh(context).catch(() => {});
    }
  }
}
