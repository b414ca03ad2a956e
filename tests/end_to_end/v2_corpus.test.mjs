// Each message of the reference corpus through the listener: one answer to each, AA and translated
// or AE with an ERR that names place and reason. Nothing hangs, nothing is answered twice, nothing
// that was taken becomes nothing.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";

import { assigners, digestIn, field, messages, without } from "./lib/corpus.mjs";
import { startSite } from "./lib/site.mjs";
import { acked, collect, oru } from "./lib/v2.mjs";

const skip = without("v2_messages");
const SENDERS = 8; // connections
const MAPPED = /^(ADT.A\d\d|ORU.R01|VXU.V04)/; // types of which some hold next to nothing

const taken = new Map(); // messages by the end of their exchange's id, which is MSH-10 of the answer
let site;
let corpus;

before(async () => {
  if (!skip) {
    corpus = [...messages("v2_messages"), ...messages("v2_quirky")];
    site = await startSite({
      routes: [{ to: ["ehr"], on_park: "skip" }],
      sender: { assigners: assigners(corpus) },
    });
  }
});

after(() => site?.stop());

/** What is wrong with message @text, as a look at it tells: place, condition, words of the reason. */
function wrongWith(text) {
  const [type] = field(text, 9).split(field(text, 2)[0]);
  if (type === "" || type === '""') {
    return ["MSH-9", "101", /doesn't say its type/];
  }
  const lines = text.split(/[\r\n]+/).filter((line) => line && !/^(MSH|EVN)/.test(line));
  const told = lines.flatMap((line) => line.split(field(text, 1)).slice(2)).filter(Boolean);
  if (MAPPED.test(field(text, 9)) && told.length <= 2) {
    const [segment, named] = type === "ORU" ? ["OBR", /^$/] : ["PID", /^PID/];
    return lines.some((line) => named.test(line))
      ? ["PID-3", "101", /becomes a resource; required and missing: PID-3, /]
      : [segment, "100", new RegExp(`becomes a resource; required and missing: ${segment}`)];
  }
  return ["MSH-9", "201", /no map translates/];
}

/** Why @answer isn't one that the sender of @message can do something with; or nothing. */
function fault(message, answer) {
  const text = message.bytes.toString("latin1");
  const version = field(text, 12).split(field(text, 2)[0])[0];
  const [separator, component] = answer.slice(3);
  const segments = answer.split("\r").map((line) => line.split(separator));
  const [, msa, err] = segments;
  if (msa[0] !== "MSA" || (msa[2] ?? "") !== field(text, 10)) {
    return "MSA-2 isn't MSH-10";
  }
  if (msa[1] === "AA") {
    return undefined;
  }
  const old = /^2\.[1-4](\.|$)/.test(version);
  const [segment, ...where] = (old ? err[1] : err[2]).split(component);
  const number = where[1];
  const condition = (old ? where[2] : err[3]).slice(0, 3);
  const reason = (old ? msa[3] : err[8]) ?? "";
  const [place, expected, words] = wrongWith(text);
  const at = number ? `${segment}-${number}` : segment;
  const good = msa[1] === "AE" && at === place && condition === expected;
  return good && words.test(reason) ? undefined : `refused, and not for ${place} ${expected}`;
}

test("each of them has one answer, and one that helps", { skip }, async (t) => {
  assert.ok(corpus.length >= 447, `${corpus.length} messages`);
  const parts = Array.from({ length: SENDERS }, (_, k) =>
    corpus.filter((_, i) => i % SENDERS === k),
  );
  const answers = await Promise.all(
    parts.map((part) =>
      collect(site.port, part.map(({ bytes }) => bytes), { quiet: 3000, encoding: "latin1" }),
    ),
  );
  const faults = [];
  const codes = {};
  taken.clear();
  parts.forEach((part, k) => {
    assert.equal(answers[k].length, part.length, "one answer to each");
    part.forEach((message, i) => {
      const code = answers[k][i].split("\r")[1].slice(4, 6);
      codes[code] = (codes[code] ?? 0) + 1;
      if (code === "AA") {
        taken.set(answers[k][i].split(answers[k][i][3])[9], message);
      }
      const why = fault(message, answers[k][i]);
      if (why) {
        faults.push(`${message.name}: ${why}: ${answers[k][i].replaceAll("\r", " ")}`);
      }
    });
  });
  t.diagnostic(JSON.stringify(codes));
  assert.deepEqual(faults, []);
});

test("what was taken is translated, or waits with a reason", { skip }, async (t) => {
  await site.quiet();
  const rows = site.outbox();
  const states = {};
  for (const { state, reason } of rows) {
    const key = state === "delivered" ? state : `${state}: ${reason}`;
    states[key] = (states[key] ?? 0) + 1;
    assert.ok(state === "delivered" || reason, "a reason");
    assert.notEqual(reason, "empty", "refused, not taken");
  }
  t.diagnostic(JSON.stringify(states));
  assert.ok(rows.some(({ state }) => state === "delivered"));
});

test("what was delivered is there: a Provenance names the message and what came of it", { skip }, async () => {
  const bodies = (await site.store.dump()).map(({ body }) => JSON.parse(body));
  const digests = new Map(
    bodies
      .filter(({ resourceType }) => resourceType === "Provenance")
      .map((provenance) => [digestIn(provenance), provenance.target]),
  );
  const ids = new Set(bodies.map(({ resourceType, id }) => `${resourceType}/${id}`));
  const bare = [];
  for (const { exchange, state } of site.outbox()) {
    const message = [...taken].find(([end]) => exchange.endsWith(end))?.[1];
    if (message && state === "delivered") {
      const targets = digests.get(createHash("sha256").update(message.bytes).digest("hex"));
      if (!targets?.length || !targets.every(({ reference }) => ids.has(reference))) {
        bare.push(message.name);
      }
    }
  }
  assert.deepEqual(bare, []);
});

test("the gateway lives on", { skip }, async () => {
  const [answer] = await collect(site.port, [oru("STILL")]);
  assert.equal(acked(answer).code, "AA");
});
