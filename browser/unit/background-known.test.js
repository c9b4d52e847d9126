// Where a login was proven once: what is remembered, and who has to go when there are too many.
import assert from "node:assert/strict";
import test from "node:test";
import { Known, MOST, makeRoom } from "../build/js/background/known.js";

const CONTEXT = "firefox-default";
const nowhere = { get: async () => ({}), set: async () => {} };
const flood = (known, origin, context, count) => {
  for (let number = 0; number < count; number++) known.add(context, origin(number), "R");
};

test("one domain with any number of hosts washes out nobody else", async () => {
  for (const context of [CONTEXT, "firefox-private"]) {
    const known = new Known(nowhere);
    known.add(context, "https://site.test", "Staff");
    known.add(context, "https://www.honest.co.uk", "Staff");
    flood(known, number => `https://h${number}.evil.test`, context, MOST + 50);
    flood(known, number => `https://h${number}.deep.evil.co.uk`, context, 200);
    flood(known, number => `https://10.0.0.1:${number}`, context, 200);
    assert.ok(await known.has("https://site.test"));
    assert.ok(await known.has("https://www.honest.co.uk"));
    assert.ok(!(await known.has("https://h0.evil.test")), "its own are gone");
  }
});

test("one host with any number of realms loses its own", async () => {
  const known = new Known(nowhere);
  known.add(CONTEXT, "https://site.test", "Staff");
  for (let number = 0; number < MOST + 50; number++) known.add(CONTEXT, "https://evil.test", `R${number}`);
  assert.ok(await known.has("https://site.test"));
  assert.ok(!(await known.hasRealm("https://evil.test", "R0")));
  assert.ok(await known.hasRealm("https://evil.test", `R${MOST + 49}`));
});

test("among equals, what was used longest ago goes", () => {
  const gone = (...origins) => {
    const places = origins.map(origin => [origin, "R"]);
    const [lost] = places.filter(place => !makeRoom(places).includes(place));
    return lost?.[0];
  };
  assert.equal(gone("https://a.test", "https://b.test", "https://c.test"), "https://a.test");
  assert.equal(gone("https://a.test", "https://b.example", "https://c.test"), "https://a.test");
  assert.equal(gone("https://a.test", "https://x.b.test", "https://b.test"), "https://x.b.test");
  assert.equal(gone("http://[::1]", "http://127.0.0.1", "http://127.0.0.2"), "http://[::1]");
  assert.deepEqual(makeRoom([]), []);
});

test("what was stored is there again, and not more than there may be", async () => {
  const many = Array.from({ length: MOST + 5 }, (_, number) => [`https://h${number}.test`, "R"]);
  const known = new Known({ get: async () => ({ known: [...many, ["broken"], 7] }), set: async () => {} });
  assert.ok(!(await known.has("https://h0.test")));
  assert.ok(await known.has(`https://h${MOST + 4}.test`));
});
