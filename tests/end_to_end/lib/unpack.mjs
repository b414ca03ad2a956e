// What is compressed or cut up inside files, as far as it can be told from the bytes alone: values
// that PostgreSQL compressed (pglz, LZ4) or moved out of line, and streams of zlib and gzip.
//
// Nothing here knows where a value begins, so each place that may be one is tried. A place that
// isn't one yields nothing, or bytes that mean nothing.
import { constants, gunzipSync, inflateSync } from "node:zlib";

const RAW_MAX = 1 << 26; // bytes that a value may become
const INLINE_MAX = 8192; // of a compressed value in its row: a page
const CHUNK = 1996; // of a value out of line: all but the last
const OID_FIRST = 16384; // of what isn't part of PostgreSQL itself
const WAL_PAGE = 8192;

/** PostgreSQL's own compression: @packed becomes @size bytes, or undefined if it isn't that. */
function pglz(packed, size) {
  const out = Buffer.alloc(size);
  let at = 0;
  let n = 0;
  while (at < packed.length && n < size) {
    let control = packed[at++];
    for (let bit = 0; bit < 8 && at < packed.length && n < size; bit++, control >>= 1) {
      if (!(control & 1)) {
        out[n++] = packed[at++];
        continue;
      }
      let length = (packed[at] & 0x0f) + 3;
      const back = ((packed[at] & 0xf0) << 4) | packed[at + 1];
      at += 2;
      if (length === 18) {
        length += packed[at++];
      }
      if (back === 0 || back > n) {
        return undefined;
      }
      for (length = Math.min(length, size - n); length > 0; length--, n++) {
        out[n] = out[n - back];
      }
    }
  }
  return n === size ? out : undefined;
}

/** A block of LZ4: @packed becomes @size bytes, or undefined if it isn't that. */
function lz4(packed, size) {
  const out = Buffer.alloc(size);
  let at = 0;
  let n = 0;
  const long = (length) => {
    for (let more = 255; length >= 15 && more === 255; length += more) {
      more = packed[at++] ?? 0;
    }
    return length;
  };
  while (at < packed.length) {
    const token = packed[at++];
    const literals = long(token >> 4);
    if (at + literals > packed.length || n + literals > size) {
      return undefined;
    }
    n += packed.copy(out, n, at, at + literals);
    at += literals;
    if (at === packed.length) {
      break;
    }
    const back = packed[at] | (packed[at + 1] << 8);
    at += 2;
    const length = long(token & 15) + 4;
    if (back === 0 || back > n || n + length > size) {
      return undefined;
    }
    for (let i = 0; i < length; i++, n++) {
      out[n] = out[n - back];
    }
  }
  return n === size ? out : undefined;
}

/** @packed as it stands behind its length: size and method, then the bytes. */
function decompress(packed) {
  if (packed.length < 5) {
    return undefined;
  }
  const info = packed.readUInt32LE(0);
  const size = info & 0x3fffffff;
  const method = info >>> 30;
  const bytes = packed.subarray(4);
  if (size <= bytes.length || size > RAW_MAX || size > bytes.length * 300) {
    return undefined;
  }
  return [pglz, lz4][method]?.(bytes, size);
}

/** Compressed values in their rows. Their length says in its lowest bits that they are. */
function* inline(bytes) {
  for (let i = 0; i + 9 < bytes.length; i++) {
    if ((bytes[i] & 3) !== 2 || bytes[i + 3] !== 0 || bytes[i + 2] !== 0) {
      continue;
    }
    const length = bytes.readUInt32LE(i) >> 2;
    if (length >= 12 && length <= INLINE_MAX && i + length <= bytes.length) {
      const raw = decompress(bytes.subarray(i + 4, i + length));
      if (raw) {
        yield raw;
      }
    }
  }
}

/** The bytes of the chunk whose length stands at @i, in four bytes; undefined: it isn't one. */
function chunkAt(bytes, i) {
  const head = bytes.readUInt32LE(i);
  const length = (head >>> 2) - 4;
  const good = (head & 3) === 0 && length > 0 && length <= CHUNK;
  return good && i + 4 + length <= bytes.length ? bytes.subarray(i + 4, i + 4 + length) : undefined;
}

/** The same of a last chunk, whose length may be one byte. */
function lastChunkAt(bytes, i) {
  const length = (bytes[i] >> 1) - 1;
  return bytes[i] & 1 && length > 0 ? bytes.subarray(i + 1, i + 1 + length) : undefined;
}

/** Each place that may be a chunk: its value's number, its own, and where its length stands. */
function* places(bytes) {
  for (let i = 0; i + 12 < bytes.length; i++) {
    if (bytes[i + 6] === 0 && bytes[i + 7] === 0) {
      const value = bytes.readUInt32LE(i);
      if (value >= OID_FIRST) {
        yield [value, bytes.readUInt32LE(i + 4), i + 8];
      }
    }
  }
}

/** Values out of line, their chunks joined: each as it is, and unpacked if it is compressed. */
function* outOfLine(bytes) {
  const values = new Map(); // number of the value: its chunks by their own
  for (const [value, number, at] of places(bytes)) {
    const chunk = chunkAt(bytes, at);
    if (chunk) {
      values.set(value, (values.get(value) ?? new Map()).set(number, chunk));
    }
  }
  for (const [value, number, at] of places(bytes)) {
    const chunks = values.get(value);
    if (chunks?.get(number - 1)?.length === CHUNK && !chunks.has(number)) {
      const chunk = lastChunkAt(bytes, at);
      if (chunk) {
        chunks.set(number, chunk);
      }
    }
  }
  for (const chunks of values.values()) {
    const joined = [];
    while (chunks.has(joined.length)) {
      joined.push(chunks.get(joined.length));
    }
    const whole = Buffer.concat(joined);
    yield whole;
    const raw = decompress(whole);
    if (raw) {
      yield raw;
    }
  }
}

/** Streams of zlib and gzip, as far as they can be read. */
function* zlib(bytes) {
  const starts = [
    { mark: [0x1f, 0x8b, 0x08], read: gunzipSync },
    ...[0x01, 0x5e, 0x9c, 0xda].map((level) => ({ mark: [0x78, level], read: inflateSync })),
  ];
  for (const { mark, read } of starts) {
    const sought = Buffer.from(mark);
    for (let i = bytes.indexOf(sought); i >= 0; i = bytes.indexOf(sought, i + 1)) {
      try {
        const how = { maxOutputLength: RAW_MAX, finishFlush: constants.Z_SYNC_FLUSH };
        yield read(bytes.subarray(i), how);
      } catch {
        // it only looked like one
      }
    }
  }
}

/** Everything packed that is in @bytes, unpacked. */
export function* unpacked(bytes) {
  yield* inline(bytes);
  yield* outOfLine(bytes);
  yield* zlib(bytes);
}

/** A WAL segment without the headers of its pages: records that go over a page are whole again. */
export function walRecords(segment) {
  const pages = [];
  for (let at = 0; at + WAL_PAGE <= segment.length; at += WAL_PAGE) {
    const page = segment.subarray(at, at + WAL_PAGE);
    const long = page.readUInt16LE(2) & 2;
    if (page.readUInt16LE(0) !== 0) {
      pages.push(page.subarray(long ? 40 : 24));
    }
  }
  return Buffer.concat(pages);
}
