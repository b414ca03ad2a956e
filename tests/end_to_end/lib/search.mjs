// Searching bytes for words in all the ways a word is commonly written down, all at once.

/** The bytes that @text may appear as: itself, UTF-16, hex of either, base64 at each alignment. */
function forms(text) {
  const raw = [Buffer.from(text, "utf8"), Buffer.from(text, "utf16le")];
  raw.push(Buffer.from(raw[1]).swap16());
  const found = [];
  for (const bytes of raw) {
    found.push(bytes, Buffer.from(bytes.toString("hex")));
    for (let before = 0; before < 3; before++) {
      // What stands before or after may change the first and last digits: leave those away.
      const padded = Buffer.concat([Buffer.alloc(before), bytes]);
      const digits = padded.toString("base64").replace(/=+$/, "");
      const from = [0, 2, 3][before];
      const whole = Math.floor((padded.length * 8) / 6);
      found.push(Buffer.from(digits.slice(from, whole)));
      found.push(Buffer.from(digits.slice(from, whole).replaceAll("+", "-").replaceAll("/", "_")));
    }
  }
  return found;
}

/** Capital letters are the same as small ones. */
const fold = (byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);

/** Where each byte leads from each state (Aho and Corasick); states are multiples of 256. */
function automaton(patterns) {
  const size = 1 + patterns.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const next = new Int32Array(size * 256);
  const ends = Array.from({ length: size }, () => []); // by state: words that end there
  let states = 1;
  for (const { text, bytes } of patterns) {
    let at = 0;
    for (const byte of bytes) {
      next[at + fold(byte)] ||= states++ * 256;
      at = next[at + fold(byte)];
    }
    ends[at / 256].push(text);
  }
  const shorter = new Int32Array(states); // the longest other beginning that has been read
  const queue = [...next.subarray(0, 256)].filter(Boolean);
  for (const at of queue) {
    const back = shorter[at / 256];
    ends[at / 256].push(...ends[back / 256]);
    for (let byte = 0; byte < 256; byte++) {
      const to = next[at + byte];
      if (to) {
        shorter[to / 256] = next[back + byte];
        queue.push(to);
      } else {
        next[at + byte] = next[back + byte];
      }
    }
  }
  return { next, ends };
}

/** A function that says which of @words are in bytes, in any form. */
export function finder(words) {
  const patterns = words.flatMap((text) => forms(text).map((bytes) => ({ text, bytes })));
  const { next, ends } = automaton(patterns);
  const folded = Uint8Array.from({ length: 256 }, (_, byte) => fold(byte));
  const ending = Uint8Array.from(ends, (list) => (list.length > 0 ? 1 : 0));
  return (bytes) => {
    const found = new Set();
    let at = 0;
    for (let i = 0; i < bytes.length; i++) {
      at = next[at + folded[bytes[i]]];
      if (ending[at >> 8]) {
        ends[at >> 8].forEach((text) => found.add(text));
      }
    }
    return [...found];
  };
}
