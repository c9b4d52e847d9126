// Time for logins that run out.
import assert from "node:assert/strict";
import test from "node:test";
import { clock } from "../build/js/engine/clock.js";

function pair() {
  const at = { wall: 1_700_000_000_000, steady: 50 };
  const now = clock(
    () => at.wall,
    () => at.steady,
  );
  const pass = milliseconds => {
    at.wall += milliseconds;
    at.steady += milliseconds;
  };
  return { at, now, pass };
}

test("it goes as the steady clock does, however the two are rounded", () => {
  const { at, now, pass } = pair();
  assert.equal(now(), 0);
  for (let second = 1; second <= 1000; second += 1) {
    pass(1000);
    at.wall += second % 2 === 0 ? 400 : -400;
    assert.equal(now(), second * 1000);
  }
});

test("sleep counts", () => {
  const { at, now, pass } = pair();
  pass(1000);
  at.wall += 3_600_000;
  assert.equal(now(), 3_601_000);
  pass(1000);
  assert.equal(now(), 3_602_000);
});

test("a clock that is set back stops nothing, and sleep counts after it too", () => {
  const { at, now, pass } = pair();
  pass(10_000);
  at.wall -= 86_400_000;
  assert.equal(now(), 10_000);
  pass(1000);
  assert.equal(now(), 11_000);
  at.wall += 60_000;
  assert.equal(now(), 71_000);
});
