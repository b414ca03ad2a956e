#include "gateway/heap.h"
#include "gateway/net/mllp.h"
#include "tests/check.h"

#include <errno.h>

/*
 * What a decoder makes of @text cut at @cut: the messages in brackets, then the error, if
 * any. The pieces are copies of their own, so that a message that borrows too long is seen.
 */
static int decode(struct str text, size_t cut, size_t max, struct buf *out)
{
    struct mllp_decoder d = { .held = heap_buf(max ? max : MLLP_FRAME_MAX), .max = max };
    int r = 0;
    for (int i = 0; i < 2 && (r == 0 || r == -EAGAIN); i++) {
        struct str part = i ? str_slice(text, cut, text.n) : str_slice(text, 0, cut);
        char *copy = malloc(part.n ? part.n : 1);
        assert_non_null(copy);
        if (part.n) {
            memcpy(copy, part.p, part.n);
        }
        struct str in = str_of(copy, part.n);
        struct str message = { 0 };
        while ((r = mllp_decode(&d, &in, &message)) == 0) {
            buf_c(out, '[');
            buf_str_put(out, message);
            buf_c(out, ']');
        }
        free(copy);
    }
    heap_buf_free(&d.held);
    return r;
}

static void test_streams(void **state)
{
    static const struct {
        const char *text;
        const char *want;
        int r;
    } cases[] = {
        { "", "", -EAGAIN },
        { "\x0bMSH|1\r\x1c\r", "[MSH|1\r]", -EAGAIN },
        { "\x0bMSH|1\r\x1c\r\x0bMSH|2\r\x1c\r", "[MSH|1\r][MSH|2\r]", -EAGAIN },
        { "\r\n\x0bMSH|1\x1c\r\n\n\x0bMSH|2\x1c\r\r\n", "[MSH|1][MSH|2]", -EAGAIN },
        { "noise\x0bMSH\x1c\r", "[MSH]", -EAGAIN },
        { "\x0bMSH|a\x0b b\x1c\r", "[MSH|a\x0b b]", -EAGAIN }, /* not where a segment begins */
        { "\x0bMSH", "", -EAGAIN },
        { "\x0bMSH\x1c", "", -EAGAIN },
        { "\x0bMSH\x1c\x0bMSH\x1c\r", "", MLLP_E_TRAILER },
        { "\x0bMSH\x1cx", "", MLLP_E_TRAILER },
        { "\x0bMSH\r\x0bMSH\r\x1c\r", "", MLLP_E_TRAILER },
        { "\x0b\x0bMSH\x1c\r", "", MLLP_E_TRAILER },
        { "\x0b\x1c\r", "", MLLP_E_EMPTY },
        { "\x0bMSH|1\r\x1c\r\x0b\x1c\r", "[MSH|1\r]", MLLP_E_EMPTY },
        { "\x0b"
          "0123456789012345678901234567890123456789\x1c\r",
          "", MLLP_E_LONG },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str text = str_z(cases[i].text);
        for (size_t cut = 0; cut <= text.n; cut++) {
            char got[256];
            struct buf out = buf_fixed(got, sizeof(got));
            int r = decode(text, cut, 32, &out);
            if (r != cases[i].r) {
                print_error("case %zu cut at %zu: %d\n", i, cut, r);
            }
            assert_int_equal(r, cases[i].r);
            assert_str(buf_str(&out), cases[i].want);
        }
    }
}

static void test_noise_has_a_limit(void **state)
{
    char text[MLLP_OUTSIDE_MAX + 2];
    char got[16];
    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t cut = 0; cut < sizeof(text); cut += 13) {
        struct buf out = buf_fixed(got, sizeof(got));
        assert_int_equal(decode(str_of(text, sizeof(text)), cut, 0, &out), MLLP_E_OUTSIDE);
    }
}

static void test_whole_frames_are_not_copied(void **state)
{
    static const char text[] = "\x0bMSH\x1c\r";
    (void)state;
    struct mllp_decoder d = { .held = heap_buf(100) };
    struct str in = str_z(text);
    struct str message = { 0 };
    assert_int_equal(mllp_decode(&d, &in, &message), 0);
    assert_ptr_equal(message.p, text + 1);
    assert_int_equal(in.n, 0);
    assert_null(d.held.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_noise_has_a_limit),
        cmocka_unit_test(test_whole_frames_are_not_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
