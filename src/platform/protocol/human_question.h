#pragma once

// What a run asks a person: of PlannedCall::input of a `type: human` call, of the request in the inbox, and
// of the row that keeps it. Values.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/call.h"

namespace holdfast::protocol {

inline constexpr std::size_t kMaxQuestionBytes = 8 * 1024;
inline constexpr std::size_t kMaxFormBytes = 16 * 1024;
inline constexpr std::size_t kMaxAnswerBytes = 64 * 1024;

struct HumanQuestion {
  HumanQuestion() = default;
  std::string text;
  Json form;                        // JSON Schema of the answer, an object
  std::vector<std::string> people;  // who may answer, besides whoever has one of `roles`
  std::vector<std::string> roles;   // both empty: whoever may decide
  Json fallback;                    // the answer when nobody gave one; null: there is none
  std::int64_t deadline_ms = 0;     // from the asking
};

// A file that a form asks for: a property of `type: object` and `format: file`. Its answer is
// {"blob": SHA256, "bytes": 123, "media_type": "image/png", "name": "receipt.png"}, of what was uploaded.
struct FileField {
  std::string name;
  std::vector<std::string> accept;  // "image/png", "image/*"
  std::int64_t max_bytes = 0;
};
inline constexpr std::int64_t kMaxUploadBytes = 3 << 20;
std::vector<FileField> file_fields(const Json& form);
// What is wrong with how the form asks for files; empty: nothing.
std::string wrong_file_fields(const Json& form);
bool accepts(const FileField& field, std::string_view media_type);

void to_json(Json& out, const HumanQuestion& value);
void from_json(const Json& in, HumanQuestion& value);

}  // namespace holdfast::protocol
