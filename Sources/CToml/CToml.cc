#include "CToml.h"

#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

// toml++ 3.3 asserts of some texts what they do not keep, and has its optimiser assume the same.
// An assertion that fails ends the parse instead of the process, in every build.
void assertion_failed(const char *expression) {
  // What follows these three checks the same again, and reports it with its place: a header such
  // as `[=]`, a time such as `T:30`, a value such as the brace in `[1, }`.
  for (auto checked : {"is_bare_key_character(*cp) || is_string_delimiter(*cp)",
                       "is_decimal_digit(*cp)", "!is_value_terminator(*cp)"}) {
    if (!std::strcmp(expression, checked)) return;
  }
  throw std::logic_error("the parser can't make sense of the text");
}

}  // namespace

// Before the includes of the parser: with NDEBUG it would replace the assertions by assumptions.
#undef NDEBUG
#define TOML_ASSERT(expression) \
  do {                          \
    if (!(expression)) assertion_failed(#expression); \
  } while (false)

#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
// A gateway's configuration nests three deep; destructors and the walk below recurse as deep.
#define TOML_MAX_NESTED_VALUES 32
#include <toml++/toml.h>

struct CTomlDocument {
  toml::table root;
  bool is_valid = false;
  std::string error_text;
  CTomlPosition error_position = {1, 1};
  std::vector<CTomlEntry> entries;
};

namespace {

CTomlPosition position_of(const toml::source_region &region) {
  return {static_cast<uint32_t>(region.begin.line), static_cast<uint32_t>(region.begin.column)};
}

CTomlText text_of(std::string_view text) { return {text.data(), text.size()}; }

void append(std::vector<CTomlEntry> &entries, const toml::node &node, const toml::key *key) {
  CTomlEntry entry = {};
  entry.position = position_of(node.source());
  if (key) {
    entry.key = text_of(key->str());
    entry.key_position = position_of(key->source());
  }
  if (auto *table = node.as_table()) {
    entry.kind = CTomlKindTable;
    entry.child_count = table->size();
    entries.push_back(entry);
    for (auto &&[name, member] : *table) append(entries, member, &name);
    return;
  }
  if (auto *array = node.as_array()) {
    entry.kind = CTomlKindArray;
    entry.child_count = array->size();
    entries.push_back(entry);
    for (auto &&element : *array) append(entries, element, nullptr);
    return;
  }
  if (auto *string = node.as_string()) {
    entry.kind = CTomlKindString;
    entry.string = text_of(string->get());
  } else if (auto *integer = node.as_integer()) {
    entry.kind = CTomlKindInteger;
    entry.integer = integer->get();
  } else if (auto *boolean = node.as_boolean()) {
    entry.kind = CTomlKindBoolean;
    entry.boolean = boolean->get();
  } else {
    entry.kind = node.is_floating_point() ? CTomlKindFloat : CTomlKindDateOrTime;
  }
  entries.push_back(entry);
}

}  // namespace

extern "C" CTomlDocument *ctoml_parse(const char *bytes, size_t count) {
  CTomlDocument *document = nullptr;
  try {
    document = new CTomlDocument();
    try {
      document->root = toml::parse(std::string_view(bytes, count));
      append(document->entries, document->root, nullptr);
      document->is_valid = true;
    } catch (const toml::parse_error &error) {
      document->error_text = std::string(error.description());
      document->error_position = position_of(error.source());
    } catch (const std::logic_error &error) {
      document->error_text = error.what();
    }
    return document;
  } catch (...) {
    delete document;
    return nullptr;
  }
}

extern "C" void ctoml_free(CTomlDocument *document) { delete document; }

extern "C" bool ctoml_is_valid(const CTomlDocument *document) { return document->is_valid; }

extern "C" CTomlPosition ctoml_error_position(const CTomlDocument *document) {
  return document->error_position;
}

extern "C" CTomlText ctoml_error_text(const CTomlDocument *document) {
  return text_of(document->error_text);
}

extern "C" size_t ctoml_count(const CTomlDocument *document) { return document->entries.size(); }

extern "C" CTomlEntry ctoml_entry(const CTomlDocument *document, size_t index) {
  return document->entries[index];
}
