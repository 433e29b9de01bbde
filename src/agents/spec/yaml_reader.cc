#include "spec/yaml_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <expected>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"
#include "spec/duration.h"
#include "spec/written_order.h"
#include "spec/yaml_documents.h"

namespace holdfast::spec {

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1] ? 1 : 0)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string_view kind_of(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Map: return "a mapping";
    case YAML::NodeType::Sequence: return "a list";
    case YAML::NodeType::Scalar: return "a value";
    default: return "nothing";
  }
}

// Why a scalar that is not quoted is no value of JSON.
constexpr std::string_view kTooLong =
    "the integer has more than 64 bits; put it in quotes to keep its digits as text";
constexpr std::string_view kNotFinite =
    "the number is beyond what JSON has; put it in quotes to keep it as text";
constexpr std::string_view kNoMerge =
    "`<<` does not merge here; write the members out, or put the key in quotes";

using Value = std::expected<nlohmann::json, std::string_view>;

Value plain_integer(std::string_view digits) {
  const char* end = digits.data() + digits.size();
  std::int64_t integer = 0;
  if (std::from_chars(digits.data(), end, integer).ec == std::errc()) return integer;
  std::uint64_t large = 0;
  if (digits.front() != '-' && std::from_chars(digits.data(), end, large).ec == std::errc()) return large;
  return std::unexpected(kTooLong);
}

bool is_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// YAML's names of numbers that JSON does not have.
bool is_not_finite(std::string_view text) {
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return true;
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return text == ".inf" || text == ".Inf" || text == ".INF";
}

Value plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (is_integer(text)) return plain_integer(text);
  double number = 0;
  bool numeric = text.find_first_not_of("+-.0123456789eE") == std::string::npos;
  if (numeric) {
    char* stop = nullptr;
    number = std::strtod(begin, &stop);
    // `+5` has always been 5.0; where a double no longer holds every integer, it is exact.
    constexpr double kExactUpTo = 9007199254740992.0;
    const bool signed_integer = text[0] == '+' && is_integer(text.substr(1)) && text[1] != '-';
    if (signed_integer && number >= kExactUpTo) return plain_integer(std::string_view(text).substr(1));
    if (stop == end && std::isfinite(number)) return number;
    if (stop == end) return std::unexpected(kNotFinite);
  }
  if (is_not_finite(text)) return std::unexpected(kNotFinite);
  return text;
}

// By its tag, of those that yaml_documents() lets in: `!!str 007` is a text.
Value scalar_value(const YAML::Node& node) {
  const std::string& tag = node.Tag();
  if (tag == "!" || tag == yaml_tag("str")) return node.Scalar();
  Value value = plain_scalar(node.Scalar());
  if (!value || !tag.starts_with(yaml_tag(""))) return value;
  const bool fits = (tag == yaml_tag("int") && value->is_number_integer()) ||
                    (tag == yaml_tag("float") && value->is_number()) ||
                    (tag == yaml_tag("bool") && value->is_boolean()) ||
                    (tag == yaml_tag("null") && value->is_null());
  if (!fits) return std::unexpected(std::string_view("the value is not what its tag says"));
  return value;
}

bool is_merge(const YAML::Node& key) {
  return key.Scalar() == "<<" && key.Tag() != "!";
}

}  // namespace

void YamlProblems::add(const YAML::Mark& mark, std::string_view what) {
  if (problems_.size() < kMaxYamlProblems)
    problems_.push_back({mark.line + 1, mark.column + 1, std::string(what)});
}

Status YamlProblems::status() const {
  if (problems_.empty()) return {};
  auto sorted = problems_;
  std::sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.line, a.column, a.what) < std::tie(b.line, b.column, b.what);
  });
  std::string message;
  for (const Problem& problem : sorted) {
    if (!message.empty()) message += '\n';
    message += fmt::format("{}:{}:{}: {}", source_, problem.line, problem.column, problem.what);
  }
  return Status(Code::kInvalidArgument, std::move(message));
}

