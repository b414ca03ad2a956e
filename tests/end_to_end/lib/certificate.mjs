// A certificate for 127.0.0.1 and localhost that nobody else vouches for.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";

import { folder } from "./parts.mjs";

/** One with its key: cert and key as text, file is where the certificate is. */
export function certificate() {
  const where = folder("certificate");
  const [key, file] = ["key.pem", "cert.pem"].map((name) => path.join(where, name));
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
  const out = ["-days", "2", "-keyout", key, "-out", file];
  execFileSync("openssl", ["req", "-x509", ...kind, ...name, ...out], { stdio: "ignore" });
  return { file, cert: readFileSync(file, "utf8"), key: readFileSync(key, "utf8") };
}
