#pragma once

// Reads a YAML tree strictly: every value is asked for by name and type, whatever was not asked for is an
// error with the nearest valid name, and each problem carries file, line and column. Problems are collected,
// so a user sees all of them at once. Used by one parse on one thread.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>
#include <nlohmann/json.hpp>

#include "holdfast/status.h"

namespace holdfast::spec {

inline constexpr std::size_t kMaxYamlNodes = 100'000;  // aliases expanded: a "billion laughs" file ends here
inline constexpr std::size_t kMaxYamlProblems = 20;

class YamlProblems {
 public:
  explicit YamlProblems(std::string_view source) : source_(source) {}

  void add(const YAML::Mark& mark, std::string_view what);
  bool empty() const { return problems_.empty(); }
  // In the order of the file, one per line.
  Status status() const;

 private:
  struct Problem {
    int line, column;
    std::string what;
  };
  std::string source_;
  std::vector<Problem> problems_;
};

// One mapping. Getters record a problem and answer the default when the value is wrong; absent is the default
// unless required. finish() reports what was never asked for.
class MapReader {
 public:
  MapReader(YamlProblems& problems, const YAML::Node& node, std::string path);

  std::string text(std::string_view key, std::string fallback = {});
  std::string required_text(std::string_view key);
  bool boolean(std::string_view key, bool fallback);
  std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t least, std::int64_t most);
  std::optional<double> number(std::string_view key, double least, double most);
  std::chrono::milliseconds duration(std::string_view key, std::chrono::milliseconds fallback,
                                     std::chrono::milliseconds least, std::chrono::milliseconds most);
  // Index into `names`; none when absent or wrong (then a problem is recorded).
  std::optional<std::size_t> choice(std::string_view key, std::vector<std::string_view> names);
  // The value converted to JSON, null when absent.
  nlohmann::json json(std::string_view key);
  // The same of a JSON Schema; the order of its properties is kept beside them (written_order.h).
  nlohmann::json schema(std::string_view key);
  std::vector<std::pair<std::string, std::string>> text_map(std::string_view key);

  bool has(std::string_view key) const;
  // Undefined node when absent.
  YAML::Node child(std::string_view key);
  MapReader map(std::string_view key);
  // Elements of a list; a problem when it is something else.
  std::vector<YAML::Node> list(std::string_view key, std::size_t most);

  void missing(std::string_view key, std::string_view what_for);
  void problem(std::string_view key, std::string_view what);
  YAML::Mark mark(std::string_view key) const;
  const std::string& path() const { return path_; }
  YamlProblems& problems() { return problems_; }

  void finish();

 private:
  struct Entry {
    std::string key;
    YAML::Mark mark;
    YAML::Node value;
  };
  const Entry* find(std::string_view key);
  std::optional<std::string> scalar(std::string_view key, std::string_view expected);
  std::string name_of(std::string_view key) const;

  YamlProblems& problems_;
  YAML::Mark mark_;
  std::string path_;
  std::vector<Entry> entries_;
  std::vector<std::string> known_;
};

// Plain scalars become null, booleans and numbers as in YAML's core schema; quoted ones stay strings.
// `depth`: how deep the node stands; an alias inside what it names has no end.
nlohmann::json yaml_to_json(const YAML::Node& node, YamlProblems& problems, std::size_t& nodes_left,
                            int depth = 1);

// The candidate within a small edit distance of `name`; empty when none is near.
std::string_view nearest_name(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace holdfast::spec
