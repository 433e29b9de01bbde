// Goal: arguments are held against JSON Schema 2020-12 as everybody reads it, and what is not supported is
// refused where the definition is read, never passed over. Method: the official suite; a schema that is
// refused has to stand in refused.txt, and every other one has to say of each value what the suite says.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "base/json.h"
#include "spec/json_schema.h"

namespace holdfast::spec {
namespace {

using Json = nlohmann::json;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

std::set<std::string> refused_by_us() {
  std::set<std::string> out;
  std::ifstream in(HOLDFAST_EXPECTED);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') out.insert(line);
  }
  return out;
}

// All that every implementation has to do, and the patterns that it may.
std::vector<std::filesystem::path> files() {
  const std::filesystem::path suite = HOLDFAST_SUITE;
  std::vector<std::filesystem::path> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(suite, error)) {
    if (entry.path().extension() == ".json") out.push_back(entry.path());
  }
  for (const char* name : {"ecmascript-regex.json", "non-bmp-regex.json", "no-schema.json"})
    out.push_back(suite / "optional" / name);
  std::sort(out.begin(), out.end());
  return out;
}

TEST(JsonSchemaSuite, SaysWhatTheSuiteSaysOrRefusesTheSchema) {
  std::set<std::string> expected = refused_by_us();
  std::set<std::string> refused;
  int groups = 0;
  int values = 0;
  for (const auto& path : files()) {
    const auto read = read_json(text_of(path));
    ASSERT_TRUE(read) << path << " is not there: configure again with network";
    for (const Json& group : *read) {
      ++groups;
      const std::string name = path.filename().string() + ": " + group.at("description").get<std::string>();
      if (auto why = check_schema(group.at("schema"))) {
        refused.insert(name);
        continue;
      }
      for (const Json& one : group.at("tests")) {
        const std::string value = name + ": " + one.at("description").get<std::string>();
        if (expected.erase("stricter: " + value) > 0) continue;
        ++values;
        const auto bad = validate(group.at("schema"), one.at("data"));
        EXPECT_EQ(!bad.has_value(), one.at("valid").get<bool>())
            << value << ": " << bad.value_or("valid") << "\n"
            << group.at("schema").dump() << "\n"
            << one.at("data").dump().substr(0, 300);
      }
    }
  }
  for (const std::string& name : refused) EXPECT_TRUE(expected.contains(name)) << "refused now: " << name;
  for (const std::string& name : expected)
    EXPECT_TRUE(refused.contains(name)) << "no longer refused: " << name;
  EXPECT_GT(values, 1000);
  std::cout << values << " values as the suite says, " << refused.size() << " of " << groups
            << " schemas refused\n";
}

}  // namespace
}  // namespace holdfast::spec
