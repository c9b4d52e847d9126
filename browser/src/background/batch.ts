/**
 * Which requests Firefox lets go on together.
 *
 * It hands over events of `webRequest` in batches (all that have gathered in a moment, of all tabs), and takes the answers of
 * a batch only when there is one to each event. So an answer that waits for another request waits for ever if that one is
 * in the same batch; and an answer that is held for a person holds others that have nothing to do with it. All events of a batch
 * come in one turn of the event loop: that is how they are known.
 */

/** Events that were handed over together. Complete after the turn in which they came. */
export interface Batch {
  /** How many there are. */
  size: number;
  /** Somebody else may wait for one of them: it must not be made to wait. */
  pressing: boolean;
}

export class Batches {
  #current: Batch | null = null;

  /** The batch of the event that is being handled. To be called before anything asynchronous. */
  join(pressing: boolean): Batch {
    if (this.#current === null) {
      this.#current = { size: 0, pressing: false };
      queueMicrotask(() => {
        this.#current = null;
      });
    }
    this.#current.size += 1;
    this.#current.pressing ||= pressing;
    return this.#current;
  }
}
