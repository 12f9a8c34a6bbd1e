// SPDX-License-Identifier: Apache-2.0
// Metrics as Prometheus reads them: its text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). One thread at a time.
//
//   metrics_text_family(text, "virga_connections", "gauge", "Connections that are open.");
//   metrics_text_number(text, NULL, 12);
//   metrics_text_family(text, "virga_exports", "gauge", "Exports by state.");
//   metrics_text_number(text, metrics_text_label(label, sizeof label, "state", "queued"), 3);
#ifndef VIRGA_SERVER_METRICS_TEXT_H
#define VIRGA_SERVER_METRICS_TEXT_H

#include <stddef.h>

#include "base/histogram.h"

struct metrics_text;

// NULL when out of memory.
struct metrics_text *metrics_text_new(void);
// The text, zero-terminated, which the caller frees; NULL when memory ran out on the way. Frees `text`, which may be NULL.
char *metrics_text_end(struct metrics_text *text);

// What follows belongs to this metric: its name, its type ("counter", whose name ends in _total; "gauge"; "histogram") and what it tells, in one line. All
// long-lived text, without anything to be escaped. Each name once.
void metrics_text_family(struct metrics_text *text, const char *name, const char *type, const char *help);
// labels: of metrics_text_label, or NULL.
void metrics_text_number(struct metrics_text *text, const char *labels, double value);
void metrics_text_histogram(struct metrics_text *text, const char *labels, const struct histogram *histogram);
// name="value", escaped, in `out`, which it returns; a value that does not fit is cut.
const char *metrics_text_label(char *out, size_t room, const char *name, const char *value);

#endif
