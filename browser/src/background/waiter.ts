/** Somebody who waits for the outcome of a login: the popup. */

import type { Answer, Failure } from "../shared/messages.js";

export class Waiter {
  readonly outcome: Promise<Answer<null>>;
  #settle: (answer: Answer<null>) => void = () => {};

  constructor(patience: number) {
    this.outcome = new Promise(resolve => {
      const timer = setTimeout(() => this.fail("network"), patience);
      this.#settle = answer => {
        clearTimeout(timer);
        resolve(answer);
      };
    });
  }

  succeed(): void {
    this.#settle({ ok: true, value: null });
  }

  fail(failure: Failure): void {
    this.#settle({ ok: false, failure });
  }
}
