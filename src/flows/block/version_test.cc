// Goal: laying a flow's file out never changes its version. Method: flows of every example that runs, changed
// at random where white space, quotes and comments stand; whatever is still a flow has the same canonical
// form.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "block/program.h"
#include "spec/yaml_layout.h"

namespace holdfast::flows {
namespace {

std::vector<std::string> flows_that_run() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(HOLDFAST_EXAMPLES)) {
    if (entry.path().extension() != ".yaml") continue;
    std::ifstream file(entry.path());
    std::string text((std::istreambuf_iterator<char>(file)), {});
    if (text.find("\nkind: Flow\n") != std::string::npos && read_program(text, "f", "/shop"))
      out.push_back(text);
  }
  return out;
}

TEST(Version, NeverChangesByLayout) {
  const std::vector<std::string> texts = flows_that_run();
  ASSERT_FALSE(texts.empty());
  std::mt19937 random(7);
  const std::vector<std::string> pieces = {" ", "   ", "\n", "\n\n", " # note\n", "\n# note\n", "'", "\t"};
  std::size_t compared = 0;
  for (int round = 0; round < 600; ++round) {
    std::string text = texts[random() % texts.size()];
    for (int change = 0; change < 1 + round % 4; ++change) {
      const std::size_t at = random() % (text.size() + 1);
      if (random() % 4 == 0 && at < text.size() && text[at] == ' ')
        text.erase(at, 1);
      else
        text.insert(at, pieces[random() % pieces.size()]);
    }
    const auto laid_out = spec::lay_out_yaml(text, "f");
    const auto before = read_program(text, "f", "/shop");
    if (!laid_out || !before) continue;
    const auto after = read_program(*laid_out, "f", "/shop");
    ASSERT_TRUE(after) << after.error().message() << "\n" << text << "\n" << *laid_out;
    EXPECT_EQ(canonical_json(*after), canonical_json(*before)) << text << "\n" << *laid_out;
    ++compared;
  }
  EXPECT_GE(compared, 60U);
}

}  // namespace
}  // namespace holdfast::flows
