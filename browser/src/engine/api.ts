/**
 * The protocol core, as the background page sees it. It runs in a worker: arithmetic never stops the browser's interface.
 *
 * A `context` is one memory of logins: a container's or the private windows' `cookieStoreId`. All times are taken by the worker.
 */

import type { Login, Realm } from "../shared/state.js";

/** A sequence (RFC 8120 §10.2) that waits in the worker. It must end with {@link Engine.receive} or {@link Engine.drop}. */
export type SequenceId = number;
/** A response that asked for a login, in the worker. It ends with {@link Engine.supply} or {@link Engine.drop}. */
export type AskId = number;

/** What to send next. */
export interface Send {
  readonly sequence: SequenceId;
  /** What the request is: without our credentials, a key exchange, or a proof. */
  readonly sends: "normal" | "kex" | "vfy";
}

/** A response's head. */
export interface Head {
  readonly status: number;
  /**
   * Field lines in their order: one entry for each line, a value that came joined by newlines split. A character of a value
   * stands for one octet, as Firefox has it.
   */
  readonly fields: readonly (readonly [string, string])[];
  /**
   * The server's certificate as DER; null over plain HTTP. Over https it may be null only in an ordinary answer to a normal request:
   * one whose fields say nothing of this protocol.
   */
  readonly certificate: Uint8Array | null;
}

export type Received =
  /** The sequence goes on. `next.sends` says with what. */
  | { readonly is: "continue"; readonly next: Send }
  | {
      readonly is: "proven";
      readonly login: Login;
      /** What to do at logout with the page (RFC 8053 §4.5), by whether it was got with GET. */
      readonly atLogout: { readonly go: string } | "reload-if-get";
    }
  | {
      readonly is: "asked";
      readonly ask: AskId;
      readonly realm: Realm;
      readonly reason: "initial" | "refused" | "again";
      readonly optional: boolean;
      readonly username: string | null;
      /** RFC 8053 §4.2 to §4.4. */
      readonly present: { readonly seeOther: string } | "modal" | "non-modal" | "do-not-ask";
    }
  /** An ordinary answer. `to` says to what: to a proof it means that a proof was due and did not come. */
  | { readonly is: "unauthenticated"; readonly to: "normal" | "kex" | "vfy" }
  /** Nothing of the answer may be used. */
  | {
      readonly is: "fatal";
      readonly why: "wrong-proof" | "no-proof" | "certificate" | "scope" | "protocol";
      readonly detail: string;
    };

export interface Engine {
  /** Begins a sequence; arithmetic, if any, is done when this resolves. */
  begin(context: string, origin: string, path: string): Promise<Send>;
  /** The value of `Authorization`, as late as can be: nonce numbers are given out in this order. Null for a normal request. */
  field(sequence: SequenceId): Promise<string | null>;
  receive(sequence: SequenceId, head: Head): Promise<Received>;
  /** Logs in with what the user gave. Rejects with a {@link CredentialError} if it cannot be used. */
  supply(ask: AskId, user: string, password: string): Promise<Send>;
  /** Remembers a credential without having used it, after a registration or a change: the next request proves it. */
  remember(context: string, origin: string, realm: Realm, user: string, password: string): Promise<void>;
  drop(id: SequenceId | AskId): Promise<void>;
  logins(context: string): Promise<readonly Login[]>;
  /** Whether somebody is logged in to a realm that is expected at this address. */
  expects(context: string, origin: string, path: string): Promise<Login | null>;
  logout(context: string, realm: Realm): Promise<boolean>;
  logoutAll(context: string): Promise<void>;
  /**
   * Milliseconds until a login of this context runs out (RFC 8053 §4.6), if any does: then call {@link Engine.expire}. Never more
   * than a timer takes, so that there may be nothing to expire yet: then ask again.
   */
  untilExpiry(context: string): Promise<number | null>;
  /** Logs out of what has run out; returns what that was. */
  expire(context: string): Promise<readonly Login[]>;
  /** The verifier J of a new password, as the server stores it. Same errors as {@link Engine.supply}. */
  verifier(realm: Realm, user: string, password: string): Promise<string>;
  /**
   * A sequence that proves `old` by a new key exchange, for the change of a password: like {@link Engine.begin}, with the
   * credential given and not the remembered one. Begins with `sends: "kex"`.
   */
  beginAs(context: string, origin: string, path: string, realm: Realm, user: string, old: string): Promise<Send>;
  /**
   * `b_2` (RFC 8120 §13) of a proof that is about to be sent, over `t`: binds the body of the request to it. As Base64. It gives out
   * the nonce number, so {@link Engine.field} and the request are to follow at once.
   */
  bind(sequence: SequenceId, t: Uint8Array): Promise<string>;
}

/** A name or a password that cannot be used (RFC 8265). */
export class CredentialError extends Error {
  override readonly name = "CredentialError";
}
