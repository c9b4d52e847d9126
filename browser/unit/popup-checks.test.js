// What the popup says of input before it goes anywhere.
import assert from "node:assert/strict";
import test from "node:test";
import {
  checkChange,
  checkLogin,
  checkRegister,
  FAILURES,
  lengthHint,
  readInvitation,
} from "../build/js/popup/checks.js";

const CODE = "0123-4567-89AB-CDEF-GHJK";

test("an invitation is read as people type it", () => {
  for (const typed of [
    CODE,
    "0123456789ABCDEFGHJK",
    "  0123 4567 89ab cdef ghjk ",
    "o123-4567-89ab-cdef-ghjk",
    "O12345678 9ABCDEFGHJK",
    "０１２３－４５６７－８９ａｂ－ｃｄｅｆ－ｇｈｊｋ",
    "0123ー4567ー89ABーCDEFーGHJK",
    "0123–4567–89AB–CDEF–GHJK",
    "0i23-4567-89AB-CDEF-GHJK",
    "0l23-4567-89AB-CDEF-GHJK",
  ]) {
    assert.equal(readInvitation(typed), CODE, typed);
  }
});

test("what cannot be an invitation is none", () => {
  for (const typed of [
    "",
    "0123-4567-89AB-CDEF",
    `${CODE}0`,
    "U123-4567-89AB-CDEF-GHJK",
    "0123-4567-89AB-CDEF-GHJ!",
    "é".repeat(20),
  ]) {
    assert.equal(readInvitation(typed), null, typed);
  }
});

test("the hint goes by length, in characters as people count them", () => {
  const level = password => lengthHint(password).level;
  assert.deepEqual(["", "1234567", "12345678", "x".repeat(14), "x".repeat(20)].map(level), [0, 1, 2, 3, 4]);
  assert.equal(level("🗝".repeat(7)), 1);
  assert.equal(level("🗝".repeat(8)), 2);
  assert.deepEqual(lengthHint("x").text, { key: "hint_short", with: ["8"] });
});

test("the login form: what is missing, and where", () => {
  assert.equal(checkLogin("alice", "x"), null);
  assert.equal(checkLogin("", "").field, "user");
  assert.equal(checkLogin("alice", "").field, "password");
});

test("the change of a password", () => {
  assert.equal(checkChange("old", "new password", "new password"), null);
  assert.equal(checkChange("", "new password", "new password").field, "old-password");
  assert.equal(checkChange("old", "short", "short").text.key, "hint_short");
  assert.equal(checkChange("old", "new password", "new passwort").field, "new-password-again");
  assert.equal(checkChange("the same one", "the same one", "the same one").text.key, "hint_same_as_old");
});

test("a registration", () => {
  assert.equal(checkRegister("alice", CODE, "new password", "new password"), null);
  assert.equal(checkRegister("", CODE, "new password", "new password").field, "register-user");
  assert.equal(checkRegister("alice", "x", "new password", "new password").field, "invitation");
  assert.equal(checkRegister("alice", CODE, "short", "short").field, "register-password");
  assert.equal(checkRegister("alice", CODE, "new password", "").field, "register-password-again");
});

test("each failure has a text of its own", () => {
  const texts = Object.values(FAILURES);
  assert.equal(texts.length, 10);
  assert.equal(new Set(texts).size, texts.length);
});