std::string_view nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  if (name.size() > 64) return best;
  for (const std::string& candidate : candidates) {
    std::size_t distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

nlohmann::json yaml_to_json(const YAML::Node& node, YamlProblems& problems, std::size_t& nodes_left,
                            int depth) {
  if (nodes_left == 0) return nullptr;
  if (depth > kMaxForeignJsonDepth) {
    problems.add(
        node.Mark(),
        fmt::format("it nests deeper than {} levels; does an alias (`*name`) stand inside what it names?",
                    kMaxForeignJsonDepth));
    nodes_left = 0;  // one such alias may have many ways into itself
    return nullptr;
  }
  if (--nodes_left == 0) {
    problems.add(node.Mark(),
                 fmt::format("more than {} values, aliases counted; make the file smaller", kMaxYamlNodes));
    return nullptr;
  }
  if (node.IsMap()) {
    auto out = nlohmann::json::object();
    for (const auto& pair : node) {
      if (!pair.first.IsScalar()) {
        problems.add(pair.first.Mark(), "a key must be plain text");
        continue;
      }
      const std::string& key = pair.first.Scalar();
      if (is_merge(pair.first)) problems.add(pair.first.Mark(), kNoMerge);
      if (out.contains(key)) problems.add(pair.first.Mark(), fmt::format("`{}` is given twice", key));
      out[key] = yaml_to_json(pair.second, problems, nodes_left, depth + 1);
    }
    return out;
  }
  if (node.IsSequence()) {
    auto out = nlohmann::json::array();
    for (const auto& item : node) out.push_back(yaml_to_json(item, problems, nodes_left, depth + 1));
    return out;
  }
  if (!node.IsScalar()) return nullptr;
  Value value = scalar_value(node);
  if (value) return *std::move(value);
  problems.add(node.Mark(), value.error());
  return nullptr;
}

MapReader::MapReader(YamlProblems& problems, const YAML::Node& node, std::string path)
    : problems_(problems), path_(std::move(path)) {
  if (!node.IsDefined() || node.IsNull()) return;
  mark_ = node.Mark();
  if (!node.IsMap()) {
    problems_.add(mark_, fmt::format("{} must be a mapping of names to values, here it is {}",
                                     path_.empty() ? "the file" : "`" + path_ + "`", kind_of(node)));
    return;
  }
  for (const auto& pair : node) {
    if (!pair.first.IsScalar()) {
      problems_.add(pair.first.Mark(), "a key must be plain text");
      continue;
    }
    const std::string& key = pair.first.Scalar();
    if (is_merge(pair.first)) {
      problems_.add(pair.first.Mark(), kNoMerge);
      continue;
    }
    if (has(key)) {
      problems_.add(pair.first.Mark(), fmt::format("`{}` is given twice; remove one", name_of(key)));
      continue;
    }
    entries_.push_back({key, pair.first.Mark(), pair.second});
  }
}

std::string MapReader::name_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

const MapReader::Entry* MapReader::find(std::string_view key) {
  // Asked for twice (is it there, what is it) is known once.
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  for (const Entry& entry : entries_) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

bool MapReader::has(std::string_view key) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.key == key; });
}

YAML::Mark MapReader::mark(std::string_view key) const {
  for (const Entry& entry : entries_) {
    if (entry.key == key) return entry.value.Mark().is_null() ? entry.mark : entry.value.Mark();
  }
  return mark_;
}

void MapReader::problem(std::string_view key, std::string_view what) {
  problems_.add(mark(key), fmt::format("`{}`: {}", name_of(key), what));
}

void MapReader::missing(std::string_view key, std::string_view what_for) {
  problems_.add(mark_, fmt::format("`{}` is missing; add `{}:` {}", name_of(key), key, what_for));
}

std::optional<std::string> MapReader::scalar(std::string_view key, std::string_view expected) {
  const Entry* entry = find(key);
  if (!entry || entry->value.IsNull()) return std::nullopt;
  if (!entry->value.IsScalar()) {
    problem(key, fmt::format("must be {}, here it is {}", expected, kind_of(entry->value)));
    return std::nullopt;
  }
  return entry->value.Scalar();
}

std::string MapReader::text(std::string_view key, std::string fallback) {
  return scalar(key, "text").value_or(std::move(fallback));
}

std::string MapReader::required_text(std::string_view key) {
  auto value = scalar(key, "text");
  if (!has(key)) {
    missing(key, "and its text");
  } else if ((value && value->empty()) || find(key)->value.IsNull()) {
    problem(key, "must not be empty");
  }
  return value.value_or("");
}

bool MapReader::boolean(std::string_view key, bool fallback) {
  auto value = scalar(key, "true or false");
  if (!value) return fallback;
  if (*value == "true") return true;
  if (*value == "false") return false;
  problem(key, fmt::format("must be true or false, not `{}`", *value));
  return fallback;
}

