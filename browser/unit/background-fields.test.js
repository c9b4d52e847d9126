// Header lines, challenges and addresses, as the background page reads them.
import assert from "node:assert/strict";
import test from "node:test";
import * as fields from "../build/js/background/fields.js";
import * as site from "../build/js/background/site.js";
import { ALICE } from "./fake.js";

const challenge = value => [{ name: "www-authenticate", value }];

test("values that Firefox joined are lines again, and octets are characters", () => {
  assert.deepEqual(fields.toLines([{ name: "A", value: "1\n2" }]), [
    ["A", "1"],
    ["A", "2"],
  ]);
  assert.deepEqual(fields.toLines([{ name: "A", binaryValue: [0xe4, 65] }]), [["A", "\u00e4A"]]);
  assert.deepEqual(fields.toLines(undefined), []);
});

test("schemes are found wherever they stand, and not inside of quotes", () => {
  for (const [value, wanted] of [
    ['Mutual version=1, realm="x"', ["mutual"]],
    ['Basic realm="a, Mutual b", Mutual realm="x"', ["basic", "mutual"]],
    ['Mutual realm="x", BASIC', ["mutual", "basic"]],
    ['Mutual realm = "x" , Digest nonce="\\", Negotiate"', ["mutual", "digest"]],
    ["Negotiate dG9rZW4=, NTLM", ["negotiate", "ntlm"]],
    ['Basic realm="open, Mutual x=1', ["basic"]],
    [", ,", []],
  ])
    assert.deepEqual(fields.schemes(value), wanted, value);
});

test("a realm whose name says Mutual is no challenge of ours", () => {
  const lines = fields.toLines(challenge('Basic realm="Mutual Insurance"'));
  assert.ok(!fields.offered(lines).has("mutual"));
  assert.ok(fields.prompts(lines));
});

test("of challenges nothing but our scheme's bare name is left: Firefox may read them in another way", () => {
  const value = headers => fields.toLines(headers).map(([, line]) => line);
  for (const line of [
    'Basic realm="x"\nMutual realm="y"',
    'Mutual realm="y"',
    'Mutual realm="St\\", Basic realm="',
  ]) {
    assert.deepEqual(value(fields.withoutOthers(challenge(line))), ["Mutual"], line);
  }
  assert.deepEqual(fields.withoutOthers([{ name: "X", value: "1" }]), [{ name: "X", value: "1" }]);
  const two = [...challenge("Basic"), { name: "WWW-Authenticate", value: "Mutual a=1" }];
  assert.deepEqual(value(fields.withoutOthers(two)), ["Mutual"]);
});

test("whatever Firefox might ask for a password for is seen, also where we would read no challenge", () => {
  const asks = value => fields.prompts([["WWW-Authenticate", value]]);
  for (const value of ['Foo a="\\", Basic realm="x"', "Foo\t, DIGEST\trealm=x", 'Foo a="b, ntlm', "negotiate"]) {
    assert.ok(asks(value), value);
  }
  for (const value of ["Mutual", 'Bearer realm="x"', 'Mutual realm="Basics"']) assert.ok(!asks(value), value);
  assert.ok(!fields.prompts([["X-Note", "Basic"]]));
});

test("credentials of schemes that Firefox knows are told from those that only a script has", () => {
  for (const value of ["Basic eDp5", "digest username=x", " NTLM x", "Negotiate"])
    assert.ok(fields.isBrowsers(value), value);
  for (const value of ["Bearer x", "Basic-like x", "Basics x", ""]) assert.ok(!fields.isBrowsers(value), value);
});

test("an answer that was proven is stored nowhere, whatever it says itself", () => {
  const headers = [
    { name: "Cache-Control", value: "max-age=600" },
    { name: "cache-control", value: "public" },
    { name: "Expires", value: "Thu, 01 Jan 2037 00:00:00 GMT" },
    { name: "ETag", value: '"1"' },
  ];
  assert.deepEqual(fields.notStored(headers), [
    { name: "ETag", value: '"1"' },
    { name: "Cache-Control", value: "no-store" },
  ]);
});

test("credentials of our scheme are known by it alone", () => {
  for (const value of ["Mutual a=1", "mutual", " MUTUAL\tb"]) assert.ok(fields.isMutual(value), value);
  for (const value of ["Bearer Mutual", "Mutualx a", "Mutual-2 a"]) assert.ok(!fields.isMutual(value), value);
});

test("addresses: a WebSocket is a request like others, and what is not of the web is none", () => {
  assert.equal(site.address("wss://site.test:8443/a?b#c").url, "https://site.test:8443/a?b");
  assert.equal(site.address("ws://site.test/").origin, "http://site.test");
  for (const other of [
    "about:blank",
    "data:text/html,x",
    "view-source:https://site.test/",
    "file:///x",
    "x",
    undefined,
  ])
    assert.equal(site.address(other), null);
  assert.ok(site.sameAddress("https://site.test/a#b", "https://site.test/a#c"));
  assert.ok(!site.sameAddress("https://site.test/a", "https://site.test/a?"));
  assert.ok(!site.sameAddress("https://site.test/a", "http://site.test/a"));
});

