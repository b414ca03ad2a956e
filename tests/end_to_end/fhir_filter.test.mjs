// The filter failing: an upstream answers what can't be read, at once or in the middle of what
// may be shown. Nothing of it leaves that isn't permitted and recorded, and it goes on with the
// next answer that can be read.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";

import { startFhirGateway } from "./lib/fhir.mjs";
import { until } from "./lib/process.mjs";
import { entryOf, startUpstream } from "./lib/upstream.mjs";

const OBSERVATION =
  '"resourceType":"Observation","status":"final","code":{"text":"glucose"},' +
  '"subject":{"reference":"Patient/anna"}';
const GOOD = `{${OBSERVATION},"id":"o1"}`;
const SECRET = "glucose"; // in all answers

let upstream, gw;
let answered; // what the next answer is: status, headers, pieces

before(async () => {
  upstream = await startUpstream((request, response) => {
    response.writeHead(answered.status ?? 200, answered.headers ?? {});
    answered.pieces.forEach((piece) => response.write(piece));
    response.end();
  });
  gw = await startFhirGateway(upstream.base);
  await gw.permit("anna");
});

after(async () => {
  if (process.env.VERBOSE) {
    console.log(gw?.gateway.output());
  }
  await gw?.stop();
  upstream?.stop();
});

const bundle = (...entries) =>
  `{"resourceType":"Bundle","type":"searchset","entry":[${entries.join(",")}]}`;
const anna = (i) => entryOf(upstream.base, `a${i}`, "anna");
const carl = (i) => entryOf(upstream.base, `c${i}`, "carl");
const nested = (levels) => "[".repeat(levels) + "]".repeat(levels);

const says = (...pieces) => (answered = { pieces });

/** After whatever it was: a good answer is shown. */
async function resumes() {
  says(GOOD);
  const answer = await gw.ask("Observation/o1");
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.text, GOOD);
}

/** The answer to @where is a refusal that shows nothing, and one record says so. */
async function refused(where) {
  const from = gw.records().length;
  const answer = await gw.ask(where);
  assert.equal(answer.status, 502, answer.text);
  const { resourceType, issue } = answer.json();
  assert.equal(resourceType, "OperationOutcome");
  assert.equal(issue[0].severity, "error");
  assert.ok(!answer.text.includes(SECRET), answer.text);
  const [record, ...more] = gw.records().slice(from);
  assert.deepEqual(more, []);
  assert.equal(record.outcome, "error");
  assert.equal(record.released ?? 0, 0);
  await resumes();
}

describe("a resource that can't be read", () => {
  const cases = {
    "no JSON at all": () => says(`<html>${SECRET}</html>`),
    "nothing": () => says(""),
    "JSON that is cut": () => says(GOOD.slice(0, -2)),
    "JSON with something behind it": () => says(GOOD, GOOD),
    "a comma too many": () => says(`{${OBSERVATION},"id":"o1",}`),
    "a list": () => says(`[${GOOD}]`),
    "an object that is no resource": () => says(GOOD.replace("resourceType", "type")),
    "a member twice": () => says(`{${OBSERVATION},"id":"o1","id":"o2"}`),
    "a member twice, written differently": () =>
      says(`{${OBSERVATION},"id":"o1","\\u0069d":"o2"}`),
    "a subject twice": () =>
      says(`{"subject":{"reference":"Patient/carl"},${OBSERVATION},"id":"o1"}`),
    "a member twice, further down": () =>
      says(`{${OBSERVATION},"id":"o1","note":[{"text":"x","text":"y"}]}`),
    "nesting without end": () => says(`{${OBSERVATION},"id":"o1","x":${nested(100)}}`),
    "a name without end": () => says(`{${OBSERVATION},"id":"o1","${"x".repeat(5000)}":1}`),
    "a number without end": () => says(`{${OBSERVATION},"id":"o1","x":1${"0".repeat(5000)}}`),
    "bad UTF-8": () => says(`{${OBSERVATION},"id":"`, Buffer.from([0xc3, 0x28]), '"}'),
    "a bare control character": () => says(`{${OBSERVATION},"id":"o\u0001"}`),
    "U+0000": () => says(`{${OBSERVATION},"id":"o1","x":"\\u0000"}`),
    "half a surrogate pair": () => says(`{${OBSERVATION},"id":"o1","x":"\\ud800"}`),
    "another media type": () => {
      says(GOOD);
      answered.headers = { "content-type": "text/html" };
    },
    "XML": () => {
      says(`<Observation xmlns="http://hl7.org/fhir"><code>${SECRET}</code></Observation>`);
      answered.headers = { "content-type": "application/fhir+xml" };
    },
    "JSON in another character set": () => {
      says(GOOD);
      answered.headers = { "content-type": "application/fhir+json; charset=utf-16" };
    },
    "compression that nobody asked for": () => {
      says(gzipSync(GOOD));
      answered.headers = { "content-encoding": "gzip" };
    },
    "an error with a body": () => {
      says(GOOD);
      answered.status = 500;
    },
    "a redirection": () => {
      says(GOOD);
      answered.status = 302;
      answered.headers = { location: "http://elsewhere.example/" };
    },
  };
  for (const [name, answers] of Object.entries(cases)) {
    test(name, async () => {
      answers();
      await refused("Observation/o1");
    });
  }
});

