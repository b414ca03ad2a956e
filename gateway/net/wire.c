/*
 * Plain: recv, send and sendmsg. TLS: each SSL_ call begins with an empty error queue, since
 * errors of another connection would be taken for its own.
 */
#include "gateway/net/wire.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* What an SSL_ function's failure means. */
static int tls_error(const struct wire *wire, int r)
{
    switch (SSL_get_error(wire->ssl, r)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN: return WIRE_E_EOF;
    default: return WIRE_E_TLS;
    }
}

static int tls_read(struct wire *wire, char *p, size_t n, size_t *got)
{
    size_t all = 0;
    int r = 0;
    while (all < n && r == 0) {
        size_t some = 0;
        ERR_clear_error();
        int ok = SSL_read_ex(wire->ssl, p + all, n - all, &some);
        all += ok == 1 ? some : 0;
        r = ok == 1 ? 0 : tls_error(wire, ok);
    }
    wire->read_wants_write = r == -EAGAIN && SSL_want_write(wire->ssl);
    wire->pending = r != -EAGAIN;
    if (all == 0) {
        return r;
    }
    *got = all; /* the end or error behind it comes again with the next call */
    return 0;
}

int wire_read(struct wire *wire, char *p, size_t n, size_t *got)
{
    if (wire->ssl) {
        return tls_read(wire, p, n, got);
    }
    ssize_t r = 0;
    do {
        r = recv(wire->fd, p, n, 0);
    } while (r < 0 && errno == EINTR);
    if (r < 0) {
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    }
    if (r == 0) {
        return WIRE_E_EOF;
    }
    *got = (size_t)r;
    return 0;
}

static int tls_write(struct wire *wire, struct str bytes, size_t *put)
{
    int r = 0;
    while (bytes.n && r == 0) {
        size_t some = 0;
        ERR_clear_error();
        int ok = SSL_write_ex(wire->ssl, bytes.p, bytes.n, &some);
        if (ok == 1) {
            *put += some;
            bytes = str_slice(bytes, some, bytes.n);
        } else {
            r = tls_error(wire, ok);
        }
    }
    wire->write_wants_read = r == -EAGAIN && SSL_want_read(wire->ssl);
    return r == WIRE_E_EOF ? WIRE_E_TLS : r;
}

static int plain_write(const struct wire *wire, struct str first, struct str second,
                       size_t *put)
{
    while (first.n || second.n) {
        /* sendmsg() only reads, but its interface predates const. */
        union {
            const char *in;
            void *out;
        } a = { first.p }, b = { second.p };
        struct iovec parts[] = {
            { .iov_base = a.out, .iov_len = first.n },
            { .iov_base = b.out, .iov_len = second.n },
        };
        struct msghdr message = {
            .msg_iov = first.n ? parts : parts + 1,
            .msg_iovlen = (first.n ? 1U : 0U) + (second.n ? 1U : 0U),
        };
        ssize_t r = sendmsg(wire->fd, &message, MSG_NOSIGNAL);
        if (r < 0 && errno == EINTR) {
            continue;
        }
        if (r < 0) {
            return errno == EWOULDBLOCK ? -EAGAIN : -errno;
        }
        size_t done = (size_t)r;
        *put += done;
        size_t of_first = done < first.n ? done : first.n;
        first = str_slice(first, of_first, first.n);
        second = str_slice(second, done - of_first, second.n);
    }
    return 0;
}

int wire_write(struct wire *wire, struct str first, struct str second, size_t *put)
{
    *put = 0;
    if (!wire->ssl) {
        return plain_write(wire, first, second, put);
    }
    int r = tls_write(wire, first, put);
    return r ? r : tls_write(wire, second, put);
}

int wire_handshake(struct wire *wire)
{
    ERR_clear_error();
    int ok = SSL_do_handshake(wire->ssl);
    if (ok == 1) {
        wire->read_wants_write = false;
        return 0;
    }
    int r = tls_error(wire, ok);
    wire->read_wants_write = r == -EAGAIN && SSL_want_write(wire->ssl);
    ERR_clear_error();
    return r == WIRE_E_EOF ? WIRE_E_TLS : r;
}

void wire_end(struct wire *wire)
{
    if (wire->ssl && SSL_is_init_finished(wire->ssl)) {
        ERR_clear_error();
        (void)SSL_shutdown(wire->ssl); /* close_notify; no answer is awaited */
        ERR_clear_error();
    }
    (void)shutdown(wire->fd, SHUT_WR);
}

void wire_close(struct wire *wire)
{
    SSL_free(wire->ssl);
    wire->ssl = NULL;
    if (wire->fd >= 0) {
        (void)close(wire->fd);
        wire->fd = -1;
    }
}
