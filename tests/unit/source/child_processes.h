// SPDX-License-Identifier: Apache-2.0
// The children of a process, as /proc has them.
#ifndef VIRGA_TESTS_CHILD_PROCESSES_H
#define VIRGA_TESTS_CHILD_PROCESSES_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

// The state letter and parent of a process; 0 where there is none.
static char process_state(pid_t pid, pid_t *parent) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    char *end = strrchr(text, ')'), state = 0;
    int ppid = 0;
    if (!end || sscanf(end + 1, " %c %d", &state, &ppid) != 2) return 0;
    *parent = ppid;
    return state;
}

// Up to `most` living children of `parent`; returns how many.
static int child_processes(pid_t parent, pid_t *pids, int most) {
    DIR *all = opendir("/proc");
    int n = 0;
    for (struct dirent *e; all && (e = readdir(all));) {
        pid_t pid = atoi(e->d_name), of;
        char state = pid > 0 ? process_state(pid, &of) : 0;
        if (state && state != 'Z' && of == parent && n < most) pids[n++] = pid;
    }
    if (all) closedir(all);
    return n;
}

#endif
