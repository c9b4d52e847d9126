import type { Answer } from "./surroundings.js";

/** An answer to Firefox that people decide on: it may take longer than anything else. */
export class Pending {
  readonly answer: Promise<Answer>;
  constructor(answer: Promise<Answer>) {
    this.answer = answer;
  }
}
