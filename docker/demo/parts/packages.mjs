// Packages of the one npm project (tests/), for parts that live elsewhere.
import { createRequire } from "node:module";

export const use = createRequire(new URL("../../../tests/package.json", import.meta.url));

/** "--name value" and "--flag" of the command line over @defaults, whose types they take. */
export function options(defaults) {
  const given = { ...defaults };
  const rest = process.argv.slice(2);
  while (rest.length > 0) {
    const name = rest.shift().replace(/^--/, "");
    if (!(name in defaults)) {
      console.error(`unknown option --${name}; known: ${Object.keys(defaults).join(" ")}`);
      process.exit(64);
    }
    const value = typeof defaults[name] === "boolean" ? true : rest.shift();
    given[name] = typeof defaults[name] === "number" ? Number(value) : value;
  }
  return given;
}
