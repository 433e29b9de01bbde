// Mistakes in a script are named with line and column, and a script is served to this machine alone.

#include <gmock/gmock.h>

#include "scripted/server.h"

namespace holdfast::model {
namespace {

using ::testing::HasSubstr;

TEST(Script, ErrorsNameLineAndColumn) {
  const auto error = [&](const char* yaml) {
    ScriptedOptions options;
    options.script = yaml;
    options.name = "demo.yaml";
    auto server = start_scripted_server(options);
    return server ? std::string("no error") : server.error().message();
  };
  EXPECT_THAT(error("replies:\n  - txt: x\n"), HasSubstr("demo.yaml:2:5: a reply has no key \"txt\""));
  EXPECT_THAT(error("replies:\n  - text: [x\n"), HasSubstr("demo.yaml:"));
  EXPECT_THAT(error("replies:\n  - when: {last: '('}\n"), HasSubstr("regular expression"));
  EXPECT_THAT(error("replies:\n  - faults: [{first: 2}]\n"), HasSubstr("a fault has one of"));
  EXPECT_THAT(error("models: []\n"), HasSubstr("needs replies"));
  EXPECT_THAT(error(""), HasSubstr("must be a mapping"));
  ScriptedOptions options;
  options.script = "replies:\n  - text: x\n";
  options.host = "0.0.0.0";
  EXPECT_THAT(start_scripted_server(options).error().message(), HasSubstr("loopback"));
}

}  // namespace
}  // namespace holdfast::model
