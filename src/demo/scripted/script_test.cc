// Mistakes in a script are named with line and column, and a script is served to this machine alone.

#include <gmock/gmock.h>

#include "scripted/script.h"
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
  EXPECT_THAT(error("replies:\n  - expect: {first: x}\n"), HasSubstr("demo.yaml:2:14: expect has no key"));
  EXPECT_THAT(error("replies:\n  - expect: {new: x}\n"), HasSubstr("new must be a list"));
  EXPECT_THAT(error(""), HasSubstr("must be a mapping"));
  ScriptedOptions options;
  options.script = "replies:\n  - text: x\n";
  options.host = "0.0.0.0";
  EXPECT_THAT(start_scripted_server(options).error().message(), HasSubstr("loopback"));
}

// A script that expects something is a test of whoever asks: it must not go on with something else.
TEST(Script, ARequestThatIsNotWhatAReplyExpectsIsRefused) {
  const auto script = Script::parse(
      "replies:\n"
      "  - when: {turn: 1}\n"
      "    expect: {system: refunds, new: ['\"total\":42', shipped], tools: [find_order]}\n"
      "    text: done\n",
      "demo.yaml");
  ASSERT_TRUE(script) << script.error().message();
  ScriptedRequest request;
  request.turn = 1;
  request.system = "You settle refunds.";
  request.news = "{\"total\":42}\nshipped\n";
  request.tools = {"find_order", "other"};
  ASSERT_TRUE(script->choose(request));
  EXPECT_EQ(script->choose(request)->reply.text, "done");
  request.news = "{\"total\":41}\nshipped\n";
  const auto refused = script->choose(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(refused.error().message(),
              HasSubstr("reply in line 2 expects something new with \"\"total\":42\""));
  request.news = "{\"total\":42}\nshipped\n";
  request.tools = {"other"};
  EXPECT_THAT(script->choose(request).error().message(), HasSubstr("tools with \"find_order\""));
  request.tools = {"find_order"};
  request.system = "You sing.";
  EXPECT_THAT(script->choose(request).error().message(), HasSubstr("a system prompt"));
}

}  // namespace
}  // namespace holdfast::model
