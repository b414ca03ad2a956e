#include "gateway/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(struct arena *arena, int fd, size_t limit, struct str *out)
{
    struct stat about;
    if (fstat(fd, &about) < 0) {
        return -errno;
    }
    if (!S_ISREG(about.st_mode) || (uint64_t)about.st_size > limit) {
        return -EFBIG;
    }
    size_t n = (size_t)about.st_size;
    char *text = arena_alloc(arena, n + 1);
    size_t used = 0;
    ssize_t got = 1;
    while (text && used < n && got > 0) {
        got = read(fd, text + used, n - used);
        used += got > 0 ? (size_t)got : 0;
    }
    if (!text || got < 0) {
        return text ? -errno : -ENOMEM;
    }
    *out = str_of(text, used);
    return 0;
}

int file_read(struct arena *arena, int folder, const char *path, size_t limit, struct str *out)
{
    int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    int r = read_all(arena, fd, limit, out);
    (void)close(fd);
    return r;
}
