// Goal: a skill's folder becomes part of the definition as it is, and nothing outside of it does. Method:
// real folders.

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/catalog.h"
#include "app/skill_folder.h"
#include "fixture/temporary_directory.h"

namespace holdfast::app {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class SkillFolder : public ::testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) {
    fs::create_directories((directory_ / path).parent_path());
    std::ofstream(directory_ / path) << text;
  }
  std::string file() const { return (directory_ / "agent.yaml").string(); }

  fixture::TemporaryDirectory directory_;
  const std::string head_ =
      "apiVersion: holdfast.dev/v1\nkind: Agent\nmetadata: {name: a}\nspec:\n  model: {provider: openai, "
      "name: "
      "m}\n  prompt: p\n  tools: []\n";
  const std::string main_ = "---\nname: refunds\ndescription: How refunds are made.\n---\nAsk first.\n";
};

TEST_F(SkillFolder, ItsTextsTakeThePlaceOfItsName) {
  write("skills/refunds/SKILL.md", main_);
  write("skills/refunds/forms/letter.md", "Dear customer");
  write("skills/refunds/.git/config", "not of the skill");
  const std::string text = head_ + "  skills: [{path: skills/refunds/}]\n";
  write("agent.yaml", text);
  const auto whole = with_skills(file(), text);
  ASSERT_TRUE(whole) << whole.error().message();
  const auto definition = agent::parse_definition(*whole, "agent.yaml");
  ASSERT_TRUE(definition) << definition.error().message();
  ASSERT_EQ(definition->skills.size(), 1u);
  EXPECT_EQ(definition->skills[0].files.size(), 2u);
  EXPECT_EQ(definition->skills[0].files.at("forms/letter.md"), "Dear customer");
  write("skills/refunds/forms/letter.md", "Dear Sir");
  const auto other = agent::parse_definition(*with_skills(file(), text), "agent.yaml");
  EXPECT_NE(agent::version_of(*other), agent::version_of(*definition)) << "another text is another version";
}

TEST_F(SkillFolder, WithoutFoldersNothingChanges) {
  EXPECT_EQ(*with_skills(file(), head_), head_);
  EXPECT_EQ(*with_skills(file(), "broken: ["), "broken: [");
}

TEST_F(SkillFolder, WhatIsNoSkillIsToldByItsPath) {
  const auto error = [&](const std::string& path) {
    const auto whole = with_skills(file(), head_ + "  skills: [{path: " + path + "}]\n");
    return whole ? std::string() : whole.error().message();
  };
  EXPECT_THAT(error("nowhere"), HasSubstr("no such folder"));
  write("empty/notes.md", "x");
  EXPECT_THAT(error("empty"), HasSubstr("there is no SKILL.md"));
  write("linked/SKILL.md", main_);
  write("secret", "s");
  fs::create_symlink(directory_ / "secret", directory_ / "linked" / "a.md");
  EXPECT_THAT(error("linked"), HasSubstr("is a link"));
  write("binary/SKILL.md", main_);
  write("binary/logo.png", std::string("\x89PNG\0\xff", 6));
  EXPECT_THAT(error("binary"), HasSubstr("logo.png is no text"));
}

}  // namespace
}  // namespace holdfast::app
