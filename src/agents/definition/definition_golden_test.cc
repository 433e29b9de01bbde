// Goal: a version is the hash of the canonical form, and runs and stores hold on to it: neither ever changes
// for a file that has been read before. It did once, for files whose properties are not sorted (docs/adr/0085);
// what stores hold of that time is read as it is. Method: files with every key, with none but those that must be there,
// and the example, as they were written down by the version that read them first.

#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "activities/catalog.h"

namespace holdfast::agent {
namespace {

struct Golden {
  std::string file;
  std::string as_read;      // version of the file as it is
  std::string as_deployed;  // of what is stored: parameters closed
};

// For the messages of a failure.
void PrintTo(const Golden& golden, std::ostream* out) {
  *out << golden.file;
}

std::string content(const std::string& name) {
  std::ifstream file(std::string(HOLDFAST_TEST_DATA) + "/definitions/" + name);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class DefinitionGolden : public ::testing::TestWithParam<Golden> {};

TEST_P(DefinitionGolden, KeepsItsCanonicalFormAndItsVersion) {
  auto read = parse_definition(content(GetParam().file + ".yaml"), "agent.yaml", "/srv/agents");
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(version_of(*read), GetParam().as_read);
  close_parameters(*read);
  EXPECT_EQ(canonical_json(*read) + "\n", content(GetParam().file + ".json"));
  EXPECT_EQ(version_of(*read), GetParam().as_deployed);
}

TEST_P(DefinitionGolden, ReadsWhatTheStoreHolds) {
  const std::string stored = content(GetParam().file + ".json");
  auto read = parse_definition(stored, "agent");
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(canonical_json(*read) + "\n", stored);
}

TEST(DefinitionSorted, ReadsWhatStoresHoldOfTheTimeWhenAllWasSorted) {
  for (const auto& [name, version] :
       {std::pair("every-key-sorted", "afe41e73c501a317c624e71de2fecf7a2bef46d6217ddeb062d62146ca494021"),
        std::pair("refund-sorted", "f00d086119ac14b830582044c7457182329fc2f15836a21347383ea00db6d025")}) {
    const std::string stored = content(std::string(name) + ".json");
    auto read = parse_definition(stored, "agent");
    ASSERT_TRUE(read.has_value()) << read.error().message();
    EXPECT_EQ(canonical_json(*read) + "\n", stored);
    EXPECT_EQ(version_of(*read), version);
  }
}

const Golden kGolden[] = {
    {"defaults", "20096e4efcdb2df2f6b82a2bfbe1a2178bfd27a70508ef9ad7eec32a694d7eff",
     "35aa17b3ef6754c19240f0aee03ab9dba96b9144deacf19208d4f4ae4365164d"},
    {"every-key", "f792013bee432ea78e49af65743149be807736c7bb9a300812ce117c4ec3cd9b",
     "fab89f1566bdcc167fe78fe8fbd5e45901b140c7d71fd0cd746fd20a51a35e4a"},
    {"refund", "929b6c6c5b4e43622589ccbe93bdc887adb7857fe33061a2f01970a0929d479d",
     "480bfcf3491610856e8bade8f5d68212c905a1ce47266371f94b93e921512f43"},
    {"wait", "04db221e38f6386d882aad6e66eeee0df0396f511049b5f2914adb39827a3cab",
     "b2f20ff7a3d69a95ab64ee3721edf180c8f4e005f025b221a5573e24687c0a31"},
};

INSTANTIATE_TEST_SUITE_P(Files, DefinitionGolden, ::testing::ValuesIn(kGolden), [](const auto& info) {
  std::string name = info.param.file;
  std::erase(name, '-');
  return name;
});

TEST(DefinitionSchema, SaysTheSame) {
  EXPECT_EQ(Json::parse(definition_schema()), Json::parse(content("schema.json")));
}

}  // namespace
}  // namespace holdfast::agent
