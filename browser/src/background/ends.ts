/**
 * How often the user has logged out in each context.
 *
 * What began before, such as a registration that still waits for its answer, must not log anybody in afterwards.
 */
export class Ends {
  readonly #counts = new Map<string, number>();

  /** The user logs out of something; to be said before anything is done about it. */
  note(context: string): void {
    this.#counts.set(context, this.count(context) + 1);
  }

  count(context: string): number {
    return this.#counts.get(context) ?? 0;
  }
}
