// How the story is told: numbered steps, what was seen, what was expected instead.
const terminal = process.stdout.isTTY && !process.env.NO_COLOR;
const utf8 = /utf-?8/i.test(
  process.env.LC_ALL || process.env.LC_CTYPE || process.env.LANG || "",
);
const style = (code) => (text) => (terminal ? `\x1b[${code}m${text}\x1b[0m` : text);
const bold = style("1");
const dim = style("2");
const green = style("32");
const red = style("31");
export const cyan = style("36");

const marks = utf8 ? { good: "✓", bad: "✗", rest: "…" } : { good: "+", bad: "!", rest: "..." };
const WIDTH = 92;
const STILL_EVERY = 5000; // ms, where no terminal shows that time passes

const begun = Date.now();
let steps = 0;
let now = "start";

/** What a step said isn't so. */
export class Unlike extends Error {}

export const say = (text = "") => console.log(text);

/** Break @text into lines that begin with @indent. */
function wrap(text, indent) {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (longer.length + indent.length > WIDTH && lines.at(-1)) {
      lines.push(word);
    } else {
      lines[lines.length - 1] = longer;
    }
  }
  return lines.map((line) => indent + line).join("\n");
}

/** Begin the next step: its title, and in a few words what is about to happen. */
export function step(title, words) {
  now = `${++steps}. ${title}`;
  say();
  say(bold(now));
  say(dim(wrap(words, "   ")));
}

export const current = () => now;
export const count = () => steps;

/** Something that was seen, and the evidence. */
export function saw(what, evidence = "") {
  say(`   ${green(marks.good)} ${what}${evidence ? dim(`  ${evidence}`) : ""}`);
}

/** Text as it came, set apart: answers, first lines of files. */
export function quote(text, most = 6) {
  const lines = text.trimEnd().split(/\r\n|[\r\n]/);
  for (const line of lines.slice(0, most)) {
    say(cyan(`     | ${line.length > WIDTH - 7 ? `${line.slice(0, WIDTH - 8)}>` : line}`));
  }
  if (lines.length > most) {
    say(cyan(`     | ${marks.rest} ${lines.length - most} more lines`));
  }
}

/** Where to look oneself. */
export const look = (text) => say(`     ${dim("look:")} ${text}`);

/** A claim of the story: seen if @condition holds, else the story ends here. */
export function claim(condition, what, evidence = "") {
  if (!condition) {
    throw new Unlike(`expected: ${what}${evidence ? `; found: ${evidence}` : ""}`);
  }
  saw(what, evidence);
}

/** Await @promise, showing that time passes. */
export async function during(what, promise) {
  const from = Date.now();
  const seconds = () => Math.round((Date.now() - from) / 1000);
  const show = terminal
    ? () => process.stdout.write(`\r   ${marks.rest} ${what} ${seconds()} s\x1b[K`)
    : () => say(`   ${marks.rest} ${what}, ${seconds()} s so far`);
  const timer = setInterval(show, terminal ? 200 : STILL_EVERY);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
    if (terminal) {
      process.stdout.write("\r\x1b[K");
    }
  }
}

export function failed(error) {
  say(`   ${red(marks.bad)} ${red(error.message)}`);
  say();
  say(red(`FAILED at step ${now}`));
}

export const title = (text) => say(bold(text));
export const elapsed = () => `${((Date.now() - begun) / 1000).toFixed(0)} s`;
