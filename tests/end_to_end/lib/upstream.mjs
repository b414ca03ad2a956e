// A FHIR server that a test makes up, in the test's own process.
import { once } from "node:events";
import http from "node:http";

import { freePort } from "./process.mjs";

/** A resource about Patient/@who, an Observation unless said, as an entry of a searchset. */
export const entryOf = (base, id, who, { text = "glucose", type = "Observation" } = {}) =>
  `{"fullUrl":"${base}/${type}/${id}","resource":{"resourceType":"${type}",` +
  `"id":"${id}","status":"final","code":{"text":"${text}"},"valueQuantity":{"value":1.00},` +
  `"subject":{"reference":"Patient/${who}"}},"search":{"mode":"match"}}`;

/**
 * Start one. It has every Patient that is read; whatever else is asked, @answer(request,
 * response) answers, asynchronously if it likes.
 */
export async function startUpstream(answer) {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}/fhir`;
  const server = http.createServer((request, response) => {
    response.setHeader("content-type", "application/fhir+json");
    const [, id] = /\/Patient\/(\w+)$/.exec(request.url) ?? [];
    if (id) {
      const identifier = [{ system: "urn:mrn", value: id }];
      response.end(JSON.stringify({ resourceType: "Patient", id, identifier }));
    } else {
      answer(request, response);
    }
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { base, stop };
}
