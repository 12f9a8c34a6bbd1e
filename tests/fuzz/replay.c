// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target on stored inputs: every file of the folders and files named. 1 where there is none.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static size_t ran;

static void run(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) exit((perror(path), 1));
    size_t size = (size_t)ftell(file);
    uint8_t *bytes = malloc(size ? size : 1);  // exactly as many, so that sanitizers see a byte too many
    rewind(file);
    if (!bytes || fread(bytes, 1, size, file) != size) exit((perror(path), 1));
    fclose(file);
    fprintf(stderr, "%s\n", path);  // the last one named is the one that failed
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    ran++;
}

static void run_all(const char *path) {
    DIR *folder = opendir(path);
    if (!folder) {
        run(path);
        return;
    }
    char inside[4096];
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.' && snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name) < (int)sizeof inside) run(inside);
    closedir(folder);
}

int main(int argc, char **argv) {
    for (int n = 1; n < argc; n++) run_all(argv[n]);
    printf("%zu inputs\n", ran);
    return ran == 0;
}
