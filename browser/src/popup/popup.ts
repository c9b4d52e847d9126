/** The popup: asks the background page what is to be shown, and says to it what the user wants. */

import { type Answer, ask, type Changed, type Failure, type Place } from "../shared/messages.js";
import type { Realm, TabView } from "../shared/state.js";
import { byId, focusOn, mark, setText } from "../ui/dom.js";
import { localize, say, t } from "../ui/i18n.js";
import type { Key } from "../ui/keys.js";
import { clearPassword, take, watchPasswords } from "../ui/password.js";
import { checkChange, checkLogin, checkRegister, lengthHint, readInvitation } from "./checks.js";
import { complain, hush, sayDone, sayFailure, sayProblem } from "./message.js";
import { model, type Page, placeOf, sameQuestion } from "./model.js";
import { render, renderBusy } from "./render.js";

const LOGIN_PASSWORDS = ["password"] as const;
const CHANGE_PASSWORDS = ["old-password", "new-password", "new-password-again"] as const;
const REGISTER_PASSWORDS = ["register-password", "register-password-again"] as const;
const ALL_PASSWORDS = [...LOGIN_PASSWORDS, ...CHANGE_PASSWORDS, ...REGISTER_PASSWORDS];

/** The tab that the popup hangs on. */
let tab = browser.tabs.TAB_ID_NONE;
let view: TabView | null = null;
let page: Page = "main";
/** The popup itself waits for an answer. */
let waiting = false;

/** Asks, and takes an exception, such as a background page that is not there, for a failure. */
async function request<T>(answer: Promise<Answer<T>>): Promise<Answer<T>> {
  try {
    return await answer;
  } catch {
    return { ok: false, failure: "internal" };
  }
}

async function refresh(): Promise<void> {
  const answer = await request(ask({ kind: "view", tab }));
  if (!answer.ok) {
    sayFailure(answer.failure);
    return;
  }
  const before = view;
  view = answer.value;
  if (before !== null && !sameQuestion(before, view)) {
    // What was typed was meant for another page.
    forgetPasswords();
    if (!waiting && before.status === "asked" && view.status === "asked") sayProblem({ key: "page_changed" });
  }
  draw();
}

function draw(): void {
  if (view === null) return;
  const shown = model(view, page);
  page = shown.page;
  render(shown, (realm, user) => void logout(realm, user));
  renderBusy(waiting || shown.busy);
}

/** Opens one of the popup's pages, and puts the caret into its first field. */
function open(next: Page, first: string): void {
  hush();
  forgetPasswords();
  page = next;
  hints();
  draw();
  if (page === next) focusOn(first);
}

function back(): void {
  const opener = page === "change" ? "open-change" : "open-register";
  open("main", opener);
}

function forgetPasswords(): void {
  for (const id of ALL_PASSWORDS) clearPassword(id);
}

/** Runs one wish of the user, with everything switched off meanwhile, and `work` said. Null if one is under way. */
async function run<T>(work: Key, start: () => Promise<Answer<T>>): Promise<Answer<T> | null> {
  if (waiting) return null;
  hush();
  waiting = true;
  renderBusy(true);
  setText("progress", t(work));
  const answer = await request(start());
  waiting = false;
  setText("progress", "");
  await refresh();
  return answer;
}

// What the user can do

async function login(): Promise<void> {
  const user = byId("user", HTMLInputElement).value;
  const problem = checkLogin(user, byId("password", HTMLInputElement).value);
  if (problem !== null) {
    hush();
    complain(problem);
    return;
  }
  // What was typed is for the page that was there when it was typed.
  const place = await stillAsked();
  if (place === null) return;
  const answer = await run("login_busy", () => ask({ kind: "login", tab, place, user, password: take("password") }));
  if (answer === null) return;
  // The page is there: the popup is in its way.
  if (answer.ok) window.close();
  else sayFailure(answer.failure, view?.status === "asked" ? fieldOf(answer.failure) : undefined);
}

/**
 * Looks once more whether the tab asks what it asked, and says for which place; null if not: {@link refresh} has said so and
 * emptied the fields.
 */
async function stillAsked(): Promise<Place | null> {
  const before = view;
  await refresh();
  if (view === null || (before !== null && !sameQuestion(before, view))) return null;
  return placeOf(view);
}

/** The field that is to be corrected after a failed login. */
function fieldOf(failure: Failure): string | undefined {
  return failure === "refused" || failure === "characters" ? "password" : undefined;
}

async function decline(): Promise<void> {
  const answer = await run("loading", () => ask({ kind: "decline", tab }));
  if (answer?.ok === true) window.close();
  else if (answer !== null) sayFailure(answer.failure);
}

async function logout(realm: Realm, _user: string): Promise<void> {
  finish(await run("logout_busy", () => ask({ kind: "logout", tab, realm })), "done_logout");
}

async function logoutAll(): Promise<void> {
  finish(await run("logout_busy", () => ask({ kind: "logoutAll", tab })), "done_logout");
}

