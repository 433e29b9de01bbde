#pragma once

// Schemas of OpenAPI as JSON Schemas that stand by themselves: references put in, what 3.0 writes in its own
// way written as JSON Schema does, and only what is checked before a call. Pure.

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "openapi/document.h"

namespace holdfast::openapi {

inline constexpr std::size_t kMaxSchemaParts = 2000;  // of one operation, references put in
inline constexpr int kMaxSchemaDepth = 12;

class SchemaReader {
 public:
  // `notes` gets what was left out, for people.
  SchemaReader(const Document& document, std::vector<std::string>& notes)
      : document_(document), notes_(notes) {}

  // INVALID_ARGUMENT: a reference cannot be followed, or there is too much of it.
  Result<Json> read(const Json& schema) { return read(schema, 0); }

 private:
  Result<Json> read(const Json& schema, int depth);
  Result<Json> object_parts(const Json& schema, Json out, int depth);
  Result<Json> joined(const Json& schema, Json out, int depth);
  Json own_keywords(const Json& schema) const;
  void note(std::string text);

  const Document& document_;
  std::vector<std::string>& notes_;
  std::vector<const Json*> inside_;  // what is being read: a reference into it is a circle
  std::size_t parts_ = 0;
};

}  // namespace holdfast::openapi
