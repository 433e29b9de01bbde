#include "base/json_diff.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "base/line_diff.h"

namespace holdfast {

namespace {

using Json = nlohmann::json;
using Kind = JsonChange::Kind;
using Names = std::vector<std::string>;

std::string member_path(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + '.' + name;
}

std::string element_path(const std::string& path, std::string_view which) {
  return path + '[' + std::string(which) + ']';
}

// None when some element has none, or two have the same.
std::optional<Names> names_of(const Json& list) {
  Names out;
  std::set<std::string> seen;
  for (const Json& each : list) {
    const auto name = each.is_object() ? each.find("name") : each.end();
    if (!each.is_object() || name == each.end() || !name->is_string()) return std::nullopt;
    if (!seen.insert(name->get<std::string>()).second) return std::nullopt;
    out.push_back(name->get<std::string>());
  }
  return out;
}

class Comparison {
 public:
  void compare(const std::string& path, const Json& before, const Json& after) {
    if (before == after) return;
    if (before.is_object() && after.is_object()) return members(path, before, after);
    if (before.is_array() && after.is_array()) return elements(path, before, after);
    JsonChange change{Kind::kChanged, path, before, after, {}};
    if (before.is_string() && after.is_string()) {
      const auto& one = before.get_ref<const std::string&>();
      const auto& two = after.get_ref<const std::string&>();
      if (one.contains('\n') || two.contains('\n')) change.lines = line_diff(one, two);
    }
    out.push_back(std::move(change));
  }

  std::vector<JsonChange> out;

 private:
  void added(std::string path, const Json& value) {
    out.push_back({Kind::kAdded, std::move(path), nullptr, value, {}});
  }
  void removed(std::string path, const Json& value) {
    out.push_back({Kind::kRemoved, std::move(path), value, nullptr, {}});
  }

  void members(const std::string& path, const Json& before, const Json& after) {
    std::set<std::string> names;
    for (const auto& [name, unused] : before.items()) names.insert(name);
    for (const auto& [name, unused] : after.items()) names.insert(name);
    for (const std::string& name : names) {
      const auto one = before.find(name);
      const auto two = after.find(name);
      if (one == before.end()) {
        added(member_path(path, name), *two);
      } else if (two == after.end()) {
        removed(member_path(path, name), *one);
      } else {
        compare(member_path(path, name), *one, *two);
      }
    }
  }

  void elements(const std::string& path, const Json& before, const Json& after) {
    const std::optional<Names> one = names_of(before);
    const std::optional<Names> two = names_of(after);
    if (one && two && !(one->empty() && two->empty())) return named(path, before, after, *one, *two);
    std::size_t begin = 0;
    while (begin < before.size() && begin < after.size() && before[begin] == after[begin]) ++begin;
    std::size_t b_end = before.size();
    std::size_t a_end = after.size();
    while (b_end > begin && a_end > begin && before[b_end - 1] == after[a_end - 1]) {
      --b_end;
      --a_end;
    }
    for (std::size_t i = begin; i < std::max(b_end, a_end); ++i) {
      const std::string place = element_path(path, std::to_string(i));
      if (i >= b_end) {
        added(place, after[i]);
      } else if (i >= a_end) {
        removed(place, before[i]);
      } else {
        compare(place, before[i], after[i]);
      }
    }
  }

  void named(const std::string& path, const Json& before, const Json& after, const Names& one,
             const Names& two) {
    std::map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < two.size(); ++i) places.emplace(two[i], i);
    std::set<std::string_view> kept;
    Names kept_one;
    Names kept_two;
    for (std::size_t i = 0; i < one.size(); ++i) {
      const auto there = places.find(one[i]);
      if (there == places.end()) {
        removed(element_path(path, one[i]), before[i]);
        continue;
      }
      kept.insert(one[i]);
      kept_one.push_back(one[i]);
      compare(element_path(path, one[i]), before[i], after[there->second]);
    }
    for (std::size_t i = 0; i < two.size(); ++i) {
      if (kept.contains(two[i])) {
        kept_two.push_back(two[i]);
      } else {
        added(element_path(path, two[i]), after[i]);
      }
    }
    if (kept_one != kept_two) out.push_back({Kind::kReordered, path, kept_one, kept_two, {}});
  }
};

}  // namespace

std::vector<JsonChange> json_diff(const Json& before, const Json& after) {
  Comparison comparison;
  comparison.compare("", before, after);
  return std::move(comparison.out);
}

std::string_view to_string(Kind kind) {
  static constexpr std::array<std::string_view, 4> kNames = {"added", "removed", "changed", "reordered"};
  return kNames[static_cast<std::size_t>(kind)];
}

Json to_json(const JsonChange& change) {
  Json out = {{"path", change.path}, {"kind", to_string(change.kind)}};
  if (change.kind != Kind::kAdded) out["before"] = change.before;
  if (change.kind != Kind::kRemoved) out["after"] = change.after;
  if (!change.lines.empty()) out["lines"] = change.lines;
  return out;
}

}  // namespace holdfast