describe("a Bundle that can't be read", () => {
  const cases = {
    "entries twice": () =>
      says(bundle(anna(1)).replace(/\}$/, `,"entry":[${anna(2)}]}`)),
    "an entry with two resources": () =>
      says(bundle(anna(1), anna(2).replace(/\}$/, `,"resource":{${OBSERVATION},"id":"o2"}}`))),
    "a broken entry behind a good one": () => says(bundle(anna(1), anna(2).slice(0, -3))),
    "an entry nested without end": () =>
      says(bundle(anna(1), anna(2).replace('"final"', `"final","x":${nested(100)}`))),
    "an end that is missing": () => says(bundle(anna(1)).slice(0, -1)),
    "a type twice": () =>
      says(bundle(anna(1)).replace('"type"', '"type":"document","type"')),
  };
  for (const [name, answers] of Object.entries(cases)) {
    test(name, async () => {
      answers();
      await refused("Observation?code=x");
    });
  }
});

/** What comes of a search, also of one that is cut: bytes, and whether it ended well. */
async function streamed() {
  const answer = await fetch(`${gw.base}/Observation`, {
    headers: { authorization: `Bearer ${await gw.token()}` },
  });
  let text = "";
  try {
    for await (const piece of answer.body) {
      text += Buffer.from(piece).toString("latin1");
    }
    return { status: answer.status, text, cut: false };
  } catch {
    return { status: answer.status, text, cut: true };
  }
}

describe("a long answer that breaks in the middle", () => {
  const GOOD_ENTRIES = 3000; // far more than what is held until it is looked at
  const cases = {
    "no JSON": () => ["<html>", SECRET],
    "a member twice": () => [anna("x").replace('"final"', '"final","status":"final"')],
    "nesting without end": () => [anna("x").replace('"final"', `"final","x":${nested(100)}`)],
    "bad UTF-8": () => [anna("x").slice(0, 80), Buffer.from([0xc3, 0x28]), anna("x").slice(80)],
    "an entry larger than what is ever held": () => [
      anna("x").replace('"final"', `"final","x":"${"y".repeat(17 << 20)}"`),
    ],
  };
  for (const [name, broken] of Object.entries(cases)) {
    test(name, async () => {
      const from = gw.records().length;
      const good = [];
      for (let i = 0; i < GOOD_ENTRIES; i++) {
        good.push(i % 3 === 1 ? carl(i) : anna(i), ",");
      }
      const head = '{"resourceType":"Bundle","type":"searchset","entry":[';
      says(head, good.join(""), ...broken(), `,${anna("after")},${carl("after")}]}`);
      const { status, text, cut } = await streamed();
      assert.equal(status, 200, "it had begun");
      assert.ok(cut, "an answer without its end can't pass for a whole one");
      assert.doesNotMatch(text, /carl|after|"ax"/);

      const shown = text.match(/"id":"a\d+"/g) ?? [];
      assert.ok(shown.length > 0 && shown.length <= (GOOD_ENTRIES / 3) * 2);
      const last = await until("its record", () =>
        gw.records().slice(from).find((one) => one.outcome === "error"),
      );
      assert.equal(last.basis, "upstream-invalid");
      assert.ok(last.released >= shown.length, "recorded before it was released");
      const named = gw.records().slice(from).filter((one) => one.commitments.subject);
      assert.equal(named.length, 1, "the one patient who was shown");
      await resumes();
    });
  }
});
