/**
 * Requests that this extension makes itself: key exchanges, the end of a session, what concerns an account.
 *
 * Their heads are taken from `webRequest`, because a script is not told of a certificate. They carry no cookie, follow no
 * redirect and come from no cache, and Firefox asks nobody for a password for them.
 */

import type { Engine, Received, SequenceId } from "../engine/api.js";
import { toLines, withAuthorization, without, withoutChallenges } from "./fields.js";
import { type Address, sameAddress } from "./site.js";
import type { Answer, Details, ReceiveDetails, SendDetails, Surroundings } from "./surroundings.js";

/** Marks a request on its way from `fetch` to the listener; it is never sent. */
const MARK = "tagai-own";
/** How long an answer may take. */
const PATIENCE = 20_000;
/** The longest body of an answer that is read. */
const LONGEST = 8192;

export interface OwnRequest {
  readonly target: Address;
  readonly method: string;
  /** Its field is sent, and it judges the answer. */
  readonly sequence: SequenceId | null;
  /** JSON. */
  readonly body?: string;
  readonly patience?: number;
}

export interface OwnAnswer {
  readonly status: number;
  /** Null if there was no sequence. */
  readonly received: Received | null;
  /** Whether it came over a connection with a certificate that Firefox trusts. Not known, and false, if there was no sequence. */
  readonly trusted: boolean;
  /** The beginning of the body, if one was asked for with a body. Of somebody who has proven nothing, unless `received` says so. */
  readonly text: string;
}

/** No answer came. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
}

interface Running {
  readonly request: OwnRequest;
  judged: boolean;
  head(head: Omit<OwnAnswer, "text">): void;
  fail(error: unknown): void;
}

export class OwnRequests {
  readonly #engine: Pick<Engine, "field" | "receive" | "drop">;
  readonly #around: Surroundings;
  readonly #marked = new Map<string, Running>();
  readonly #running = new Map<string, Running>();

  constructor(engine: Pick<Engine, "field" | "receive" | "drop">, around: Surroundings) {
    this.#engine = engine;
    this.#around = around;
  }

  /** Whether a request was made by a page of this extension that is in no tab: by this one. */
  isOwn(details: Details): boolean {
    return details.tabId === -1 && details.originUrl?.startsWith(this.#around.page("")) === true;
  }

  /** Makes a request. Rejects with a {@link NetworkError}, or with what went wrong in the engine. */
  async run(request: OwnRequest): Promise<OwnAnswer> {
    const mark = crypto.randomUUID();
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), request.patience ?? PATIENCE);
    let running: Running | undefined;
    try {
      const head = new Promise<Omit<OwnAnswer, "text">>((resolve, fail) => {
        running = { request, judged: false, head: resolve, fail };
        this.#marked.set(mark, running);
      });
      // It may fail while the other one is waited for.
      head.catch(() => {});
      const headers: Record<string, string> = { [MARK]: mark };
      if (request.body !== undefined) headers["Content-Type"] = "application/json";
      const fetched = this.#around
        .fetch(request.target.url, {
          method: request.method,
          headers,
          body: request.body ?? null,
          credentials: "omit",
          redirect: "manual",
          cache: "no-store",
          referrerPolicy: "no-referrer",
          signal: controller.signal,
        })
        .catch((error: unknown) => {
          throw new NetworkError(String(error));
        });
      fetched.catch(() => {});
      const answer = await Promise.race([head, fetched.then(() => head)]);
      const text = request.body === undefined ? "" : await beginning(await fetched);
      return { ...answer, text };
    } finally {
      clearTimeout(timer);
      controller.abort();
      this.#marked.delete(mark);
      for (const [id, found] of this.#running) if (found === running) this.#running.delete(id);
      if (running?.judged === false && request.sequence !== null)
        void this.#engine.drop(request.sequence).catch(() => {});
    }
  }

  /** Before such a request is sent. */
  async sending(details: SendDetails): Promise<Answer> {
    const mark = details.requestHeaders?.find(({ name }) => name.toLowerCase() === MARK)?.value;
    const running = mark === undefined ? undefined : this.#marked.get(mark);
    // It is good for one request to one address.
    if (mark === undefined || running === undefined || !sameAddress(running.request.target.url, details.url)) {
      return { cancel: true };
    }
    this.#marked.delete(mark);
    this.#running.set(details.requestId, running);
    try {
      const headers = without(details.requestHeaders, MARK, "authorization", "cookie", "origin", "referer");
      const { sequence } = running.request;
      const field = sequence === null ? null : await this.#engine.field(sequence);
      return { requestHeaders: field === null ? headers : [...headers, withAuthorization(field)] };
    } catch (error) {
      running.fail(error);
      return { cancel: true };
    }
  }

  /** When the head of such a request's answer is there. */
  async received(details: ReceiveDetails): Promise<Answer> {
    const running = this.#running.get(details.requestId);
    if (
      running === undefined ||
      !sameAddress(running.request.target.url, details.url) ||
      details.fromCache === true
    ) {
      running?.fail(new NetworkError("an answer from another place"));
      return { cancel: true };
    }
    try {
      const { sequence, target } = running.request;
      let received: Received | null = null;
      let trusted = false;
      if (sequence !== null) {
        const certificate = target.secure ? await this.#around.certificate(details.requestId) : null;
        running.judged = true;
        const fields = toLines(details.responseHeaders);
        const head = { status: details.statusCode, fields, certificate: certificate?.der ?? null };
        trusted = certificate?.trusted === true;
        received = await this.#engine.receive(sequence, head);
      }
      running.head({ status: details.statusCode, received, trusted });
      if (received?.is === "fatal") return { cancel: true };
      return { responseHeaders: without(withoutChallenges(details.responseHeaders), "set-cookie") };
    } catch (error) {
      running.fail(error);
      return { cancel: true };
    }
  }

  /** The request is over; if there was no answer, there will be none. */
  over(requestId: string): void {
    this.#running.get(requestId)?.fail(new NetworkError("no answer"));
    this.#running.delete(requestId);
  }
}

async function beginning(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  while (text.length < LONGEST) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  return text.slice(0, LONGEST);
}
