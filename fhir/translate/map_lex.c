/*
 * Cutting lines into tokens.
 *
 * A token is a text in quotes, an arrow, a brace, or whatever stands between blanks. Nothing
 * is copied but texts with backslashes in them.
 */
#include "fhir/translate/map_lex.h"

#include "fhir/base/utf8.h"

#include <errno.h>

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Whether a word ends before @c. */
static bool ends_word(char c)
{
    return blank(c) || c == '{' || c == '}' || c == '"' || c == '#';
}

/* @text without the backslashes that take the meaning from what follows them. */
static int unquote(struct map_lexer *lexer, struct str text, struct str *out)
{
    *out = text;
    if (!text.n || !memchr(text.p, '\\', text.n)) {
        return 0;
    }
    char *p = arena_alloc(lexer->arena, text.n);
    if (!p) {
        return -ENOMEM;
    }
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        bool escapes = text.p[i] == '\\' && i + 1 < text.n &&
                       (text.p[i + 1] == '"' || text.p[i + 1] == '\\');
        i += escapes;
        p[n++] = text.p[i];
    }
    *out = str_of(p, n);
    return 0;
}

/* Length of the text in quotes at the start of @s, quotes included; 0 if it isn't closed. */
static size_t quoted(struct str s)
{
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '\\') {
            i++;
        } else if (s.p[i] == '"') {
            return i + 1;
        }
    }
    return 0;
}

static size_t word(struct str s)
{
    size_t n = 0;
    while (n < s.n && !ends_word(s.p[n])) {
        n++;
    }
    return n;
}

static bool arrow(struct str s, enum map_token_kind *out)
{
    static const struct {
        struct str sign;
        enum map_token_kind kind;
    } all[] = { { STR_INIT("->"), MAP_ARROW },
                { STR_INIT("~>"), MAP_WEAK },
                { STR_INIT("<-"), MAP_BACK } };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (str_starts(s, all[i].sign)) {
            *out = all[i].kind;
            return true;
        }
    }
    return false;
}

/* Take one token off the front of @rest, which doesn't begin with a blank. */
static int take(struct map_lexer *lexer, struct str *rest, struct map_token *out,
                const char **wrong)
{
    size_t n = 1;
    int r = 0;
    if (rest->p[0] == '"') {
        n = quoted(*rest);
        if (n == 0) {
            *wrong = "a quote isn't closed";
            return MAP_LEX_WRONG;
        }
        out->kind = MAP_TEXT;
        r = unquote(lexer, str_slice(*rest, 1, n - 1), &out->text);
    } else if (arrow(*rest, &out->kind)) {
        n = 2;
    } else if (rest->p[0] == '{' || rest->p[0] == '}') {
        out->kind = rest->p[0] == '{' ? MAP_OPEN : MAP_CLOSE;
    } else {
        n = word(*rest);
        out->kind = MAP_WORD;
    }
    if (out->kind != MAP_TEXT) {
        out->text = str_slice(*rest, 0, n);
    }
    *rest = str_slice(*rest, n, rest->n);
    return r;
}

/* Why nothing can be read of @text; NULL if it can. */
static const char *unreadable(struct str text)
{
    if (text.n > MAP_LINE_MAX) {
        return "the line is too long";
    }
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < ' ' && text.p[i] != '\t') {
            return "a control character";
        }
    }
    return utf8_valid(text) ? NULL : "not UTF-8";
}

static int cut(struct map_lexer *lexer, struct str text, struct map_line *out,
               const char **wrong)
{
    *wrong = unreadable(text);
    int r = *wrong ? MAP_LEX_WRONG : 0;
    size_t at = 0;
    while (at < text.n && blank(text.p[at])) {
        at++;
    }
    out->indent = (uint32_t)at;
    out->count = 0;
    struct str rest = str_slice(text, at, text.n);
    while (r == 0 && rest.n && rest.p[0] != '#') {
        if (blank(rest.p[0])) {
            rest = str_slice(rest, 1, rest.n);
        } else if (out->count == MAP_TOKENS_MAX) {
            *wrong = "too much on one line";
            r = MAP_LEX_WRONG;
        } else {
            r = take(lexer, &rest, &out->tokens[out->count++], wrong);
        }
    }
    return r;
}

int map_lex(struct map_lexer *lexer, struct map_line *out, const char **wrong)
{
    while (lexer->rest.n) {
        struct str text = str_cut(&lexer->rest, '\n');
        out->number = ++lexer->number;
        if (str_ends(text, STR("\r"))) {
            text.n--;
        }
        int r = cut(lexer, text, out, wrong);
        if (r != 0 || out->count) {
            return r;
        }
    }
    return MAP_LEX_END;
}

bool map_is_word(const struct map_token *token, const char *z)
{
    return token->kind == MAP_WORD && str_eq(token->text, str_z(z));
}
