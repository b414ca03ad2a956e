/* Feed each file of a corpus folder to a fuzz target, as a plain test program. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        return -1;
    }
    static uint8_t data[1 << 20];
    size_t n = fread(data, 1, sizeof(data), file);
    (void)fclose(file);

    /* A copy of exactly its size, so that sanitizers see a read beyond the end. */
    uint8_t *exact = malloc(n ? n : 1);
    if (!exact) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        exact[i] = data[i];
    }
    (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (!dir) {
        (void)fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    int count = 0;
    for (const struct dirent *entry; (entry = readdir(dir));) {
        char path[4096];
        (void)snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        if (entry->d_name[0] != '.' && replay(path) == 0) {
            count++;
        }
    }
    (void)closedir(dir);
    (void)printf("%d inputs replayed\n", count);
    return count > 0 ? 0 : 1;
}
