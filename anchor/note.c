/*
 * Signed notes.
 *
 * Text and signatures are parted by the last empty line. A line of our key decides; lines of
 * other keys (witnesses, successors) only have to be well-formed.
 */
#include "anchor/note.h"

#include "crypto/base/base64.h"
#include "crypto/base/hex.h"
#include "crypto/digest.h"
#include "crypto/sign.h"

#include <errno.h>

#define DASH "\xe2\x80\x94 " /* em dash and space */

enum {
    ED25519 = 1,                /* signature type */
    ID_SIZE = 4,                /* bytes of a key id */
    OTHER_SIGNATURE_MAX = 8192, /* bytes of a signature that isn't ours to check */
};

/* No space, no plus, no control character. Unicode's other spaces begin with these bytes. */
static bool is_key_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c <= ' ' || c == '+' || c == 0x7f) {
            return false;
        }
    }
    static const char *const spaces[] = { "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80",
                                          "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
                                          "\xe2\x81\x9f", "\xe3\x80\x80" };
    for (size_t i = 0; i < ARRAY_LEN(spaces); i++) {
        if (name.n && memmem(name.p, name.n, spaces[i], strlen(spaces[i]))) {
            return false;
        }
    }
    for (size_t i = 0; i + 3 <= name.n; i++) { /* U+2000 to U+200A */
        if (memcmp(&name.p[i], "\xe2\x80", 2) == 0 && (unsigned char)name.p[i + 2] <= 0x8a) {
            return false;
        }
    }
    return name.n > 0 && name.n <= NOTE_NAME_MAX;
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

int note_key_init(struct note_key *out, struct str name, const uint8_t key[NOTE_KEY_SIZE])
{
    if (!is_key_name(name)) {
        return -EINVAL;
    }
    const char type[] = { '\n', ED25519 };
    const struct str parts[] = { name, str_of(type, sizeof(type)), str_of(key, NOTE_KEY_SIZE) };
    uint8_t digest[DIGEST_SIZE];
    digest_sha256_parts(parts, ARRAY_LEN(parts), digest);
    out->name = name;
    out->id = be32(digest);
    memcpy(out->key, key, NOTE_KEY_SIZE);
    return 0;
}

int note_key_read(struct str text, struct note_key *out)
{
    struct str name = str_cut(&text, '+');
    struct str id = str_cut(&text, '+');
    uint8_t id_bytes[ID_SIZE];
    uint8_t bytes[1 + NOTE_KEY_SIZE + 2];
    size_t n;
    struct note_key key;
    if (hex_decode(id, id_bytes, sizeof(id_bytes)) < 0 ||
        base64_decode(BASE64_USUAL, text, bytes, sizeof(bytes), &n) < 0 ||
        n != 1 + NOTE_KEY_SIZE || bytes[0] != ED25519 ||
        note_key_init(&key, name, &bytes[1]) < 0 || key.id != be32(id_bytes)) {
        return -EINVAL;
    }
    *out = key;
    return 0;
}

void note_key_put(const struct note_key *key, struct buf *b)
{
    uint8_t bytes[1 + NOTE_KEY_SIZE] = { ED25519 };
    memcpy(&bytes[1], key->key, NOTE_KEY_SIZE);
    buf_str_put(b, key->name);
    buf_fmt(b, "+%08x+", key->id);
    base64_put(b, BASE64_USUAL, bytes, sizeof(bytes));
}

/* One signature line taken apart. */
struct line {
    struct str name;
    uint8_t bytes[ID_SIZE + OTHER_SIGNATURE_MAX + 3];
    size_t n;
};

/* Take the next line off @rest, which is not empty. */
static int next_line(struct str *rest, struct line *line)
{
    if (!memchr(rest->p, '\n', rest->n)) {
        return -EINVAL;
    }
    struct str text = str_cut(rest, '\n');
    if (!str_starts(text, STR(DASH))) {
        return -EINVAL;
    }
    text = str_slice(text, sizeof(DASH) - 1, text.n);
    line->name = str_cut(&text, ' ');
    if (!is_key_name(line->name) ||
        base64_decode(BASE64_USUAL, text, line->bytes, sizeof(line->bytes), &line->n) < 0) {
        return -EINVAL;
    }
    return line->n > ID_SIZE ? 0 : -EINVAL;
}

/* Where the last empty line begins: its newline follows the text's last one; or 0. */
static size_t last_blank(struct str s)
{
    for (size_t i = s.n; i >= 2; i--) {
        if (s.p[i - 1] == '\n' && s.p[i - 2] == '\n') {
            return i - 1;
        }
    }
    return 0;
}

static bool clean(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < ' ' && c != '\n') {
            return false;
        }
    }
    return true;
}

int note_read(struct str bytes, struct note *out)
{
    size_t blank = bytes.n <= NOTE_SIZE_MAX && clean(bytes) ? last_blank(bytes) : 0;
    if (blank == 0) {
        return -EINVAL;
    }
    struct note note = {
        .text = str_slice(bytes, 0, blank),
        .lines = str_slice(bytes, blank + 1, bytes.n),
    };
    struct str rest = note.lines;
    for (size_t count = 0; rest.n; count++) {
        struct line line;
        if (count == NOTE_SIGNATURES_MAX || next_line(&rest, &line) < 0) {
            return -EINVAL;
        }
    }
    if (note.lines.n == 0) {
        return -EINVAL;
    }
    *out = note;
    return 0;
}

int note_check(const struct note *note, const struct note_key *key)
{
    int r = NOTE_E_UNSIGNED;
    struct line line;
    for (struct str rest = note->lines; rest.n;) {
        if (next_line(&rest, &line) < 0) {
            return NOTE_E_FORGED;
        }
        if (!str_eq(line.name, key->name) || be32(line.bytes) != key->id) {
            continue;
        }
        struct str signature = str_of(line.bytes + ID_SIZE, line.n - ID_SIZE);
        if (signature.n != NOTE_SIGNATURE_SIZE ||
            sign_verify(key->key, note->text, signature) < 0) {
            return NOTE_E_FORGED;
        }
        r = 0;
    }
    return r;
}

void note_put_blank(struct buf *b)
{
    buf_c(b, '\n');
}

void note_put_signature(struct buf *b, const struct note_key *key,
                        const uint8_t signature[NOTE_SIGNATURE_SIZE])
{
    uint8_t bytes[ID_SIZE + NOTE_SIGNATURE_SIZE] = {
        (uint8_t)(key->id >> 24),
        (uint8_t)(key->id >> 16),
        (uint8_t)(key->id >> 8),
        (uint8_t)key->id,
    };
    memcpy(&bytes[ID_SIZE], signature, NOTE_SIGNATURE_SIZE);
    buf_z(b, DASH);
    buf_str_put(b, key->name);
    buf_c(b, ' ');
    base64_put(b, BASE64_USUAL, bytes, sizeof(bytes));
    buf_c(b, '\n');
}