test("what a scope covers", () => {
  for (const [scope, origin, wanted] of [
    ["site.test", "https://site.test", true],
    ["site.test", "http://site.test:81", true],
    ["site.test", "https://www.site.test", false],
    ["https://site.test:443", "https://site.test", true],
    ["https://site.test", "http://site.test", false],
    ["https://site.test", "https://site.test:8443", false],
    ["*.site.test", "https://site.test", true],
    ["*.site.test", "https://a.b.site.test", true],
    ["*.site.test", "https://evilsite.test", false],
    ["[::1]", "http://[::1]:80", true],
  ])
    assert.equal(site.covers(scope, origin), wanted, `${scope} ${origin}`);
});

const target = site.address("https://site.test/app");
const at = (...servers) => [{ ...ALICE, servers }];
const from = (more, logins = at("https://site.test")) =>
  site.fromInside({ type: "image", method: "GET", tabId: 1, ...more }, target, logins);

test("parts of pages: every page around them has to be of the realm", () => {
  assert.ok(from({ originUrl: "https://site.test/", documentUrl: "https://site.test/" }));
  assert.ok(!from({ originUrl: "https://evil.test/" }));
  assert.ok(!from({ originUrl: "https://site.test/", documentUrl: "https://evil.test/" }));
  const around = [{ url: "https://site.test/" }, { url: "https://evil.test/" }];
  assert.ok(!from({ originUrl: "https://site.test/", documentUrl: "https://site.test/", frameAncestors: around }));
  assert.ok(!from({ originUrl: "moz-nullprincipal:{1}" }));
  assert.ok(!from({ originUrl: "null" }));
  assert.ok(from({}), "an icon, which the browser itself loads");
  assert.ok(!from({ thirdParty: true }));
  const sandboxed = { thirdParty: true, frameAncestors: [{ url: "https://site.test/" }] };
  assert.ok(!from(sandboxed), "a sandboxed document within the realm is not of the realm");
});

test("pages of another origin are of the realm where it was proven, and not where its scope merely reaches", () => {
  const other = "https://site.test:8443";
  assert.ok(from({ originUrl: `${other}/` }, at(other)));
  assert.ok(!from({ originUrl: `${other}/` }, at("https://site.test")), "another port: anybody may answer there");
  assert.ok(!from({ originUrl: `${other}/` }, [ALICE]), "nothing is known");
  const plain = "http://site.test";
  assert.ok(
    !from({ originUrl: `${plain}/` }, at(plain, "https://site.test")),
    "without TLS it may be anybody by now",
  );
  const realm = { ...ALICE.realm, scope: "*.site.test" };
  const wide = [{ ...ALICE, realm, servers: ["https://www.site.test"] }];
  assert.ok(from({ originUrl: "https://www.site.test/" }, wide), "to a host that was not visited before");
  assert.ok(!from({ originUrl: "https://new.site.test/" }, wide));
  const elsewhere = [{ ...ALICE, realm: { ...realm, scope: "www.site.test" }, servers: ["https://www.site.test"] }];
  assert.ok(!from({ originUrl: "https://www.site.test/" }, elsewhere), "another realm's");
});

test("without TLS on both sides, the proven page is of the realm", () => {
  const here = site.address("http://site.test/app");
  const source = { type: "image", method: "GET", tabId: 1, originUrl: "http://site.test:81/" };
  assert.ok(site.fromInside(source, here, at("http://site.test:81")));
  assert.ok(!site.fromInside(source, here, at("http://site.test")));
});

test("pages: whoever follows a link is the user; whoever is sent there with a form is not", () => {
  const page = more => from({ type: "main_frame", ...more });
  assert.ok(page({ originUrl: "https://evil.test/" }));
  assert.ok(!page({ originUrl: "https://evil.test/", method: "POST" }));
  assert.ok(page({ originUrl: "https://site.test/", method: "POST" }));
  assert.ok(!page({ method: "POST" }), "a sandboxed document has no address");
  assert.ok(!from({ type: "sub_frame", originUrl: "https://evil.test/" }));
});

test("what only this extension may use, however it is written", () => {
  for (const path of [
    "/.well-known/tagai/account/password",
    "/.well-known/tagai/account",
    "//.well-known//tagai/account/x",
    "/.well-known/tagai/%61ccount/x",
    "/.well-known/tagai/%2561ccount/x",
    "/.WELL-KNOWN/tagai/account/x",
    "/x/../.well-known/tagai/account/x",
    "/.well-known\\tagai/account/x",
  ])
    assert.ok(site.isAccountPath(site.address(`https://site.test${path}`)), path);
  for (const path of ["/.well-known/tagai/logout", "/account/", "/.well-known/tagai/accounting"])
    assert.ok(!site.isAccountPath(site.address(`https://site.test${path}`)), path);
});

test("places that servers name are of the web", () => {
  assert.equal(site.resolve("/login", "https://site.test/a/b"), "https://site.test/login");
  for (const place of [
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "moz-extension://us/",
    "https://[",
  ])
    assert.equal(site.resolve(place, "https://site.test/"), null);
});
