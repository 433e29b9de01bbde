#include "openai/references.h"

#include <fmt/format.h>

#include <charconv>
#include <set>

#include "base/json.h"
#include "base/json_member.h"
#include "openai/errors.h"
#include "runs/runs.h"

namespace holdfast::openai {

namespace {

using net::Problem;

constexpr std::string_view kMessage = "msg_";
constexpr std::string_view kCall = "mcp_";
constexpr std::string_view kApproval = "mcpr_";
constexpr std::string_view kInput = "input";

// OpenAI lets its type be absent, or null: then it is nothing but an id.
bool is_reference(const Json& item) {
  if (!item.is_object()) return false;
  if (item.contains("type") && !item["type"].is_null())
    return string_member(item, "type") == "item_reference";
  return item.contains("id") && !item.contains("role") && !item.contains("content");
}

Problem not_found(const std::string& param, const std::string& id) {
  return Problem(404, "item_not_found", fmt::format("Item with id '{}' not found.", id))
      .hint("an id is of the output of a response that is kept here; send the item itself instead")
      .member("param", dump_json(Json(param)));
}

}  // namespace

std::optional<ItemPlace> place_of_item(std::string_view id) {
  ItemPlace out;
  if (id.starts_with(kApproval)) {
    out.kind = ItemPlace::Kind::kApproval;
    out.of = id.substr(kApproval.size());
    if (!runs::is_valid_run_id(out.of)) return std::nullopt;
    return out;
  }
  const bool is_message = id.starts_with(kMessage);
  if (!is_message && !id.starts_with(kCall)) return std::nullopt;
  id.remove_prefix(is_message ? kMessage.size() : kCall.size());
  const std::size_t mark = id.rfind('_');
  if (mark == std::string_view::npos) return std::nullopt;
  out.of = id.substr(0, mark);
  if (!runs::is_valid_run_id(out.of)) return std::nullopt;
  const std::string_view place = id.substr(mark + 1);
  if (is_message && place.starts_with(kInput)) {
    out.kind = ItemPlace::Kind::kInput;
    return out;
  }
  const auto [end, error] = std::from_chars(place.data(), place.data() + place.size(), out.at);
  if (error != std::errc() || end != place.data() + place.size()) return std::nullopt;
  return out;
}

std::optional<Problem> put_references(Json& input, const FindItem& find) {
  if (!input.is_array()) return std::nullopt;
  Json out = Json::array();
  std::set<std::string> named;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < input.size(); ++i) {
    if (!is_reference(input[i])) {
      out.push_back(std::move(input[i]));
      continue;
    }
    const std::string param = fmt::format("input[{}].id", i);
    const std::string id = string_member(input[i], "id");
    if (id.empty())
      return wrong(param, "missing_required_parameter",
                   fmt::format("Missing required parameter: '{}'.", param));
    if (!named.insert(id).second) continue;
    const auto place = place_of_item(id);
    if (!place) return not_found(param, id);
    auto item = find(*place, id);
    if (!item) return item.error();
    if (item->is_null()) return not_found(param, id);
    bytes += dump_json(*item).size();
    if (bytes > kMaxReferencedBytes)
      return wrong(param, "array_above_max_length",
                   fmt::format("the items that 'input' names have more than {} bytes", kMaxReferencedBytes))
          .hint("go on with previous_response_id, or `conversation`");
    out.push_back(*std::move(item));
  }
  input = std::move(out);
  return std::nullopt;
}

}  // namespace holdfast::openai
