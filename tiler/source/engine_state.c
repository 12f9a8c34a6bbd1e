// SPDX-License-Identifier: Apache-2.0
#include "source/engine_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static const double TELL_SECONDS = 0.25;

void engine_state_init(struct engine_state *state) {
    *state = (struct engine_state){.told_at = -1};
    pthread_mutex_init(&state->lock, NULL);
    pthread_mutex_init(&state->telling, NULL);
}

void engine_state_destroy(struct engine_state *state) {
    pthread_mutex_destroy(&state->lock);
    pthread_mutex_destroy(&state->telling);
    free(state->latest);
}

void engine_state_set(struct engine_state *state, const char *json) {
    char *copy = strdup(json);
    if (!copy) return;
    pthread_mutex_lock(&state->lock);
    bool same = state->latest && !strcmp(state->latest, copy);
    char *old = same ? copy : state->latest;
    if (!same) {
        state->latest = copy;
        state->untold = true;
    }
    pthread_mutex_unlock(&state->lock);
    free(old);
}

// A text of JSON, quotes and all.
static void write_text(FILE *out, const char *text) {
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

void engine_state_make(struct engine_state *state, const char *cluster, const char *word, const char *message) {
    char *json = NULL, *clean = message ? strdup(message) : NULL;
    size_t size = 0;
    FILE *out = open_memstream(&json, &size);
    if (out) {
        fprintf(out, "{\"cluster\": \"%s\", \"state\": \"%s\", \"workers\": 0, \"wanted\": [0, 0], \"threads\": 0, \"memory\": 0, \"memory_limit\": 0, "
                "\"tasks\": 0, \"dashboard\": null, \"message\": ", cluster, word);
        if (clean) {
            utf8_clean(clean);
            write_text(out, clean);
        } else {
            fputs("null", out);
        }
        fputs(", \"started_seconds\": null}", out);
        if (!fclose(out)) engine_state_set(state, json);
    }
    free(json);
    free(clean);
}

char *engine_state_copy(struct engine_state *state) {
    pthread_mutex_lock(&state->lock);
    char *copy = state->latest ? strdup(state->latest) : NULL;
    pthread_mutex_unlock(&state->lock);
    return copy;
}

void engine_state_listen(struct engine_state *state, void (*told)(void *context, const char *json), void *context) {
    pthread_mutex_lock(&state->telling);
    state->told = told;
    state->context = context;
    pthread_mutex_unlock(&state->telling);
}

double engine_state_tell(struct engine_state *state, double now) {
    double left = state->told_at < 0 ? 0 : state->told_at + TELL_SECONDS - now;
    pthread_mutex_lock(&state->telling);
    pthread_mutex_lock(&state->lock);
    bool untold = state->untold && state->told, due = untold && left <= 0;
    char *json = due && state->latest ? strdup(state->latest) : NULL;
    if (due) state->untold = false;
    pthread_mutex_unlock(&state->lock);
    if (json) {
        state->told(state->context, json);
        state->told_at = now;
    }
    pthread_mutex_unlock(&state->telling);
    free(json);
    return untold && !due ? left : -1;
}
