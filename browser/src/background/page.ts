/** What a tab shows, will show, or holds back. */

import type { Send } from "../engine/api.js";
import type { Login } from "../shared/state.js";
import type { Asked } from "./asked.js";
import type { Answer } from "./surroundings.js";
import type { Waiter } from "./waiter.js";

/** What a page is, as its answer was judged. */
export type Page =
  | { readonly is: "none" }
  | {
      readonly is: "proven";
      readonly login: Login;
      readonly method: string;
      readonly atLogout: AtLogout;
      /** As in {@link Asked}. */
      readonly trusted: boolean;
    }
  | { readonly is: "asked"; readonly asked: Asked };

export type AtLogout = { readonly go: string } | "reload-if-get";

export const NONE: Page = { is: "none" };

/** An answer that is held back until the user has decided. */
export interface Held {
  readonly requestId: string;
  readonly asked: Asked;
  release(answer: Answer): void;
  /** Shows it without a login. */
  decline(): void;
}

/** A proof for the next loading of a tab. */
export interface Prepared {
  readonly url: string;
  readonly send: Send;
  readonly waiter: Waiter;
}

/** A page of a realm that the user is no longer logged in to. */
export interface Over {
  readonly tab: number;
  readonly url: string;
  readonly page: Page & { readonly is: "proven" };
  /** It is not on display yet. */
  readonly coming: boolean;
}
