/**
 * How often requests are redirected. Firefox follows 20 redirects of a request, whoever asks for them; from then on it takes no
 * notice of a listener that answers with one, and shows what was to be kept from the user.
 */

/** From so many on, nothing is redirected here: the rest is left for what Firefox does without saying so. */
const MOST = 16;

export class Redirects {
  // As many as there are requests under way.
  readonly #sent = new Map<string, number>();
  readonly #redirected = new Map<string, number>();

  /** A request is sent: for the first time, or once more after a redirect. */
  sent(requestId: string): void {
    this.#sent.set(requestId, (this.#sent.get(requestId) ?? 0) + 1);
  }

  /** Firefox says that a request is redirected. */
  redirected(requestId: string): void {
    this.#redirected.set(requestId, (this.#redirected.get(requestId) ?? 0) + 1);
  }

  /** Whether a request can be redirected once more. */
  may(requestId: string): boolean {
    const sent = (this.#sent.get(requestId) ?? 1) - 1;
    return Math.max(sent, this.#redirected.get(requestId) ?? 0) < MOST;
  }

  /** The request is over. */
  end(requestId: string): void {
    this.#sent.delete(requestId);
    this.#redirected.delete(requestId);
  }
}
