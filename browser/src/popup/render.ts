/** Puts a {@link Model} on the page. What is typed is left alone. */

import type { Realm } from "../shared/state.js";
import { byId, make, mark, setText, show } from "../ui/dom.js";
import { say, t } from "../ui/i18n.js";
import type { LoginLine, LoginPart, Model, Notice, ProvenPart } from "./model.js";

/** Asked to log out of one of the list. */
export type LogoutOne = (realm: Realm, user: string) => void;

/** Shows a model; `logoutOne` is called from the buttons of the list. */
export function render(shown: Model, logoutOne: LogoutOne): void {
  renderSite(shown);
  const main = shown.page === "main";
  show("login-form", main && shown.login !== null);
  show("proven", main && shown.proven !== null);
  show("impostor", main && shown.blocked !== null);
  show("change-form", shown.page === "change");
  show("register-form", shown.page === "register");
  if (shown.login !== null) renderLogin(shown.login);
  if (shown.proven !== null) renderProven(shown.proven);
  setText("impostor-text", shown.blocked === null ? "" : say(shown.blocked));
  setText("change-who", shown.proven === null ? "" : t("change_who", shown.proven.user, shown.proven.place));
  setText("register-heading", shown.place === "" ? t("register_button") : t("register_heading", shown.place));
  show("logins", main && shown.others !== null);
  renderOthers(shown.others, logoutOne);
}

function renderSite(shown: Model): void {
  mark("status", "status", shown.status);
  mark("status", "page", shown.page);
  const icon = byId("status-icon", HTMLImageElement);
  const source = `../icons/${shown.status}.svg`;
  if (icon.getAttribute("src") !== source) icon.src = source;
  show("origin", shown.origin !== null);
  setText("origin-scheme", shown.origin?.scheme ?? "");
  setText("origin-host", shown.origin?.host ?? "");
  setText("origin-port", shown.origin?.port ?? "");
  setText("status-text", say(shown.title));
  setText("status-more", say(shown.more));
  mark("status", "ready", "true");
}

function renderLogin(login: LoginPart): void {
  setText("login-heading", say(login.heading));
  byId("login-heading", HTMLElement).title = login.scope;
  renderNotices("notices", login.notices);
  // Here it matters most.
  renderNotices(
    "register-notices",
    login.notices.filter(({ text }) => text.key === "notice_first"),
  );
  const user = byId("user", HTMLInputElement);
  if (login.fixedUser !== null) user.value = login.fixedUser;
  else if (user.readOnly) user.value = "";
  user.readOnly = login.fixedUser !== null;
  show("user-fixed", login.fixedUser !== null);
  show("decline", login.canDecline);
  show("open-register", login.canRegister);
}

function renderNotices(id: string, notices: readonly Notice[]): void {
  const list = byId(id, HTMLUListElement);
  const keys = notices.map(notice => notice.text.key).join(" ");
  if (list.getAttribute("data-shown") === keys) return;
  list.setAttribute("data-shown", keys);
  list.replaceChildren(
    ...notices.map(notice => {
      const item = make("li", "notice", say(notice.text));
      item.setAttribute("data-tone", notice.tone);
      item.setAttribute("data-notice", notice.text.key);
      return item;
    }),
  );
}

function renderProven(proven: ProvenPart): void {
  setText("proven-user", proven.user);
  setText("proven-place", proven.place);
  setText("proven-scope", proven.scope);
  show("open-change", proven.canChange);
  show("proven-open", proven.open);
}

function renderOthers(others: Model["others"], logoutOne: LogoutOne): void {
  const list = byId("logins-list", HTMLUListElement);
  if (others === null) {
    list.replaceChildren();
    list.removeAttribute("data-shown");
    return;
  }
  setText("logins-heading", say(others.heading));
  show("logout-all", others.all);
  // Only a list that is another one is built anew: the focus stays where it is.
  const content = JSON.stringify(others.lines);
  if (list.getAttribute("data-shown") === content) return;
  list.setAttribute("data-shown", content);
  list.replaceChildren(...others.lines.map(line => otherItem(line, logoutOne)));
}

function otherItem(line: LoginLine, logoutOne: LogoutOne): HTMLLIElement {
  const item = make("li", "");
  item.setAttribute("data-user", line.user);
  item.setAttribute("data-realm", line.realm.name);
  item.setAttribute("data-scope", line.realm.scope);
  const text = make("div", "");
  const where = make("p", "", line.place === "" ? line.scope : `${line.place} · ${line.scope}`);
  where.dir = "auto";
  text.append(where, make("p", "quiet", t("logins_who", line.user)));
  const button = make("button", "logout-one", t("logout_button"));
  button.type = "button";
  button.setAttribute("aria-label", t("logout_one", line.user, line.place));
  button.addEventListener("click", () => logoutOne(line.realm, line.user));
  item.append(text, button);
  return item;
}

/** The forms, with their buttons, and what these say at rest and at work. */
const BUSY_LABELS = [
  ["login-label", "login_button", "login_busy"],
  ["logout-label", "logout_button", "logout_busy"],
  ["change-label", "change_button", "change_busy"],
  ["register-label", "register_button", "register_busy"],
] as const;

/** Shows that something is under way, or that it is over: nothing can be pressed or typed meanwhile. */
export function renderBusy(busy: boolean): void {
  mark("status", "busy", String(busy));
  byId("main", HTMLElement).setAttribute("aria-busy", String(busy));
  for (const control of document.querySelectorAll<HTMLButtonElement | HTMLInputElement>("button, input")) {
    control.disabled = busy;
  }
  for (const [id, rest, work] of BUSY_LABELS) setText(id, t(busy ? work : rest));
}
