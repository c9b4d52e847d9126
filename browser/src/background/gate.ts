/** One key exchange at a time for each server: of many requests that need one, one makes it and the others wait. */

/** How long the others wait for the one that leads. */
const PATIENCE = 30_000;

/** The right to make a key exchange. It ends by {@link Lead.end}, or by itself. */
export interface Lead {
  /** Says that it is over, and whether there is a session now. More than once is once. */
  end(proven: boolean): void;
}

export class Gate {
  readonly #leads = new Map<string, Promise<void>>();
  readonly #generations = new Map<string, number>();

  static key(context: string, origin: string): string {
    return `${context} ${origin}`;
  }

  /** How many sessions were made with a server. A request that failed with an older one need not make another. */
  generation(key: string): number {
    return this.#generations.get(key) ?? 0;
  }

  /** Takes the lead; or, if somebody has it, waits until it is over and gives null. */
  async lead(key: string): Promise<Lead | null> {
    const leading = this.#leads.get(key);
    if (leading !== undefined) {
      await leading;
      return null;
    }
    let over = (): void => {};
    const end = (proven: boolean): void => {
      if (this.#leads.get(key) !== waiting) return;
      clearTimeout(timer);
      this.#leads.delete(key);
      if (proven) this.#generations.set(key, this.generation(key) + 1);
      over();
    };
    const waiting = new Promise<void>(resolve => {
      over = resolve;
    });
    const timer = setTimeout(() => end(false), PATIENCE);
    this.#leads.set(key, waiting);
    return { end };
  }
}
