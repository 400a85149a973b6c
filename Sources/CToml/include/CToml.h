// A TOML text as a flat list of values, each with its place. No logic beyond that.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// UTF-8, not terminated; belongs to the document.
typedef struct CTomlText {
  const char *bytes;
  size_t count;
} CTomlText;

// Both count from 1; a column is a code point.
typedef struct CTomlPosition {
  uint32_t line;
  uint32_t column;
} CTomlPosition;

typedef enum CTomlKind {
  CTomlKindTable,
  CTomlKindArray,
  CTomlKindString,
  CTomlKindInteger,
  CTomlKindFloat,
  CTomlKindBoolean,
  CTomlKindDateOrTime,
} CTomlKind;

// One value. Values stand in pre-order: the children of a table or an array follow it.
typedef struct CTomlEntry {
  CTomlKind kind;
  // How many children a table or an array has.
  size_t child_count;
  // Where the value begins; for a table with a header, where the header begins.
  CTomlPosition position;
  // The members of a table only.
  CTomlText key;
  CTomlPosition key_position;
  // The kind says which of these holds the value.
  CTomlText string;
  int64_t integer;
  bool boolean;
} CTomlEntry;

typedef struct CTomlDocument CTomlDocument;

// Never fails but for want of memory: then null. The text is copied where it is kept.
CTomlDocument *ctoml_parse(const char *bytes, size_t count);
void ctoml_free(CTomlDocument *document);

// False when the text is not TOML: then ctoml_error_* say why and the list is empty.
bool ctoml_is_valid(const CTomlDocument *document);
CTomlPosition ctoml_error_position(const CTomlDocument *document);
CTomlText ctoml_error_text(const CTomlDocument *document);

// The first entry is the root table.
size_t ctoml_count(const CTomlDocument *document);
CTomlEntry ctoml_entry(const CTomlDocument *document, size_t index);

#ifdef __cplusplus
}
#endif
