/** One key exchange at a time for each server: of many requests that need one, one makes it and the others wait. */

import type { Batch } from "./batch.js";

/** How long the others wait for the one that leads. */
const PATIENCE = 15_000;

/** The right to make a key exchange. It ends by {@link Lead.end}, or by itself. */
export interface Lead {
  /** Says that it is over, and whether there is a session now. More than once is once. */
  end(proven: boolean): void;
}

interface Leading {
  readonly batch: Batch;
  readonly over: Promise<void>;
}

export class Gate {
  readonly #leads = new Map<string, Leading>();
  readonly #generations = new Map<string, number>();

  static key(context: string, origin: string): string {
    return `${context} ${origin}`;
  }

  /** How many sessions were made with a server. A request that failed with an older one need not make another. */
  generation(key: string): number {
    return this.#generations.get(key) ?? 0;
  }

  /** Takes the lead for a request of a batch; null if somebody has it. */
  lead(key: string, batch: Batch): Lead | null {
    if (this.#leads.has(key)) return null;
    let over = (): void => {};
    const end = (proven: boolean): void => {
      if (this.#leads.get(key) !== leading) return;
      clearTimeout(timer);
      this.#leads.delete(key);
      if (proven) this.#generations.set(key, this.generation(key) + 1);
      over();
    };
    const promise = new Promise<void>(resolve => {
      over = resolve;
    });
    const leading: Leading = { batch, over: promise };
    const timer = setTimeout(() => end(false), PATIENCE);
    this.#leads.set(key, leading);
    return { end };
  }

  /**
   * Waits until whoever leads is done. False, at once, if a request of this batch would keep that one from going on.
   */
  async wait(key: string, batch: Batch): Promise<boolean> {
    const leading = this.#leads.get(key);
    if (leading === undefined) return true;
    if (leading.batch === batch || batch.pressing) return false;
    await leading.over;
    return true;
  }
}
