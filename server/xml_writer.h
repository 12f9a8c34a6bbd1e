// SPDX-License-Identifier: Apache-2.0
// XML, as it is written: every text and attribute is escaped, elements are closed in turn. One thread at a time.
//
//   xml_open(xml, "Layer");
//   xml_attribute(xml, "queryable", "1");
//   xml_text(xml, "Title", title);
//   xml_close(xml);  // </Layer>
//
// Names of elements and attributes, and a prologue, are static text of ours; values may be anything: characters that XML 1.0 has not, and
// bytes that are no UTF-8, become '?'.
#ifndef VIRGA_SERVER_XML_WRITER_H
#define VIRGA_SERVER_XML_WRITER_H

#include <stddef.h>

struct xml_writer;

// Begins with the XML declaration, then `prologue` (a document type), which may be NULL. NULL when out of memory.
struct xml_writer *xml_writer_new(const char *prologue);
// Closes what is open and returns the text, zero-terminated, which the caller frees; NULL when memory ran out on the way. Frees `xml`, which may be NULL.
char *xml_writer_end(struct xml_writer *xml, size_t *size);

// Every function below takes NULL for `xml`, and does nothing then.

void xml_open(struct xml_writer *xml, const char *name);  // at most 32 deep; name: must outlive the element
// Of the element that was opened last, before anything stands in it.
void xml_attribute(struct xml_writer *xml, const char *name, const char *value);
void xml_attribute_number(struct xml_writer *xml, const char *name, double value);  // shortest text that reads as the same number; 0 where it is not finite
void xml_close(struct xml_writer *xml);
// In the element that is open.
void xml_write(struct xml_writer *xml, const char *text);
// A whole element; with text, or an empty one where that is NULL.
void xml_text(struct xml_writer *xml, const char *name, const char *text);
void xml_number(struct xml_writer *xml, const char *name, double value);

enum { XML_NUMBER = 32 };
// As xml_attribute_number writes it; returns `text`.
const char *xml_number_text(double value, char text[XML_NUMBER]);

#endif