function finish(answer: Answer<null> | null, done: Key): void {
  if (answer === null) return;
  if (!answer.ok) {
    sayFailure(answer.failure);
    return;
  }
  sayDone(done);
  focusOn("message");
}

async function change(): Promise<void> {
  const values = CHANGE_PASSWORDS.map(id => byId(id, HTMLInputElement).value);
  const [old = "", password = "", again = ""] = values;
  const problem = checkChange(old, password, again);
  if (problem !== null) {
    hush();
    complain(problem);
    return;
  }
  const place = await stillAsked();
  if (place === null) return;
  forgetPasswords();
  const answer = await run("change_busy", () => ask({ kind: "changePassword", tab, place, old, password }));
  hints();
  if (answer?.ok === true) {
    open("main", "logout");
    finish(answer, "done_change");
  } else if (answer?.failure === "refused") sayFailure("refused", "old-password", "failure_refused_old");
  else if (answer?.failure === "impostor") sayFailure("impostor", undefined, "failure_impostor_change");
  else if (answer !== null) sayFailure(answer.failure);
}

async function register(): Promise<void> {
  const user = byId("register-user", HTMLInputElement).value;
  const code = byId("invitation", HTMLInputElement);
  const [password = "", again = ""] = REGISTER_PASSWORDS.map(id => byId(id, HTMLInputElement).value);
  const problem = checkRegister(user, code.value, password, again);
  const invitation = readInvitation(code.value);
  if (problem !== null || invitation === null) {
    hush();
    if (problem !== null) complain(problem);
    return;
  }
  const place = await stillAsked();
  if (place === null) return;
  const answer = await run("register_busy", () => ask({ kind: "register", tab, place, user, password, invitation }));
  // Who mistyped the code need not type the rest again.
  if (answer?.ok === true || answer?.failure === "impostor") forgetPasswords();
  hints();
  if (answer?.ok === true) {
    code.value = "";
    byId("user", HTMLInputElement).value = user;
    page = "main";
    draw();
    finish(answer, "done_register");
  } else if (answer !== null) sayFailure(answer.failure, answer.failure === "invitation" ? "invitation" : undefined);
}

/** What is said under the fields of new passwords, by what is in them. */
function hints(): void {
  for (const [field, hint] of [
    ["new-password", "change-hint"],
    ["register-password", "register-hint"],
  ] as const) {
    const { level, text } = lengthHint(byId(field, HTMLInputElement).value);
    mark(hint, "level", String(level));
    setText(hint, say(text));
  }
}

// The page's life

function listen(): void {
  const onSubmit = (form: string, act: () => Promise<void>): void =>
    byId(form, HTMLFormElement).addEventListener("submit", event => {
      event.preventDefault();
      void act();
    });
  onSubmit("login-form", login);
  onSubmit("change-form", change);
  onSubmit("register-form", register);
  const onClick = (button: string, act: () => void): void =>
    byId(button, HTMLButtonElement).addEventListener("click", act);
  onClick("decline", () => void decline());
  onClick("logout", () => {
    if (view?.login != null) void logout(view.login.realm, view.login.user);
  });
  onClick("logout-all", () => void logoutAll());
  onClick("open-change", () => open("change", "old-password"));
  onClick("open-register", openRegister);
  onClick("change-back", back);
  onClick("register-back", back);
  byId("new-password", HTMLInputElement).addEventListener("input", hints);
  byId("register-password", HTMLInputElement).addEventListener("input", hints);
  const code = byId("invitation", HTMLInputElement);
  code.addEventListener("blur", () => {
    code.value = readInvitation(code.value) ?? code.value;
  });
  document.addEventListener("keydown", event => {
    // Not while an input method is at work: there Escape is its own.
    if (event.key === "Escape" && !event.isComposing) window.close();
  });
  window.addEventListener("pagehide", forgetPasswords);
  browser.runtime.onMessage.addListener((message: unknown) => {
    if (isChanged(message) && message.tab === tab) void refresh();
  });
}

function openRegister(): void {
  const user = byId("user", HTMLInputElement).value;
  if (user !== "") byId("register-user", HTMLInputElement).value = user;
  open("register", user === "" ? "register-user" : "invitation");
}

function isChanged(message: unknown): message is Changed {
  return typeof message === "object" && message !== null && "kind" in message && message.kind === "changed";
}

/** Puts the caret where the user begins. */
function begin(): void {
  if (view?.status !== "asked" || view.ask === null) return;
  if (view.ask.reason === "refused") sayProblem({ key: "failure_refused" }, "refused");
  focusOn(byId("user", HTMLInputElement).value === "" ? "user" : "password");
}

async function main(): Promise<void> {
  localize(document);
  watchPasswords(LOGIN_PASSWORDS, "caps-lock");
  watchPasswords(CHANGE_PASSWORDS, "change-caps-lock");
  watchPasswords(REGISTER_PASSWORDS, "register-caps-lock");
  hints();
  listen();
  const [active] = await browser.tabs.query({ active: true, currentWindow: true });
  tab = active?.id ?? browser.tabs.TAB_ID_NONE;
  await refresh();
  begin();
}

void main();
