#include "engine/search_attributes.h"

#include <map>
#include <string>

#include "engine/errors.h"
#include "visibility/attributes.h"

namespace holdfast::engine {

namespace {

using history::BadSearchAttributes;
using Kind = BadSearchAttributes::Kind;
using Payload = pb::common::v1::Payload;
using Record = history::stored::NamespaceRecord;

std::optional<visibility::AttributeType> type_in(const Record& record, const std::string& name) {
  if (const auto known = visibility::predefined_attribute(name)) return known;
  const auto found = record.search_attributes().find(name);
  if (found == record.search_attributes().end()) return std::nullopt;
  return visibility::attribute_type(found->second);
}

// In an order: of several faults always the same one is told.
using ByName = std::map<std::string, Payload*>;

std::optional<BadSearchAttributes> bad_names(const Record& record, const ByName& payloads) {
  for (const auto& [name, payload] : payloads) {
    if (visibility::system_attribute(name) || type_in(record, name)) continue;
    return BadSearchAttributes{
        Kind::kName, "Namespace " + record.name() + " has no mapping defined for search attribute " + name};
  }
  return std::nullopt;
}

std::optional<BadSearchAttributes> bad_values(const Record& record, const ByName& payloads) {
  for (const auto& [name, payload] : payloads) {
    const auto type = type_in(record, name);
    if (!type) return BadSearchAttributes{Kind::kValue, name + " attribute can't be set in SearchAttributes"};
    const std::string type_name(visibility::type_name(*type));
    if (auto shown = visibility::not_a(*type, *payload)) {
      return BadSearchAttributes{Kind::kValue, "invalid value for search attribute " + name + " of type " +
                                                   type_name + ": " + *shown};
    }
    (*payload->mutable_metadata())["type"] = type_name;
  }
  return std::nullopt;
}

std::optional<BadSearchAttributes> bad_sizes(const history::Limits& limits, const ByName& payloads,
                                             const pb::common::v1::SearchAttributes& attributes) {
  for (const auto& [name, payload] : payloads) {
    const auto size = static_cast<std::int64_t>(payload->data().size());
    if (size <= limits.search_attribute_value_bytes) continue;
    return BadSearchAttributes{Kind::kSize, "search attribute " + name + " value size " +
                                                std::to_string(size) + " exceeds size limit " +
                                                std::to_string(limits.search_attribute_value_bytes)};
  }
  const auto total = static_cast<std::int64_t>(attributes.ByteSizeLong());
  if (total <= limits.search_attributes_bytes) return std::nullopt;
  return BadSearchAttributes{Kind::kSize, "total size of search attributes " + std::to_string(total) +
                                              " exceeds size limit " +
                                              std::to_string(limits.search_attributes_bytes)};
}

}  // namespace

std::optional<BadSearchAttributes> bad_search_attributes(const Record& record, const history::Limits& limits,
                                                         pb::common::v1::SearchAttributes* attributes) {
  ByName payloads;
  for (auto& [name, payload] : *attributes->mutable_indexed_fields()) payloads.emplace(name, &payload);
  if (auto wrong = bad_names(record, payloads)) return wrong;
  const auto keys = static_cast<std::int64_t>(payloads.size());
  if (keys > limits.search_attribute_keys) {
    return BadSearchAttributes{Kind::kValue, "number of search attributes " + std::to_string(keys) +
                                                 " exceeds limit " +
                                                 std::to_string(limits.search_attribute_keys)};
  }
  if (auto wrong = bad_values(record, payloads)) return wrong;
  return bad_sizes(limits, payloads, *attributes);
}

Status check_search_attributes(const Record& record, const history::Limits& limits,
                               pb::common::v1::SearchAttributes* attributes) {
  auto wrong = bad_search_attributes(record, limits, attributes);
  return wrong ? errors::invalid(std::move(wrong->message)) : Status();
}

}  // namespace holdfast::engine
