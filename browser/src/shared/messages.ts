/** What popup and error page say to the background page, and what it answers. Only pages of this extension are heard. */

import type { BlockedPage, Realm, TabView } from "./state.js";

/** Why something that the user wanted did not happen; each has a text. */
export type Failure =
  /** The name or the password was not accepted. */
  | "refused"
  /** Too many attempts: wait a while. */
  | "wait"
  /** Whoever answered did not prove itself. */
  | "impostor"
  /** No answer. */
  | "network"
  /** The name or the password has characters that cannot be used (RFC 8265), or is empty. */
  | "characters"
  /** The page is gone, or asks no more. */
  | "gone"
  /** This server has no registration here. */
  | "no-registration"
  /** The invitation is wrong, was used, or is too old. */
  | "invitation"
  /** A new password may be sent over https alone. */
  | "insecure"
  /** Something went wrong in here. */
  | "internal";

export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

/** Where the panel said that a login, or a new password, would be for. Should the tab ask for another by now, nothing is done. */
export interface Place {
  readonly origin: string;
  readonly realm: Realm;
}

/** Every request, with the type of what is answered. */
export interface Requests {
  /** What is to be shown of a tab. */
  view: { readonly tab: number; readonly answer: TabView };
  /** Log in where the tab asks. Answered when the outcome is known: the page then loads, or the form goes out. */
  login: {
    readonly tab: number;
    readonly place: Place;
    readonly user: string;
    readonly password: string;
    readonly answer: null;
  };
  /** Show the answer that is held back, without a login. */
  decline: { readonly tab: number; readonly answer: null };
  /** Log out of a realm, in every tab of the tab's container. */
  logout: { readonly tab: number; readonly realm: Realm; readonly answer: null };
  /** Log out of everything in the tab's container. */
  logoutAll: { readonly tab: number; readonly answer: null };
  /** Register with an invitation, in the realm that the tab asks for or is logged in to. */
  register: {
    readonly tab: number;
    readonly place: Place;
    readonly user: string;
    readonly password: string;
    readonly invitation: string;
    readonly answer: null;
  };
  /** Change the password of whoever is logged in in the tab. The old one is proven anew. */
  changePassword: {
    readonly tab: number;
    readonly place: Place;
    readonly old: string;
    readonly password: string;
    readonly answer: null;
  };
  /** What an error page is about, by the id in its address. */
  blocked: { readonly id: string; readonly answer: BlockedPage };
  /** Try again what an error page is about: in the sender's tab, with a new key exchange. */
  retry: { readonly id: string; readonly answer: null };
  /** Forget the login and open the page of an error page as a stranger. */
  openAsStranger: { readonly id: string; readonly answer: null };
}

export type Kind = keyof Requests;
export type Request<K extends Kind = Kind> = { [P in K]: { readonly kind: P } & Omit<Requests[P], "answer"> }[K];

/** Sent by the background page to the popup whenever a tab's view changes. */
export interface Changed {
  readonly kind: "changed";
  readonly tab: number;
}

/** Asks the background page. */
export async function ask<K extends Kind>(request: Request<K>): Promise<Answer<Requests[K]["answer"]>> {
  return (await browser.runtime.sendMessage(request)) as Answer<Requests[K]["answer"]>;
}
