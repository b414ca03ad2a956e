// Yardstick Y5: simple-hl7's server, which acknowledges everything and does nothing else.
//
//   simple_hl7.mjs PORT
import { createRequire } from "node:module";

const hl7 = createRequire(import.meta.url)("simple-hl7");
const app = hl7.tcp();
app.use((request, response) => response.end());
app.start(Number(process.argv[2]));
