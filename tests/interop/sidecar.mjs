// Calls APIs through the sidecar with Node's own fetch, which is told the sidecar's address alone.
//
//     node sidecar.mjs SIDECAR-URL MIB
//
// Prints what it got, as JSON.

import { createHash, randomBytes } from "node:crypto";

const [sidecar, mib] = [process.argv[2], Number(process.argv[3])];

async function good(request) {
  const answer = await request;
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  return answer;
}

async function download(path) {
  const hash = createHash("sha256");
  const answer = await good(fetch(sidecar + path));
  for await (const piece of answer.body) hash.update(piece);
  return hash.digest("hex");
}

async function upload(kind, body, sent) {
  const options = { method: "POST", body, duplex: "half" };
  const answer = await good(fetch(`${sidecar}/files/upload/${kind}`, options));
  return { sent: sent(), told: (await answer.json()).sha256 };
}

const greeting = await (await fetch(`${sidecar}/hello-world/hello/application`)).text();
const token = await (await good(fetch(`${sidecar}/token`, { method: "POST" }))).json();

const whole = randomBytes(mib * 1024 * 1024);
const wholeHash = createHash("sha256").update(whole).digest("hex");
const streamed = createHash("sha256");
let left = mib;
const stream = new ReadableStream({
  pull(controller) {
    if (left-- === 0) return controller.close();
    const piece = randomBytes(1024 * 1024);
    streamed.update(piece);
    controller.enqueue(piece);
  },
});
const uploads = {
  length: await upload("length", whole, () => wholeHash),
  chunked: await upload("chunked", stream, () => streamed.digest("hex")),
};

const downloaded = await download(`/files/data/${mib}`);
const at_once = await Promise.all(Array.from({ length: 8 }, () => download("/files/data/4")));

console.log(JSON.stringify({ greeting, token, uploads, downloaded, at_once }));
