#include "api/enum_name.h"

namespace holdfast::api {

std::string enum_name(const google::protobuf::EnumDescriptor& type, int value, std::string_view prefix) {
  const auto* known = type.FindValueByNumber(value);
  if (known == nullptr) return std::to_string(value);
  std::string_view words = known->name();
  if (words.starts_with(prefix)) words.remove_prefix(prefix.size());
  std::string name;
  bool upper = true;
  for (const char c : words) {
    if (c != '_') name += upper || c < 'A' ? c : static_cast<char>(c - 'A' + 'a');
    upper = c == '_';
  }
  return name;
}

}  // namespace holdfast::api