std::int64_t MapReader::integer(std::string_view key, std::int64_t fallback, std::int64_t least,
                                std::int64_t most) {
  auto value = scalar(key, "a whole number");
  if (!value) return fallback;
  std::int64_t out = 0;
  auto [at, error] = std::from_chars(value->data(), value->data() + value->size(), out);
  if (error != std::errc() || at != value->data() + value->size() || out < least || out > most) {
    problem(key, fmt::format("must be a whole number from {} to {}, not `{}`", least, most, *value));
    return fallback;
  }
  return out;
}

std::optional<double> MapReader::number(std::string_view key, double least, double most) {
  auto value = scalar(key, "a number");
  if (!value) return std::nullopt;
  char* stop = nullptr;
  double out = std::strtod(value->c_str(), &stop);
  if (stop == value->c_str() || *stop != 0 || !(out >= least && out <= most)) {
    problem(key, fmt::format("must be a number from {} to {}, not `{}`", least, most, *value));
    return std::nullopt;
  }
  return out;
}

std::chrono::milliseconds MapReader::duration(std::string_view key, std::chrono::milliseconds fallback,
                                              std::chrono::milliseconds least,
                                              std::chrono::milliseconds most) {
  auto value = scalar(key, "a duration such as 30s, 5m or 1h30m");
  if (!value) return fallback;
  auto out = parse_duration(*value);
  if (!out) {
    problem(key, fmt::format("must be a duration such as 250ms, 30s, 5m, 1h30m or 7d, not `{}`", *value));
    return fallback;
  }
  if (*out < least || *out > most) {
    problem(key, fmt::format("must be from {} to {}, not {}", format_duration(least), format_duration(most),
                             *value));
    return fallback;
  }
  return *out;
}

std::optional<std::size_t> MapReader::choice(std::string_view key, std::vector<std::string_view> names) {
  auto value = scalar(key, fmt::format("one of {}", fmt::join(names, ", ")));
  if (!value) return std::nullopt;
  auto found = std::find(names.begin(), names.end(), *value);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  std::vector<std::string> candidates(names.begin(), names.end());
  std::string_view near = nearest_name(*value, candidates);
  problem(key, fmt::format("unknown value `{}`; {}", *value,
                           near.empty() ? fmt::format("use one of {}", fmt::join(names, ", "))
                                        : fmt::format("did you mean `{}`? (one of {})", near,
                                                      fmt::join(names, ", "))));
  return std::nullopt;
}

nlohmann::json MapReader::json(std::string_view key) {
  const Entry* entry = find(key);
  if (!entry) return nullptr;
  std::size_t nodes_left = kMaxYamlNodes;
  return yaml_to_json(entry->value, problems_, nodes_left);
}

nlohmann::json MapReader::schema(std::string_view key) {
  nlohmann::json out = json(key);
  if (const Entry* entry = find(key)) keep_order(out, entry->value);
  return out;
}

std::vector<std::pair<std::string, std::string>> MapReader::text_map(std::string_view key) {
  std::vector<std::pair<std::string, std::string>> out;
  MapReader inner(problems_, child(key), name_of(key));
  for (const Entry& entry : inner.entries_) out.emplace_back(entry.key, inner.text(entry.key));
  return out;
}

YAML::Node MapReader::child(std::string_view key) {
  const Entry* entry = find(key);
  return entry ? entry->value : YAML::Node(YAML::NodeType::Undefined);
}

MapReader MapReader::map(std::string_view key) {
  MapReader inner(problems_, child(key), name_of(key));
  if (!has(key)) inner.mark_ = mark_;
  return inner;
}

std::vector<YAML::Node> MapReader::list(std::string_view key, std::size_t most) {
  YAML::Node node = child(key);
  std::vector<YAML::Node> out;
  if (!node.IsDefined() || node.IsNull()) return out;
  if (!node.IsSequence()) {
    problem(key, fmt::format("must be a list (each entry starts with `- `), here it is {}", kind_of(node)));
    return out;
  }
  if (node.size() > most) {
    problem(key, fmt::format("has {} entries, at most {} are allowed", node.size(), most));
    return out;
  }
  for (const auto& item : node) out.push_back(item);
  return out;
}

void MapReader::finish() {
  for (const Entry& entry : entries_) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    std::string_view near = nearest_name(entry.key, known_);
    problems_.add(entry.mark,
                  fmt::format("unknown key `{}`; {}", name_of(entry.key),
                              near.empty() ? fmt::format("valid here: {}", fmt::join(known_, ", "))
                                           : fmt::format("did you mean `{}`?", near)));
  }
}

}  // namespace holdfast::spec
