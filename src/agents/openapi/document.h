#pragma once

// An OpenAPI document, 3.0 or 3.1: read, and looked up in. It may be hostile: references go round in circles,
// or lead out of it, and are followed here alone. Values; pure.

#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "holdfast/status.h"

namespace holdfast::openapi {

using Json = nlohmann::json;

inline constexpr std::size_t kMaxDocumentBytes = 16 << 20;
inline constexpr int kMaxReferences = 32;  // that lead to one another

class Document {
 public:
  // JSON, or YAML. INVALID_ARGUMENT: it is too large, broken, or of a version other than 3.0 and 3.1.
  static Result<Document> read(std::string_view text, std::string_view source);

  const Json& root() const { return root_; }
  bool is_3_0() const { return is_3_0_; }
  // What `node` stands for, with `$ref`s followed. INVALID_ARGUMENT: one leads nowhere, out of the document,
  // or round in a circle. `name` gets the last part of the last reference.
  Result<const Json*> resolved(const Json& node, std::string* name = nullptr) const;

 private:
  Json root_;
  bool is_3_0_ = false;
};

// The member, or a null.
const Json& member(const Json& object, std::string_view name);
// The text of the member, or "".
std::string text_of(const Json& object, std::string_view name);

}  // namespace holdfast::openapi
