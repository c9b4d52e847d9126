/**
 * What the background page and the worker say to each other. Calls are answered in their order.
 *
 * They are those of {@link Engine}, but for passwords: these cross as octets that both sides wipe, since a string cannot be.
 */

import type { Login, Realm } from "../shared/state.js";
import type { AskId, Head, Received, Send, SequenceId } from "./api.js";

export interface Calls {
  begin(context: string, origin: string, path: string): Send;
  field(sequence: SequenceId): string | null;
  receive(sequence: SequenceId, head: Head): Received;
  supply(ask: AskId, user: string, password: Uint8Array): Send;
  remember(context: string, origin: string, realm: Realm, user: string, password: Uint8Array): void;
  drop(id: SequenceId | AskId): void;
  logins(context: string): readonly Login[];
  expects(context: string, origin: string, path: string): Login | null;
  logout(context: string, realm: Realm): boolean;
  logoutAll(context: string): void;
  untilExpiry(context: string): number | null;
  expire(context: string): readonly Login[];
  verifier(realm: Realm, user: string, password: Uint8Array): string;
  beginAs(context: string, origin: string, path: string, realm: Realm, user: string, old: Uint8Array): Send;
  bind(sequence: SequenceId, t: Uint8Array): string;
}

export type Method = keyof Calls;

/** A call. */
export type Call = {
  [M in Method]: { readonly id: number; readonly method: M; readonly args: Parameters<Calls[M]> };
}[Method];

/** Its answer, under the same number. */
export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | {
      readonly id: number;
      readonly ok: false;
      /** The name of the error's class. */
      readonly name: string;
      readonly message: string;
      /** The module has trapped: nothing will be answered any more. */
      readonly over: boolean;
    };
