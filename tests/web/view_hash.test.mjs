// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {deflateRawSync} from "node:zlib";
import {decodeHash, encodeHash} from "../../web/view/view_hash.js";
import {parseView, ViewError} from "../../web/view/view_state.js";

const full = parseView(readFileSync(new URL("../view/good/full.json", import.meta.url), "utf8"));
const pack = (text) => `#v1=${deflateRawSync(text).toString("base64url")}`;

test("a view comes back from its address as it was", async () => {
  assert.deepEqual(await decodeHash(await encodeHash(full)), full);
});

test("what the page itself does not use stays in the address", async () => {
  const own = {captions: {title: "Wolken über Österreich", legend: false}, antialiasing: 3, transparent: true};
  const {captions, antialiasing, transparent} = await decodeHash(await encodeHash(parseView(JSON.stringify({...full, ...own}))));
  assert.deepEqual({captions, antialiasing, transparent}, own);
});

test("an address of an ordinary view is short", async () => {
  assert.ok((await encodeHash(full)).length < 700);
});

test("an address holds only characters that no browser changes", async () => {
  assert.match(await encodeHash(full), /^#v1=[A-Za-z0-9_-]+$/);
});

test("camera positions are kept to a metre and no point of the curve is lost", async () => {
  const view = {...full, camera: {...full.camera, eye: [1 / 3, -900.12345, 7]}};
  const back = await decodeHash(await encodeHash(view));
  assert.deepEqual(back.camera.eye, [0.333, -900.123, 7]);
  assert.equal(back.layers[0].opacity.length, 3);
});

test("an eye nearer than a metre to its target still differs from it", async () => {
  const view = {...full, camera: {...full.camera, eye: [0, 0, 0.0001], target: [0, 0, 0]}};
  assert.deepEqual((await decodeHash(await encodeHash(view))).camera.eye, [0, 0, 0.0001]);
});

test("plain JSON and the short form are read too", async () => {
  assert.deepEqual(await decodeHash(`#view=${encodeURIComponent(JSON.stringify(full))}`), full);
  const short = await decodeHash("#dataset=demo&variable=a&variable=b&run=latest&time=T+6&member=2");
  assert.deepEqual(short.layers.map((layer) => layer.variable), ["a", "b"]);
  assert.equal(short.time, "T+6");
  assert.equal(short.member, 2);
  assert.equal(short.exaggeration, undefined);
});

test("no view is no view", async () => {
  assert.equal(await decodeHash(""), null);
  assert.equal(await decodeHash("#"), null);
  assert.equal(await decodeHash("#somewhere"), null);
});

for (const [name, hash] of Object.entries({
  "cut off": "#v1=VVFBboMwEPzLSj3",
  "not base64": "#v1=%%%",
  "not text": pack(Buffer.from([0xff, 0xfe])),
  "not JSON": pack("{"),
  "bad percent": "#view=%E0%A4%A",
  "member no number": "#dataset=d&member=x",
})) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(decodeHash(hash), ViewError);
  });
}

test("an address that swells is refused before it has swollen", async () => {
  await assert.rejects(decodeHash(pack(" ".repeat(200e6))), {message: "view: longer than 65536 bytes"});
});
