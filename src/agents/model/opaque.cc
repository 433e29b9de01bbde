#include "model/opaque.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace holdfast::model {

namespace {

// Texts that name something: they are said again, not continued.
constexpr std::array<std::string_view, 7> kNames = {"type",   "id",     "name",  "role",
                                                    "format", "object", "status"};

// Whether two neighbours in a list are fragments of one text: nothing but a type and texts, no marks.
bool continues(const OpaqueJson& before, const OpaqueJson& item) {
  if (!before.is_object() || !item.is_object() || before.size() != item.size()) return false;
  bool texts = false;
  for (const auto& [name, value] : item.items()) {
    const auto same = before.find(name);
    if (same == before.end()) return false;
    if (name == "type") {
      if (*same != value) return false;
    } else if (value.is_string() && same->is_string() && name == "text") {
      texts = true;
    } else {
      return false;
    }
  }
  return texts;
}

void merge_list(OpaqueJson& whole, const OpaqueJson& piece) {
  for (const OpaqueJson& item : piece) {
    if (item.is_object() && item.contains("index") && item["index"].is_number_integer()) {
      const auto same = std::find_if(whole.begin(), whole.end(), [&](const OpaqueJson& other) {
        return other.is_object() && other.contains("index") && other["index"] == item["index"] &&
               other.value("type", OpaqueJson()) == item.value("type", OpaqueJson());
      });
      if (same != whole.end()) {
        merge_fragment(*same, item);
        continue;
      }
    }
    if (!whole.empty() && continues(whole.back(), item)) {
      merge_fragment(whole.back(), item);
    } else {
      whole.push_back(item);
    }
  }
}

}  // namespace

bool says_something(const OpaqueJson& value) {
  if (value.is_null()) return false;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  return !(value.is_structured() && value.empty());
}

void merge_fragment(OpaqueJson& whole, const OpaqueJson& piece) {
  if (whole.is_object() && piece.is_object()) {
    for (const auto& [name, value] : piece.items()) {
      const auto same = whole.find(name);
      const bool named = std::find(kNames.begin(), kNames.end(), name) != kNames.end();
      if (same == whole.end()) {
        whole[name] = value;
      } else if (named && value.is_string()) {
        if (says_something(value)) *same = value;
      } else {
        merge_fragment(*same, value);
      }
    }
  } else if (whole.is_array() && piece.is_array()) {
    merge_list(whole, piece);
  } else if (whole.is_string() && piece.is_string()) {
    whole.get_ref<std::string&>() += piece.get_ref<const std::string&>();
  } else if (!piece.is_null()) {
    whole = piece;
  }
}

}  // namespace holdfast::model
